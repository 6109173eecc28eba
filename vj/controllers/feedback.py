"""Lights and rings of the controllers follow what the instrument holds: changes only, at a bounded rate.

Knows nothing of ports; sends through the open outputs.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from engine.parameter import Value
from vj.controllers.bindings import RANGED_KINDS, Binding, ControllerMapping, mappings_for
from vj.controllers.lights import RING_STEPS, Level, Light
from vj.controllers.midi_outputs import MidiOutputs
from vj.controllers.router import Router
from vj.controls import Controls

RATE_HZ = 30.0
BYTES_PER_TICK = 96  # of one device: just under what a MIDI cable carries
FLASH_NS = 200_000_000  # a trigger's light after each press
HAND_NS = 300_000_000  # a ring is not moved under the hand that turns it
SILENT = 0.005  # share of a fader's way that counts as nothing
BEAT_SHARE = 0.25  # part of a beat that a beat light is lit
BEATS_PER_BAR = 4
SETTLE_NS = 200_000_000  # a port that has just been opened loses what is sent too soon
AGAIN_NS = 2_000_000_000  # by now a controller has played its own lights after being plugged: all is sent once more

BeatAt = Callable[[int], float]  # time.monotonic_ns() -> beats; 0 mod 4 is the first of a bar


@dataclass
class _Desk:
    """One connected device and what it shows."""

    connection: int
    files: tuple[ControllerMapping, ...]
    lights: Mapping[str, Light]  # by output
    travels: Mapping[str, Binding]  # by control: a ring shows the travel of the control of its own name
    met_ns: int  # time.monotonic_ns()
    greetings: int = 0  # how often the start messages were sent
    sent: dict[str, tuple[bytes, int]] = field(default_factory=dict)  # output -> message, time.monotonic_ns()


class MidiFeedback:
    """Started and stopped by one thread, runs on one of its own."""

    def __init__(
        self, router: Router, controls: Controls, outputs: MidiOutputs, beat_at: BeatAt = lambda time_ns: 0.0
    ) -> None:
        self._router = router
        self._controls = controls
        self._outputs = outputs
        self._beat_at = beat_at
        self._desks: dict[str, _Desk] = {}  # by device
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="midi lights", daemon=True)

    def start(self) -> None:
        """Begin to show."""
        self._thread.start()

    def stop(self) -> None:
        """Put all lights out and leave the devices as they were; waits at most two seconds. Before the ports close."""
        self._is_stopping.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=2.0)

    def tick(self, now_ns: int) -> None:
        """Send what has changed, the oldest first. For the thread here, and for tests."""
        self._meet_devices(now_ns)
        values = self._controls.store.snapshot()
        for device, desk in self._desks.items():
            self._greet(device, desk, now_ns)
            if not desk.greetings:
                continue
            inputs = self._inputs(device)
            waiting = [
                (desk.sent[output][1] if output in desk.sent else 0, output, message)
                for output, message in self._due(desk, inputs, values, now_ns)
            ]
            budget = BYTES_PER_TICK
            for _, output, message in sorted(waiting):
                budget -= len(message)
                if budget < 0:
                    break
                desk.sent[output] = (message, now_ns)
                self._outputs.send_to(device, message)
                self._note_ring(inputs, desk.lights[output], message)

    def _due(
        self, desk: _Desk, inputs: set[str], values: Mapping[str, Value], now_ns: int
    ) -> Iterator[tuple[str, bytes]]:
        """Yield output and message of what does not show yet what it should."""
        for output, light in desk.lights.items():
            if light.style == "ring":
                level = _ring_level(light, desk.travels.get(output), values)
            else:
                level = self._level(light, values, now_ns)
            message = light.message(level)
            shown, sent_ns = desk.sent.get(output, (b"", 0))
            touched_ns = self._touched_ns(inputs, output)
            is_held = light.style == "ring" and now_ns - touched_ns < HAND_NS
            # many buttons light up by themselves when they are pressed: what they should show is sent again
            if (message != shown or sent_ns < touched_ns) and not is_held:
                yield output, message

    def _run(self) -> None:
        while not self._is_stopping.wait(1.0 / RATE_HZ):
            self.tick(time.monotonic_ns())
        for device, desk in self._desks.items():
            self._leave(device, desk)

    def _meet_devices(self, now_ns: int) -> None:
        connections = self._outputs.connections
        for device in [device for device in self._desks if device not in connections]:
            del self._desks[device]
        for device, connection in connections.items():
            files = mappings_for(device, self._router.mappings)
            overlays = [m for name in self._inputs(device) for m in mappings_for(name, self._router.mappings)]
            files = (*files, *(mapping for mapping in overlays if mapping.is_overlay and mapping not in files))
            desk = self._desks.get(device)
            if desk is not None and desk.connection == connection and desk.files == files:
                continue
            fresh = _Desk(connection, files, _lights_of(files), _travels_of(files), now_ns)
            if desk is not None and desk.connection == connection:
                self._change(device, desk, fresh)
            self._desks[device] = fresh

    def _change(self, device: str, desk: _Desk, fresh: _Desk) -> None:
        """Go on at a device whose files have changed: only the lights that nothing lights any more are put out."""
        if _start_of(desk.files) != _start_of(fresh.files):
            self._leave(device, desk)
            return
        for output in desk.lights.keys() - fresh.lights.keys():
            self._outputs.send_to(device, desk.lights[output].dark())
        fresh.met_ns, fresh.greetings = desk.met_ns, desk.greetings
        fresh.sent = {output: sent for output, sent in desk.sent.items() if output in fresh.lights}

    def _greet(self, device: str, desk: _Desk, now_ns: int) -> None:
        due_ns = (SETTLE_NS, AGAIN_NS)
        if desk.greetings < len(due_ns) and now_ns - desk.met_ns >= due_ns[desk.greetings]:
            desk.greetings += 1
            desk.sent.clear()
            for message in _start_of(desk.files):
                self._outputs.send_to(device, message)

    def _leave(self, device: str, desk: _Desk) -> None:
        for light in desk.lights.values():
            self._outputs.send_to(device, light.dark())
        for file in desk.files:
            for message in file.feedback.end:
                self._outputs.send_to(device, message)

    def _level(self, light: Light, values: Mapping[str, Value], now_ns: int) -> Level:
        if light.parameter is None:
            beat = self._beat_at(now_ns)
            if beat % 1.0 >= BEAT_SHARE:
                return light.off
            is_first = int(beat) % BEATS_PER_BAR == 0 or light.dim == light.off
            return light.on if is_first else light.dim
        if self._is_lit(light, values, now_ns):
            return light.on
        return light.dim if light.ready is not None and values[light.ready.address] else light.off

    def _is_lit(self, light: Light, values: Mapping[str, Value], now_ns: int) -> bool:
        assert light.parameter is not None
        if light.parameter.kind == "trigger":
            move = self._controls.moved_by(light.parameter.address)
            return move is not None and now_ns - move.time_ns < FLASH_NS
        value = values[light.parameter.address]
        if light.value is not None:
            return value == light.value
        if light.parameter.kind in RANGED_KINDS:
            return _share(light, value) > SILENT
        if light.parameter.kind == "choice":
            return value != light.parameter.choices[0]
        return bool(value)

    def _touched_ns(self, inputs: set[str], output: str) -> int:
        """When the control beside a light was moved last; the port it is heard on may have another name."""
        touches = (self._router.touch(name, output) for name in inputs)
        return max((touch.time_ns for touch in touches if touch), default=0)

    def _note_ring(self, inputs: set[str], light: Light, message: bytes) -> None:
        if light.style == "ring" and message[0] >> 4 == 0xB:
            for name in inputs:
                self._router.place(name, light.output, message[2] / RING_STEPS)

    def _inputs(self, device: str) -> set[str]:
        """The input ports that play the same files as an output."""
        files = [mapping for mapping in mappings_for(device, self._router.mappings) if mapping.feedback.lights]
        return {name for name in self._router.devices for mapping in files if mapping.names(name)} | {device}


def _start_of(files: Iterable[ControllerMapping]) -> list[bytes]:
    return [message for file in files for message in file.feedback.start]


def _lights_of(files: Iterable[ControllerMapping]) -> dict[str, Light]:
    """Collect the lights by output. Where an overlay gives a control something else to play its light shows that."""
    files = tuple(files)
    lights = {light.output: light for file in files for light in file.feedback.lights}
    for output, bindings in ((o, b) for file in files if file.is_overlay for o, b in file.controls.items()):
        if output not in lights:
            continue
        if not bindings:
            del lights[output]
            continue
        parameter, is_ranged = bindings[0].parameter, bindings[0].parameter.kind in RANGED_KINDS
        style = lights[output].style if is_ranged else "light"
        shown = {"parameter": parameter, "value": bindings[0].value, "ready": None, "style": style}
        lights[output] = dataclasses.replace(lights[output], **shown)
    return lights


def _travels_of(files: Iterable[ControllerMapping]) -> dict[str, Binding]:
    """Collect the first binding of each control, of the later file where several have one."""
    return {control: bindings[0] for file in files for control, bindings in file.controls.items() if bindings}


def _ring_level(light: Light, travel: Binding | None, values: Mapping[str, Value]) -> Level:
    assert light.parameter is not None
    value = values[light.parameter.address]
    is_own = travel is not None and travel.parameter.address == light.parameter.address
    return (round((travel.position_of(value) if travel and is_own else _share(light, value)) * RING_STEPS),)


def _share(light: Light, value: Value) -> float:
    """Where a value stands in its range, 0..1; with curve, as on its slider."""
    parameter = light.parameter
    assert parameter is not None and parameter.minimum is not None and parameter.maximum is not None
    if parameter.kind == "float":
        return parameter.to_normalised(float(value))
    return (float(value) - parameter.minimum) / (parameter.maximum - parameter.minimum)
