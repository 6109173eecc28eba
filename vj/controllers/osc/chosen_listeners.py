"""The listeners chosen while the show runs: a text parameter becomes addresses, looked up where nothing waits."""

from __future__ import annotations

import threading
from collections.abc import Callable

from vj.controllers.osc.endpoint import OscEndpoint, OscPortError, parse_target
from vj.controllers.osc.output import OscListener, OscOutput
from vj.controllers.osc.params import OUT_ADDRESS
from vj.controls import Controls

LISTENERS = 16  # of one text


class ChosenListeners:
    """Follows the parameter. `tick` belongs to the conductor."""

    def __init__(self, controls: Controls, output: OscOutput, tell: Callable[[str], None]) -> None:
        """`tell` takes a sentence for every word that is no listener, on a thread of its own."""
        self._controls = controls
        self._output = output
        self._tell = tell
        self._text = ""
        self._order = threading.Lock()  # a slow look-up must not overtake the choice after it

    def tick(self, now_ns: int) -> None:
        """Take the text if it is another one."""
        text = str(self._controls.store.get(OUT_ADDRESS))
        if text != self._text:
            self._text = text
            threading.Thread(target=self._choose, args=(text,), name="osc look-up", daemon=True).start()

    def _choose(self, text: str) -> None:
        with self._order:
            if text != self._text:
                return
            chosen = [endpoint for word in text.replace(",", " ").split()[:LISTENERS] if (endpoint := self._read(word))]
            try:
                self._output.choose([OscListener(endpoint) for endpoint in chosen])
            except OscPortError as error:
                self._tell(f"{OUT_ADDRESS}: {error}")

    def _read(self, word: str) -> OscEndpoint | None:
        try:
            return parse_target(word)
        except ValueError as error:
            self._tell(f"{OUT_ADDRESS}: {error}")
            return None
