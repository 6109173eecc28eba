"""MIDI messages of one device become control events: plain ones, 14-bit pairs, NRPN.

Reads the bytes itself: at 10,000 messages a second a message object for each would cost more than playing it.
Knows nothing of ports or of what a control means.
"""

from __future__ import annotations

from collections.abc import Sequence

from vj.controllers.events import ControlEvent

FULL_SCALE = 127.0
WIDE_FULL_SCALE = 16383.0
BEND_CENTRE = 8192
PAIR_NS = 5_000_000  # two halves of one movement are never further apart
SILENCE_NS = 50_000_000  # after this long the next half begins a new movement
DATA_COARSE, DATA_FINE, INCREMENT, DECREMENT = 6, 38, 96, 97
NRPN_FINE, NRPN_COARSE, RPN_FINE, RPN_COARSE = 98, 99, 100, 101
NO_NUMBER = (127, 127)  # "RPN null": nothing is selected
_COARSE_NUMBERS = range(0, 32)
_FINE_NUMBERS = range(32, 64)
_LENGTHS = {0x8: 3, 0x9: 3, 0xA: 3, 0xB: 3, 0xC: 2, 0xD: 2, 0xE: 3}


class MidiDecoder:
    """Belongs to one port; called by one thread at a time."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._wide: dict[str, WideValue] = {}  # by name: cc14/1/7, nrpn/1/1234
        self._selected: dict[int, list[int]] = {}  # channel -> [coarse, fine] of its NRPN, -1 = not sent yet

    def read(self, message: Sequence[int], time_ns: int) -> list[ControlEvent]:
        """Return the events of one whole message: the plain one first, then what it completes.

        Empty for system messages and for bytes that are no message.
        """
        if not message or _LENGTHS.get(message[0] >> 4) != len(message) or any(byte > 127 for byte in message[1:]):
            return []
        kind, channel, number = message[0] >> 4, (message[0] & 15) + 1, message[1]
        if kind == 0xB:
            return self._control_change(channel, number, message[2], time_ns)
        if kind == 0xE:
            bend = number | message[2] << 7
            # the centre is exactly the middle; the way up is one step shorter than the way down
            value = bend / (2 * BEND_CENTRE) if bend <= BEND_CENTRE else 0.5 + (bend - BEND_CENTRE) / (2.0 * 8191)
            return [self._event(f"bend/{channel}", value, time_ns)]
        if kind == 0xD:
            return [self._event(f"pressure/{channel}", number / FULL_SCALE, time_ns)]
        if kind == 0xC:
            return [self._event(f"program/{channel}/{number}", 1.0, time_ns)]
        if kind == 0xA:
            return [self._event(f"pressure/{channel}/{number}", message[2] / FULL_SCALE, time_ns)]
        velocity = message[2] if kind == 0x9 else 0
        return [self._event(f"note/{channel}/{number}", velocity / FULL_SCALE, time_ns)]

    def _control_change(self, channel: int, number: int, value: int, time_ns: int) -> list[ControlEvent]:
        events = [self._event(f"cc/{channel}/{number}", value / FULL_SCALE, time_ns)]
        if number in _COARSE_NUMBERS:
            events += self._wide_event(f"cc14/{channel}/{number}", value, True, time_ns)
        elif number in _FINE_NUMBERS:
            events += self._wide_event(f"cc14/{channel}/{number - 32}", value, False, time_ns)
        if number in (NRPN_COARSE, NRPN_FINE):
            self._selected.setdefault(channel, [-1, -1])[number == NRPN_FINE] = value
        elif number in (RPN_COARSE, RPN_FINE):
            self._selected.pop(channel, None)  # data that follows is of a registered parameter: volume bend and such
        elif number in (DATA_COARSE, DATA_FINE, INCREMENT, DECREMENT):
            events += self._nrpn(channel, number, value, time_ns)
        return events

    def _nrpn(self, channel: int, number: int, value: int, time_ns: int) -> list[ControlEvent]:
        coarse, fine = self._selected.get(channel, NO_NUMBER)
        if coarse < 0 or fine < 0 or (coarse, fine) == NO_NUMBER:
            return []
        name = f"nrpn/{channel}/{coarse << 7 | fine}"
        if number in (INCREMENT, DECREMENT):
            return [ControlEvent(self._device, name, 0.0, time_ns, 1 if number == INCREMENT else -1)]
        return self._wide_event(name, value, number == DATA_COARSE, time_ns)

    def _wide_event(self, name: str, half: int, is_coarse: bool, time_ns: int) -> list[ControlEvent]:
        wide = self._wide.get(name)
        if wide is None:
            wide = self._wide[name] = WideValue()
        value = wide.add(half, is_coarse, time_ns)
        return [] if value is None else [self._event(name, value, time_ns)]

    def _event(self, control: str, value: float, time_ns: int) -> ControlEvent:
        return ControlEvent(self._device, control, value, time_ns)


class WideValue:
    """Two 7-bit halves of one 14-bit value, in whichever order they come, also where one of them stays away.

    The order is seen at the beginning of each movement. A coarse half that comes first is filled up towards the value
    before, so that the value never overshoots on its way.
    """

    def __init__(self) -> None:
        self._coarse, self._fine = -1, -1  # -1 = never seen
        self._is_fine_first = False
        self._is_fine_waiting = False
        self._first_is_fine: bool | None = None  # which half began this movement; None once the order is known
        self._last_ns = -SILENCE_NS

    def add(self, half: int, is_coarse: bool, time_ns: int) -> float | None:
        """Take one half; return the value 0..1, or None while the other half is to be waited for."""
        self._see_order(is_coarse, time_ns)
        if is_coarse:
            return self._add_coarse(half)
        has_missed = self._is_fine_waiting  # a sender that leaves out coarse halves that have not changed
        self._fine, self._is_fine_waiting = half, self._is_fine_first
        if self._coarse < 0 or (self._is_fine_waiting and not has_missed):
            return None
        return self._value(half)

    def _add_coarse(self, half: int) -> float:
        before, self._coarse = self._coarse, half
        if self._fine < 0:
            return half / FULL_SCALE  # a sender of 7 bits so far
        if self._is_fine_waiting:
            self._is_fine_waiting = False
            return self._value(self._fine)
        fine = self._fine if half == before else 0 if half > before else 127
        return self._value(fine)

    def _value(self, fine: int) -> float:
        return (self._coarse << 7 | fine) / WIDE_FULL_SCALE

    def _see_order(self, is_coarse: bool, time_ns: int) -> None:
        gap_ns, self._last_ns = time_ns - self._last_ns, time_ns
        if gap_ns >= SILENCE_NS:
            self._first_is_fine = not is_coarse
            self._is_fine_waiting = False
        elif self._first_is_fine is not None and gap_ns <= PAIR_NS:
            if self._first_is_fine == is_coarse:  # the other half follows at once
                self._is_fine_first = self._first_is_fine
                if self._is_fine_first:
                    self._is_fine_waiting = True
            self._first_is_fine = None
