"""Control events become moves: range, curve, pickup, toggle.

Knows what the mappings say and the one door to the instrument; knows nothing of ports.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

from vj.controllers.events import ControlEvent
from vj.controllers.mapping import Binding, ControllerMapping, mappings_for
from vj.controls import Controls

PRESS_THRESHOLD = 0.5  # a control change that rises through it is a press
PICKUP_STEP = 1.0 / 127.0  # part of a control's travel that counts as "there", one step of a 7-bit fader


class Router:
    """Plays events through the active mappings. Any thread may call any method; none waits for another device."""

    def __init__(self, controls: Controls, mappings: Iterable[ControllerMapping] = ()) -> None:
        self._controls = controls
        self._mappings = tuple(mappings)
        self._lock = threading.Lock()  # guards the positions: ports have threads of their own
        self._positions: dict[tuple[str, str], float] = {}  # (device, control) -> last position
        self._last_event: ControlEvent | None = None

    @property
    def mappings(self) -> tuple[ControllerMapping, ...]:
        """The active mappings."""
        return self._mappings

    @property
    def last_event(self) -> ControlEvent | None:
        """The newest event of any device, mapped or not, for the status strip."""
        return self._last_event

    def use(self, mappings: Iterable[ControllerMapping]) -> None:
        """Replace the active mappings; the next event plays through them."""
        self._mappings = tuple(mappings)

    def listens_to(self, device: str) -> bool:
        """Whether any active mapping plays this port."""
        return bool(mappings_for(device, self._mappings))

    def handle(self, event: ControlEvent) -> None:
        """Play one event. Never raises for what a device sent."""
        self._last_event = event
        with self._lock:
            before = self._positions.get((event.device, event.control))
            self._positions[event.device, event.control] = event.value
        for mapping in mappings_for(event.device, self._mappings):
            for binding in mapping.controls.get(event.control, ()):
                self._play(binding, event, before)

    def _play(self, binding: Binding, event: ControlEvent, before: float | None) -> None:
        source = f"midi {event.device} {event.control}"
        if _follows_position(binding, event):
            if binding.takeover == "jump" or self._has_picked_up(binding, event, before, source):
                self._controls.set(binding.parameter.address, binding.value_at(event.value), source)
        elif _is_press(event, before):
            self._press(binding, event, source)
        elif _is_release(event, before) and binding.mode == "momentary":
            self._let_go(binding, source)

    def _press(self, binding: Binding, event: ControlEvent, source: str) -> None:
        address = binding.parameter.address
        if binding.is_command:
            self._controls.trigger(address, source)
        elif binding.value is not None:
            self._controls.set(address, binding.value, source)
        elif binding.parameter.kind == "switch":
            is_on = True if binding.mode == "momentary" else not self._controls.store.get(address)
            self._controls.set(address, is_on, source)
        else:
            self._controls.set(address, binding.value_at(event.value), source)

    def _let_go(self, binding: Binding, source: str) -> None:
        if binding.parameter.kind == "switch":
            self._controls.set(binding.parameter.address, False, source)
        elif binding.parameter.kind == "float":
            self._controls.set(binding.parameter.address, binding.travel.minimum, source)

    def _has_picked_up(self, binding: Binding, event: ControlEvent, before: float | None, source: str) -> bool:
        """Whether the control holds the value already, or has just reached or crossed it.

        Crossing, not equality: a fast fader skips values.
        """
        address = binding.parameter.address
        move = self._controls.store.moved_by(address)
        if move is not None and move.source == source:
            return True
        if binding.parameter.kind == "choice":
            return True  # a choice has no travel to jump over
        held = float(self._controls.store.get(address))
        reached = [event.value - PICKUP_STEP, event.value + PICKUP_STEP, *([] if before is None else [before])]
        values = [float(binding.value_at(min(1.0, max(0.0, position)))) for position in reached]
        return min(values) <= held <= max(values)


def _follows_position(binding: Binding, event: ControlEvent) -> bool:
    """Faders and knobs on anything that has positions; everything else is pressed."""
    is_fader = event.control.startswith("cc/") and binding.value is None
    return is_fader and binding.parameter.kind in ("float", "int", "choice")


def _is_press(event: ControlEvent, before: float | None) -> bool:
    if event.control.startswith("note/"):
        return event.value > 0.0
    return event.value >= PRESS_THRESHOLD and (before is None or before < PRESS_THRESHOLD)


def _is_release(event: ControlEvent, before: float | None) -> bool:
    if event.control.startswith("note/"):
        return event.value <= 0.0
    return event.value < PRESS_THRESHOLD and before is not None and before >= PRESS_THRESHOLD
