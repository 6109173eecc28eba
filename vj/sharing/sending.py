"""Sending by one kind: picture by picture from the output's ring through a sender, opened anew when it has to be.

Knows nothing of pipes or of who supervises it.
"""

from __future__ import annotations

import dataclasses
import time
from collections import deque
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from engine.video_in.input_ring import InputFrame
from vj.sharing.frame_rate import measured_rate, nominal_rate
from vj.sharing.kinds import KIND_OF
from vj.sharing.messages import ShareState, ShareWishes
from vj.sharing.pictures import Pictures
from vj.sharing.senders.opening import open_sender
from vj.sharing.senders.sender import Opening, Sender, SenderError
from vj.sharing.shaping import Shaper, shaped_size

WAIT_S = 0.1  # for a picture, in one step
ABSENT_NS = 700_000_000  # without one, before it is said
MEASURED = 20  # pictures the rate is measured over, where the display does not say it
BACK_OFF_S = (0.5, 1.0, 2.0, 4.0)  # between two tries at a sender that fails; the last one holds
COUNT_NS = 250_000_000  # between two questions for receivers
SETTLE_NS = 300_000_000  # what is wanted of a sender that is open has to stay the same for so long
SPAN_NS = 1_000_000_000


class Sending:
    """One kind's loop: `step` is called again and again by one thread; `wish` and `state` by any."""

    def __init__(self, word: str, ring: Path, open_one: Callable[[str, Opening], Sender] = open_sender) -> None:
        """`word` is the kind's; `ring` is where the stage writes."""
        self._word = word
        self._open_one = open_one
        self._pictures = Pictures(ring)
        self._shaper = Shaper()
        self._wishes: ShareWishes | None = None  # before the first none is opened
        self._sender: Sender | None = None
        self._opening: Opening | None = None  # of the sender that is open
        self._asked: Opening | None = None  # what is wanted, and since when
        self._asked_ns = 0
        self._arrivals: list[int] = []  # until the rate is known
        self._sent_ns: deque[int] = deque(maxlen=512)
        self._failures, self._retry_ns, self._counted_ns, self._count = 0, 0, 0, 0
        self._came_ns = time.monotonic_ns()  # when the newest picture was taken
        self._state = ShareState("opening", moved_ns=time.monotonic_ns())

    @property
    def state(self) -> ShareState:
        """How it stands."""
        return self._state

    def wish(self, wishes: ShareWishes) -> None:
        """Take the newest wishes. Never waits."""
        self._wishes = wishes

    def step(self) -> None:
        """Send the next picture, or wait a little for it."""
        frame, wishes = self._pictures.next(WAIT_S), self._wishes
        self._tell()
        if frame is None or wishes is None:
            self._note_absence()
            return
        self._came_ns = self._state.moved_ns
        self._count += 1
        if self._count % max(1, wishes.params.every):
            return
        try:
            opening = self._wanted(frame, wishes)
            if opening is None or not self._is_open(opening):
                return
            self._send(frame, wishes)
        except SenderError as error:
            self._lose(str(error))

    def close(self) -> None:
        """Let receivers and the ring go."""
        self._close_sender()
        self._pictures.close()

    def _note_absence(self) -> None:
        if self._state.state != "lost" and self._state.moved_ns - self._came_ns > ABSENT_NS:
            self._tell(state="waiting", measured_fps=0.0)

    def _wanted(self, frame: InputFrame, wishes: ShareWishes) -> Opening | None:
        """What the sender is to be opened with for this picture; None while the rate is not known."""
        settings = wishes.params
        height, width = frame.pixels.shape[:2]
        rate = nominal_rate(wishes.rate_hz) if wishes.rate_hz > 0.0 else self._measure(frame)
        if rate is None:
            return None
        size = shaped_size(width, height, settings.size)
        return Opening(
            settings.name or KIND_OF[self._word].default_name,
            *size,
            rate / max(1, settings.every),
            settings.alpha != "off",
        )

    def _measure(self, frame: InputFrame) -> Fraction | None:
        if len(self._arrivals) < MEASURED:
            self._arrivals.append(frame.arrived_ns)
        return measured_rate(self._arrivals) if len(self._arrivals) >= MEASURED else None

    def _is_open(self, opening: Opening) -> bool:
        """Have the sender open that is wanted; False while it is not its time. Raises SenderError."""
        if opening == self._opening:
            return True
        now_ns = time.monotonic_ns()
        if opening != self._asked:
            self._asked, self._asked_ns = opening, now_ns
        # a window that is being dragged has a new size at every refresh
        if now_ns < self._retry_ns or (self._sender is not None and now_ns - self._asked_ns < SETTLE_NS):
            return False
        self._close_sender()
        self._tell(state="opening", name=opening.name)
        self._sender = self._open_one(self._word, opening)
        self._opening = opening
        self._tell(
            name=self._sender.name,
            note=self._sender.note,
            width=opening.width,
            height=opening.height,
            rate=str(opening.rate),
        )
        return True

    def _send(self, frame: InputFrame, wishes: ShareWishes) -> None:
        self._sender.send(self._shaper.shape(frame.pixels, wishes.params))
        now_ns = time.monotonic_ns()
        self._failures = 0
        self._sent_ns.append(now_ns)
        receivers = self._state.receivers
        if now_ns - self._counted_ns > COUNT_NS:
            self._counted_ns = now_ns
            told = self._sender.receivers
            receivers = -1 if told is None else told
        self._tell(
            state="sending",
            problem="",
            receivers=receivers,
            sent=self._state.sent + 1,
            dropped=self._pictures.missed,
            measured_fps=self._measured_fps(),
        )

    def _measured_fps(self) -> float:
        """Pictures a second, over the last second at most."""
        while len(self._sent_ns) > 2 and self._sent_ns[-1] - self._sent_ns[0] > SPAN_NS:
            self._sent_ns.popleft()
        span_ns = self._sent_ns[-1] - self._sent_ns[0]
        return round((len(self._sent_ns) - 1) * 1e9 / span_ns, 2) if span_ns else 0.0

    def _lose(self, sentence: str) -> None:
        self._close_sender()
        wait_s = BACK_OFF_S[min(self._failures, len(BACK_OFF_S) - 1)]
        self._failures += 1
        self._retry_ns = time.monotonic_ns() + round(wait_s * 1e9)
        self._tell(state="lost", problem=sentence, measured_fps=0.0, receivers=-1)

    def _close_sender(self) -> None:
        sender, self._sender, self._opening = self._sender, None, None
        self._sent_ns.clear()
        if sender is not None:
            sender.close()

    def _tell(self, **changes: object) -> None:
        self._state = dataclasses.replace(self._state, moved_ns=time.monotonic_ns(), **changes)
