"""Control events become moves: range, curve, takeover, clicks, presses.

Knows what the mappings say and the one door to the instrument; knows nothing of ports.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from engine.parameter import Value
from vj.controllers.bindings import RANGED_KINDS, Binding, ControllerMapping, clicks_of, controls_for, mappings_for
from vj.controllers.events import CONTINUOUS, OSC, OWN_DEVICES, ControlEvent
from vj.controllers.takeover import TOUCH, Ghost, has_reached, scaled
from vj.controls import Controls

PRESS_THRESHOLD = 0.5  # a control change that rises through it is a press
_ON_REQUEST = "cc14/"  # read beside the plain control at every message; only news where a mapping plays it
Tap = Callable[[ControlEvent], bool]  # True = the event is used up


@dataclass(frozen=True)
class Played:
    """What the newest event did, for the status strip."""

    event: ControlEvent
    addresses: tuple[str, ...]  # empty: no mapping plays this control
    is_waiting: bool  # a control on its way to its value


@dataclass(frozen=True)
class Touch:
    """Where a control is, and since when."""

    position: float
    time_ns: int
    is_sure: bool = True  # False: its device was away, it may have been moved since


@dataclass(frozen=True)
class _Active:
    """The mappings in use, and what each device plays of them, found out at its first event."""

    mappings: tuple[ControllerMapping, ...]
    tables: dict[str, Mapping[str, tuple[Binding, ...]]] = field(default_factory=dict)

    def table(self, device: str) -> Mapping[str, tuple[Binding, ...]]:
        if device not in self.tables:
            self.tables[device] = controls_for(device, self.mappings)
        return self.tables[device]


class Router:
    """Plays events through the active mappings. Any thread may call any method; none waits for another device."""

    def __init__(self, controls: Controls, mappings: Iterable[ControllerMapping] = ()) -> None:
        self._controls = controls
        self._active = _Active(tuple(mappings))
        self._lock = threading.Lock()  # guards the touches: ports have threads of their own
        self._touches: dict[tuple[str, str], Touch] = {}  # (device, control)
        self._turned: dict[tuple[str, str, str], float] = {}  # (device, control, address) -> exact position
        self._lost: set[tuple[str, str, str]] = set()  # moved elsewhere while their device was away
        self._devices: frozenset[str] = frozenset()
        self._last: Played | None = None
        self._tap: Tap | None = None

    @property
    def mappings(self) -> tuple[ControllerMapping, ...]:
        """The active mappings, in order: of two lines for the same control of a device the later one holds."""
        return self._active.mappings

    @property
    def last_event(self) -> ControlEvent | None:
        """The newest event of any device, mapped or not, for the status strip."""
        return self._last.event if self._last else None

    @property
    def last_played(self) -> Played | None:
        """The newest event and what it moved."""
        return self._last

    def use(self, mappings: Iterable[ControllerMapping]) -> None:
        """Replace the active mappings; the next event plays through them. Positions are remembered."""
        self._active = _Active(tuple(mappings))

    def intercept(self, tap: Tap | None) -> None:
        """Show every event to `tap` first, on the thread it came on; what it returns True for is not played."""
        self._tap = tap

    def listens_to(self, device: str) -> bool:
        """Whether any active mapping plays this device."""
        return bool(mappings_for(device, self._active.mappings))

    def bindings_of(self, device: str, control: str) -> tuple[Binding, ...]:
        """What a control plays now."""
        return self._active.table(device).get(control, ())

    def handle(self, event: ControlEvent) -> None:
        """Play one event. Never raises for what a device sent."""
        bindings = self.bindings_of(event.device, event.control)
        tap = self._tap
        is_taken = tap is not None and tap(event)
        if not bindings and event.control.startswith(_ON_REQUEST):
            return
        key = (event.device, event.control)
        with self._lock:
            before = self._touches.get(key)
            if event.device not in self._devices:
                self._devices |= {event.device}
            if not event.clicks:
                self._touches[key] = Touch(event.value, event.time_ns)
        if is_taken:
            return
        is_waiting = False
        for binding in bindings:
            is_waiting |= not self._play(binding, event, before)
        self._last = Played(event, tuple(binding.parameter.address for binding in bindings), is_waiting)

    def device_came(self, device: str) -> None:
        """Note that a device is back: its controls may have been moved while nobody listened."""
        with self._lock:
            for key, touch in list(self._touches.items()):
                if key[0] == device:
                    self._touches[key] = Touch(touch.position, touch.time_ns, is_sure=False)

    def place(self, device: str, control: str, position: float) -> None:
        """Note that a control was put somewhere by us: an encoder that counts from what its ring was sent."""
        with self._lock:
            before = self._touches.get((device, control))
            self._touches[device, control] = Touch(position, before.time_ns if before else 0)

    def touch(self, device: str, control: str) -> Touch | None:
        """Where a control was heard last; None before that."""
        return self._touches.get((device, control))

    @property
    def devices(self) -> frozenset[str]:
        """The devices that were heard so far."""
        return self._devices

    def ghosts(self) -> Mapping[str, Ghost]:
        """Where controls wait to be taken up, by address; of several on one parameter the one moved last.

        Worked out anew at each call from what the parameters hold now: a look that moved a value shows at once.
        """
        with self._lock:
            touches = sorted(self._touches.items(), key=lambda item: item[1].time_ns)
        found: dict[str, Ghost] = {}
        for (device, control), touch in touches:
            for binding in self.bindings_of(device, control):
                ghost = self._ghost(binding, device, control, touch)
                if ghost:
                    found[binding.parameter.address] = ghost
        return found

    def _ghost(self, binding: Binding, device: str, control: str, touch: Touch) -> Ghost | None:
        if not _has_takeover(binding, control):  # a command holds no value to wait for
            return None
        address, value = binding.parameter.address, self._held(binding)
        if binding.value_at(touch.position) == value:
            return None
        is_lost = (device, control, address) in self._lost
        if touch.is_sure and not is_lost and self._is_ours(address, source_of(device, control)):
            return None
        if abs(touch.position - binding.position_of(value)) <= TOUCH:
            return None
        waits_at = _share(binding, binding.value_at(touch.position))
        return Ghost(waits_at, 1 if waits_at < _share(binding, value) else -1, device, control)

    def _play(self, binding: Binding, event: ControlEvent, before: Touch | None) -> bool:
        """Return False when the control has yet to pick its parameter up."""
        source = source_of(event.device, event.control)
        if binding.relative or event.clicks:
            clicks = event.clicks if binding.relative is None else clicks_of(binding.relative, event.value)
            self._turn(binding, clicks, event, source)
        elif _follows_position(binding, event.control):
            return self._follow(binding, event, before, source)
        elif _is_press(event, before):
            self._press(binding, event, source)
        elif _is_release(event, before) and binding.mode == "momentary":
            self._let_go(binding, source)
        return True

    def _follow(self, binding: Binding, event: ControlEvent, before: Touch | None, source: str) -> bool:
        address = binding.parameter.address
        key = (event.device, event.control, address)
        if binding.takeover == "jump" or not _has_takeover(binding, event.control):
            self._controls.set(address, binding.value_at(event.value), source)
            return True
        is_known = before is not None and (before.is_sure or abs(before.position - event.value) <= TOUCH)
        came_from = before.position if before is not None and is_known else None
        value = self._held(binding)
        target = binding.position_of(value)
        if binding.takeover == "scale":
            # turned on from the exact position: rounding to whole numbers would hold the value where it is
            target = self._exact(binding, event, target)
            position = scaled(target, came_from, event.value) if came_from is not None else target
            self._turned[key] = position
            if came_from is not None:
                self._controls.set(address, binding.value_at(position), source)
            return abs(position - event.value) <= TOUCH
        if before is not None and not is_known:
            self._lost.add(key)
        is_held = is_known and key not in self._lost and self._is_ours(address, source)
        if is_held or binding.value_at(event.value) == value or has_reached(target, came_from, event.value):
            self._lost.discard(key)
            self._controls.set(address, binding.value_at(event.value), source)
            return True
        return False

    def _turn(self, binding: Binding, clicks: int, event: ControlEvent, source: str) -> None:
        address, is_up = binding.parameter.address, (clicks > 0) != binding.is_inverted
        if binding.is_command or binding.value is not None:
            if is_up:
                self._press(binding, event, source)
        elif binding.parameter.kind == "switch":
            self._controls.set(address, is_up, source)
        else:
            start = self._exact(binding, event, binding.position_of(self._held(binding)))
            position = min(1.0, max(0.0, start + clicks * binding.step_size))
            self._turned[event.device, event.control, address] = position
            self._controls.set(address, binding.value_at(position), source)

    def _exact(self, binding: Binding, event: ControlEvent, position: float) -> float:
        """Where turning left off, while nobody else has moved the value: small steps add up to a whole number."""
        exact = self._turned.get((event.device, event.control, binding.parameter.address), position)
        return exact if binding.value_at(exact) == self._held(binding) else position

    def _press(self, binding: Binding, event: ControlEvent, source: str) -> None:
        address = binding.parameter.address
        if binding.is_command:
            self._controls.trigger(address, source)
        elif binding.value is not None:
            self._controls.set(address, binding.value, source)
        elif binding.mode == "cycle":
            self._controls.set(address, _next(binding, self._held(binding)), source)
        elif binding.parameter.kind == "switch":
            is_on = True if binding.mode == "momentary" else not self._held(binding)
            self._controls.set(address, is_on, source)
        else:
            self._controls.set(address, binding.value_at(event.value), source)

    def _let_go(self, binding: Binding, source: str) -> None:
        if binding.parameter.kind == "switch":
            self._controls.set(binding.parameter.address, False, source)
        elif binding.parameter.kind == "float":
            self._controls.set(binding.parameter.address, binding.value_at(0.0), source)

    def _held(self, binding: Binding) -> Value:
        return self._controls.store.get(binding.parameter.address)

    def _is_ours(self, address: str, source: str) -> bool:
        move = self._controls.moved_by(address)
        return move is not None and move.source == source


def source_of(device: str, control: str) -> str:
    """Name a control as the mover of a value."""
    return control if device in OWN_DEVICES else f"midi {device} {control}"


def _share(binding: Binding, value: Value) -> float:
    """Where a value stands on its parameter's own slider, 0..1."""
    parameter = binding.parameter
    if parameter.kind == "int" and parameter.minimum is not None and parameter.maximum is not None:
        return (float(value) - parameter.minimum) / (parameter.maximum - parameter.minimum)
    return parameter.to_normalised(float(value))


def _next(binding: Binding, value: Value) -> Value:
    """What follows a value, the first one after the last: choices, whole numbers, steps of a fader; on after off."""
    if binding.parameter.kind == "choice":
        choices = binding.parameter.choices
        return choices[(choices.index(str(value)) + (-1 if binding.is_inverted else 1)) % len(choices)]
    if binding.parameter.kind not in RANGED_KINDS:
        return not value
    position = binding.position_of(value)
    return binding.value_at(0.0 if position > 1.0 - binding.step_size / 2 else min(1.0, position + binding.step_size))


def _follows_position(binding: Binding, control: str) -> bool:
    """Faders and knobs on anything that has positions; everything else is pressed."""
    is_fader = control.partition("/")[0] in CONTINUOUS and binding.value is None and binding.mode == "toggle"
    return is_fader and binding.parameter.kind in ("float", "int", "choice")


def _has_takeover(binding: Binding, control: str) -> bool:
    """Whether a control may have to wait: a choice has no travel to jump over, a bend springs back."""
    is_fader = _follows_position(binding, control) and binding.parameter.kind in RANGED_KINDS
    return is_fader and binding.takeover != "jump" and not binding.relative and not control.startswith("bend/")


def _is_press(event: ControlEvent, before: Touch | None) -> bool:
    if event.kind == OSC:  # many senders never send the 0 in between
        return event.value >= PRESS_THRESHOLD
    if event.kind not in CONTINUOUS:
        return event.value > 0.0
    return event.value >= PRESS_THRESHOLD and (before is None or before.position < PRESS_THRESHOLD)


def _is_release(event: ControlEvent, before: Touch | None) -> bool:
    if event.kind not in CONTINUOUS:
        return event.value <= 0.0
    return event.value < PRESS_THRESHOLD and before is not None and before.position >= PRESS_THRESHOLD
