"""What a control is, told by the way it moves: knob, 14-bit fader, endless encoder, button.

Feeds the learning of mappings. Pure bookkeeping of events; knows nothing of files or parameters.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from vj.controllers.bindings import Encoding
from vj.controllers.events import AUDIO, CONTINUOUS, ControlEvent

TRAVEL_STEPS = 4  # of 127; less is the noise of a worn fader
PAIR_NS = 5_000_000
_NRPN_PARTS = frozenset({6, 38, 96, 97, 98, 99, 100, 101})
_HIGH, _LOW = 1.0, 0.0
MOST_CLICKS = 8  # an encoder turned by a hand that wants to be recognised
_MEMORY = 64  # messages of one control


@dataclass(frozen=True)
class Gesture:
    """The control that was moved, and how it speaks."""

    device: str
    control: str
    is_press: bool  # a button, pad or key, not a position
    relative: Encoding | None = None


@dataclass
class _Track:
    """The messages of one control so far."""

    numbers: list[int] = field(default_factory=list)  # 0..127 each
    times_ns: list[int] = field(default_factory=list)

    def add(self, event: ControlEvent) -> None:
        self.numbers.append(round(event.value * 127.0))
        self.times_ns.append(event.time_ns)
        del self.numbers[:-_MEMORY], self.times_ns[:-_MEMORY]


class GestureReader:
    """Hears events until one control has clearly moved. One thread at a time."""

    def __init__(self) -> None:
        self._tracks: dict[tuple[str, str], _Track] = {}

    def hear(self, event: ControlEvent) -> Gesture | None:
        """Take one event; return what it shows by now, None while that is noise, a release or half a gesture."""
        if event.device == AUDIO or (event.value <= _LOW and event.kind not in CONTINUOUS):
            return None
        if event.kind not in CONTINUOUS:
            return Gesture(event.device, event.control, is_press=True)
        if event.clicks:
            return Gesture(event.device, event.control, is_press=False)
        track = self._tracks.setdefault((event.device, event.control), _Track())
        track.add(event)
        if event.kind == "cc":
            return self._control_change(event, track)
        if event.kind == "cc14" and not self._is_pair(event):
            return None
        return self._position(event, track)

    def _control_change(self, event: ControlEvent, track: _Track) -> Gesture | None:
        channel, number = (int(word) for word in event.control.split("/")[1:])
        if number in _NRPN_PARTS and self._heard(event.device, f"nrpn/{channel}/"):
            return None
        wide = f"cc14/{channel}/{number % 32}"
        if number < 64 and self._is_pair(ControlEvent(event.device, wide, 0.0, event.time_ns)):
            return None
        relative = encoding_of(track.numbers)
        if relative:
            return Gesture(event.device, event.control, is_press=False, relative=relative)
        if set(track.numbers) <= {0, 127} and track.numbers[-1] == 127:
            return Gesture(event.device, event.control, is_press=True)
        return self._position(event, track)

    def _position(self, event: ControlEvent, track: _Track) -> Gesture | None:
        if max(track.numbers) - min(track.numbers) < TRAVEL_STEPS or len(track.numbers) < 3:
            return None
        return Gesture(event.device, event.control, is_press=False)

    def _is_pair(self, event: ControlEvent) -> bool:
        """Whether coarse and fine half of a 14-bit control came together every time, three times at least.

        Both seen is not enough: on many controllers the numbers 32 higher are other knobs and buttons.
        """
        channel, number = (int(word) for word in event.control.split("/")[1:])
        halves = [self._tracks.get((event.device, f"cc/{channel}/{n}")) for n in (number, number + 32)]
        coarse, fine = (half.times_ns if half else [] for half in halves)
        pairs = min(len(coarse), len(fine))
        if pairs < 3 or abs(len(coarse) - len(fine)) > 1:
            return False
        return all(_has_near(time_ns, fine) for time_ns in coarse[-pairs:][:-1])

    def _heard(self, device: str, start: str) -> bool:
        return any(key[0] == device and key[1].startswith(start) for key in self._tracks)


def encoding_of(numbers: list[int]) -> Encoding | None:
    """Recognise an endless encoder: the same few clicks again and again, which a knob with positions never sends.

    Sign and magnitude is told from two's complement by its way down; turned up both look the same.
    """
    if sum(one == following for one, following in zip(numbers, numbers[1:], strict=False)) < 2:
        return None
    if all(0 < abs(number - 64) <= MOST_CLICKS for number in numbers):
        return "offset"
    if all(0 < number <= MOST_CLICKS or 64 < number <= 64 + MOST_CLICKS for number in numbers):
        return "sign_magnitude" if max(numbers) > 64 else "twos_complement"
    if all(0 < number <= MOST_CLICKS or number >= 128 - MOST_CLICKS for number in numbers):
        return None if set(numbers) == {127} else "twos_complement"
    return None


def _has_near(time_ns: int, times_ns: list[int]) -> bool:
    return any(abs(time_ns - other) <= PAIR_NS for other in times_ns)
