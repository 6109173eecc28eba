"""Commands that wait for the beat: held until their moment, sent ahead by what the generator needs to be seen on it.

Knows the clock, the one door and the measured latency; knows nothing of who presses or who obeys.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from vj.controls import Controls, Press
from vj.tempo.clock import Clock
from vj.tempo.latency import Latency
from vj.tempo.params import QUANTISE_ADDRESS, STEP_BEATS

SENT_AHEAD_S = 0.05  # on top of the engine's own measure: the conductor's step, the generator thread, the pipe
HELD_S = 0.4  # ahead of its beat a deck that is ready is handed to the output
TIGHT_SHARE = 0.85  # of the measured time a cut may be sent with: the measure has a reserve of its own
TIMELINE_SOURCE = "timeline"  # first word of the source of what has its time already
_CUTS = re.compile(r"/vj/cut/hard|/vj/deck/(cut|fade)")
_DECKS = re.compile(r"/vj/deck/(cut|fade)")
_BY_CHUNK = re.compile(r"/vj/cut/soft|/vj/seed/next|/vj/prompt/\d+/go")
_AT_ONCE = re.compile(r"/vj/look/\d+/recall|/vj/cue/(go|back)|/vj/timeline/play")


@dataclass(frozen=True)
class Waiting:
    """A press that waits. Frozen: a panel shows it as it is."""

    address: str
    source: str
    beat: float  # of the boundary it waits for
    lands_ns: int  # when it is to be seen (time.monotonic_ns), as the clock says now
    is_sent: bool = False  # on its way: it can no longer be taken back


class Quantiser:
    """Holds presses while /vj/clock/quantise is not off. Any thread may call any method; none waits long.

    `tick` belongs to the conductor. One press per trigger waits: a second one changes nothing.
    """

    def __init__(self, controls: Controls, clock: Clock, read_latency: Callable[[], Latency]) -> None:
        self._controls = controls
        self._clock = clock
        self._read_latency = read_latency
        self._lock = threading.Lock()
        self._brings: Callable[[str], str] = lambda address: ""
        self._waiting: dict[str, Waiting] = {}
        self._pending: tuple[Waiting, ...] = ()

    def lead_by(self, brings: Callable[[str], str]) -> None:
        """`brings` names the trigger that a press will press in its turn, empty = none: it is sent as early as that."""
        self._brings = brings

    @property
    def pending(self) -> tuple[Waiting, ...]:
        """What waits, and what was sent and has not landed; soonest first. Never waits."""
        return self._pending

    def hold(self, press: Press, now_ns: int) -> bool:
        """Take a press that has to wait; False when it may pass at once."""
        beats = STEP_BEATS.get(str(self._controls.store.get(QUANTISE_ADDRESS)))
        if beats is None or not _waits(press):
            return False
        with self._lock:
            if press.address not in self._waiting:
                lands_ns = self._boundary(press.address, beats, now_ns)
                beat = round(self._clock.beat_at(lands_ns) / beats) * beats
                self._waiting[press.address] = Waiting(press.address, press.source, beat, lands_ns)
                self._publish()
        return True

    def cancel(self, address: str) -> bool:
        """Take a waiting press back; False when none waits or it is on its way already."""
        with self._lock:
            waiting = self._waiting.get(address)
            if waiting is None or waiting.is_sent:
                return False
            del self._waiting[address]
            self._publish()
        return True

    def tick(self, now_ns: int) -> None:
        """Send what is due."""
        if not self._waiting:
            return
        with self._lock:
            due = [press for address in list(self._waiting) if (press := self._advance(address, now_ns))]
            self._publish()
        for press in due:
            self._controls.fire(press)

    def _advance(self, address: str, now_ns: int) -> Press | None:
        """Move one waiting press on; return it when it is to be sent now."""
        waiting = self._waiting[address]
        if waiting.is_sent:
            if now_ns >= waiting.lands_ns:
                del self._waiting[address]
            return None
        waiting = replace(waiting, lands_ns=self._clock.time_of_beat(waiting.beat))
        latency, kind = self._read_latency(), self._kind(address)
        is_cut = _CUTS.fullmatch(kind) is not None
        left_s = (waiting.lands_ns - now_ns) / 1e9
        if is_cut and left_s < _needed_s(kind, latency):  # the generator has become slower, or the beat has moved
            waiting = self._put_off(waiting, now_ns)
            left_s = (waiting.lands_ns - now_ns) / 1e9
        is_due = left_s <= max(_lead_s(kind, latency, left_s), _early_s(address, latency))
        self._waiting[address] = replace(waiting, is_sent=is_due)
        return Press(address, waiting.source, waiting.lands_ns) if is_due else None

    def _put_off(self, waiting: Waiting, now_ns: int) -> Waiting:
        beats = STEP_BEATS.get(str(self._controls.store.get(QUANTISE_ADDRESS)), 1.0)
        lands_ns = self._boundary(waiting.address, beats, now_ns)
        return replace(waiting, beat=round(self._clock.beat_at(lands_ns) / beats) * beats, lands_ns=lands_ns)

    def _boundary(self, address: str, beats: float, now_ns: int) -> int:
        """The first boundary that can be met, or the first the old stream lasts until."""
        latency, kind = self._read_latency(), self._kind(address)
        soonest_ns = self._clock.next_boundary(beats, now_ns + int(_lead_s(kind, latency, 0.0) * 1e9))
        lead_s = _lead_s(kind, latency, (soonest_ns - now_ns) / 1e9)
        return self._clock.next_boundary(beats, now_ns + int(lead_s * 1e9))

    def _kind(self, address: str) -> str:
        return self._brings(address) or address

    def _publish(self) -> None:
        self._pending = tuple(sorted(self._waiting.values(), key=lambda waiting: waiting.lands_ns))


def _waits(press: Press) -> bool:
    if press.source.startswith(TIMELINE_SOURCE):
        return False
    return any(kind.fullmatch(press.address) for kind in (_CUTS, _BY_CHUNK, _AT_ONCE))


def _needed_s(address: str, latency: Latency) -> float:
    """Seconds within which a cut can no longer be had."""
    is_there = _DECKS.fullmatch(address) and latency.deck_s is not None
    return latency.deck_s if is_there else latency.cut_s * TIGHT_SHARE


def _early_s(address: str, latency: Latency) -> float:
    """Seconds ahead a press may go that the display can hold: what stalls here meanwhile delays nothing."""
    return HELD_S if _DECKS.fullmatch(address) and latency.deck_s is not None else 0.0


def _lead_s(address: str, latency: Latency, left_s: float) -> float:
    """Seconds ahead a press must be sent whose moment is `left_s` away."""
    if _DECKS.fullmatch(address) and latency.deck_s is not None:
        return latency.deck_s + SENT_AHEAD_S
    if _CUTS.fullmatch(address):
        return latency.lead_s(left_s) + SENT_AHEAD_S
    return latency.jump_s if _BY_CHUNK.fullmatch(address) else 0.0
