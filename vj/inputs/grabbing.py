"""Reading one source on a thread of its own: opens it, hands on the newest picture, looks for it again when it is gone.

Knows nothing of rings or of who looks at the pictures.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections import deque

from vj.inputs.deinterlacing import Deinterlacer
from vj.inputs.messages import InputState, InputWishes
from vj.inputs.sources.opening import open_source
from vj.inputs.sources.source import Picture, Source, SourceError

BACK_OFF_S = (0.5, 1.0, 2.0, 4.0)  # between two looks for a source that is gone; the last one holds
WAIT_S = 0.05  # how long a wish waits while nothing is open
FPS_OVER_NS = 1_000_000_000


class Grabber:
    """One input's source. `wish`, `take` and `state` may be called by any thread."""

    def __init__(self) -> None:
        self._wishes = InputWishes()
        self._state = InputState()
        self._keeps = False
        self._newest: Picture | None = None
        self._has_news = threading.Condition()
        self._is_stopping = threading.Event()
        self._arrivals: deque[int] = deque(maxlen=512)
        self._thread = threading.Thread(target=self._run, name="grabbing", daemon=True)

    @property
    def state(self) -> InputState:
        """How it stands."""
        return self._state

    @property
    def keeps(self) -> bool:
        """Whether what is open shows its last picture while no other comes."""
        return self._keeps

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end; a source that hangs is not waited for."""
        self._is_stopping.set()

    def wish(self, wishes: InputWishes) -> None:
        """Take the newest wishes. Never waits."""
        self._wishes = wishes

    def take(self, timeout_s: float) -> Picture | None:
        """Return the newest picture that was not taken yet, waiting so long for one."""
        with self._has_news:
            if self._newest is None:
                self._has_news.wait(timeout_s)
            picture, self._newest = self._newest, None
            return picture

    # -- its own thread ------------------------------------------------------------------------------------------

    def _run(self) -> None:
        losses, wishes = 0, self._wishes
        while not self._is_stopping.is_set():
            before, wishes = wishes, self._wishes
            if is_other_source(wishes, before):  # what was wrong with the last one is over
                losses, self._state = 0, InputState(pictures=self._state.pictures)
            if not wishes.params.source:
                self._tell(InputState())
                self._is_stopping.wait(WAIT_S)
                continue
            self._tell(dataclasses.replace(self._state, state="opening", name=wishes.params.source, measured_fps=0.0))
            try:
                source = open_source(wishes.params)
            except SourceError as error:
                self._wait_lost(str(error), wishes, losses)
                losses += 1
                continue
            pictures = self._state.pictures
            try:
                self._play(source, wishes)
            except SourceError as error:
                losses = 0 if self._state.pictures > pictures else losses
                self._wait_lost(str(error), wishes, losses)
                losses += 1
            else:
                losses = 0
            finally:
                self._keeps = False
                source.close()

    def _play(self, source: Source, opened: InputWishes) -> None:
        """Read until something else is wanted. Raises SourceError when the source has gone."""
        deinterlacer = Deinterlacer()
        self._arrivals.clear()
        facts, self._keeps = source.facts, source.keeps
        self._tell(
            dataclasses.replace(
                self._state,
                name=facts.name,
                width=facts.width,
                height=facts.height,
                rate_fps=round(facts.rate_fps, 3),
                length_s=facts.length_s,
            )
        )
        while not self._is_stopping.is_set() and not is_other_source(self._wishes, opened):
            settings = self._wishes.params
            picture = source.read(settings)
            if picture is None:
                is_held = source.is_held and self._state.state in ("live", "held")
                self._tell(dataclasses.replace(self._state, state="held") if is_held else self._state)
                continue
            ready = deinterlacer.process(picture.frame, picture.arrived_ns, settings.deinterlace)
            self._arrivals.append(picture.arrived_ns)
            if ready:
                self._hand_on(Picture(*ready[-1], picture.pixel_aspect), source)

    def _hand_on(self, picture: Picture, source: Source) -> None:
        with self._has_news:
            self._newest = picture
            self._has_news.notify()
        self._tell(
            dataclasses.replace(
                self._state,
                state="held" if source.is_held else "live",
                problem="",
                width=picture.frame.width,
                height=picture.frame.height,
                measured_fps=self._measure(),
                pictures=self._state.pictures + 1,
                position_s=round(source.position_s, 3),
            )
        )

    def _measure(self) -> float:
        """Pictures a second, over the last second at most."""
        newest_ns = self._arrivals[-1]
        while len(self._arrivals) > 2 and newest_ns - self._arrivals[0] > FPS_OVER_NS:
            self._arrivals.popleft()
        span_ns = newest_ns - self._arrivals[0]
        return round((len(self._arrivals) - 1) * 1e9 / span_ns, 2) if span_ns else 0.0

    def _wait_lost(self, sentence: str, wishes: InputWishes, losses: int) -> None:
        """Say that the source is gone, and wait until it is to be looked for again or another is wanted."""
        self._tell(dataclasses.replace(self._state, state="lost", problem=sentence, measured_fps=0.0))
        until_s = time.monotonic() + BACK_OFF_S[min(losses, len(BACK_OFF_S) - 1)]
        while time.monotonic() < until_s and not is_other_source(self._wishes, wishes):
            if self._is_stopping.wait(WAIT_S):
                return
            self._tell(self._state)

    def _tell(self, state: InputState) -> None:
        self._state = dataclasses.replace(state, moved_ns=time.monotonic_ns())


def is_other_source(wanted: InputWishes, opened: InputWishes) -> bool:
    """Whether what is wanted cannot be had from what was opened for these wishes."""
    return (wanted.params.source, wanted.params.format, wanted.opening) != (
        opened.params.source,
        opened.params.format,
        opened.opening,
    )
