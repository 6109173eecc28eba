"""Texts that cues, timelines and looks will ask for, told to the engine before they do: a large encoder takes seconds.

The panels say which; the generator thread sends them. Knows nothing of tensors.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping

from engine.messages import ENCODE_AHEAD, Command
from engine.parameter import Value
from vj.engine_run import EngineRun
from vj.presets.prompt_mixing import TEXTS
from vj.presets.repertoire import Repertoire

LOOK_S = 1.0  # how often new texts are looked for
MOST_TEXTS = 160  # the engine keeps 256
UNASKED_ID = 0  # nobody waits for the answer


def coming_texts(repertoire: Repertoire) -> tuple[str, ...]:
    """Texts of the next cues, the timeline from where it stands, the looks in slots, and the other looks: in order."""
    cues, timeline = repertoire.cues, repertoire.timeline
    listed = cues.cues
    shelf, after = repertoire.shelf, max(0, cues.status.next - 1)
    sources: list[Mapping[str, Value]] = []
    for cue in (*listed[after:], *listed[:after]):
        if cue.look in shelf.looks:
            sources.append(shelf.looks[cue.look].values)
        sources.append(cue.values)
    if timeline.timeline is not None:
        begun = max(0, timeline.status.cue - 1)
        played = timeline.timeline.cues
        sources += [cue.values for cue in (*played[begun:], *played[:begun])]
    slots = [name for name in shelf.slots if name in shelf.looks]
    sources += [shelf.looks[name].values for name in (*slots, *shelf.looks)]
    texts = (str(values[address]).strip() for values in sources for address in sorted(TEXTS & values.keys()))
    return tuple(dict.fromkeys(text for text in texts if text))[:MOST_TEXTS]


class TextsAhead:
    """What each engine was told. Belongs to the generator thread, but for `foresee`, which comes before it starts."""

    def __init__(self) -> None:
        self._coming: Callable[[], tuple[str, ...]] = tuple
        self._told: list[tuple[EngineRun, tuple[str, ...]]] = []
        self._looked_s = float("-inf")

    def foresee(self, coming: Callable[[], tuple[str, ...]]) -> None:
        """Ask `coming` from now on, on the generator thread: it must not wait."""
        self._coming = coming

    def tick(self, runs: Iterable[EngineRun | None]) -> None:
        """Tell every engine there is what has changed, once a second at most; a new one hears all."""
        now_s = time.monotonic()
        if now_s - self._looked_s < LOOK_S:
            return
        self._looked_s = now_s
        coming = self._coming()
        told = []
        for run in runs:
            if run is None:
                continue
            before = next((texts for known, texts in self._told if known is run), ())
            if coming != before and coming:
                run.link.send(Command(UNASKED_ID, ENCODE_AHEAD, {"texts": list(coming)}))
            told.append((run, coming))
        self._told = told
