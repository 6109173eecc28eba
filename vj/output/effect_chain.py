"""Effect chain: from a finished picture through every effect that is on, onto the target. At work only while one is.

Owns its GL objects; needs a current context for every call. Knows nothing of scenes, Qt or the store.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from OpenGL import GL

from vj.effects.buffer_size import buffer_size
from vj.effects.chain import EffectUse
from vj.effects.flash_limit import Flash, Strobe
from vj.effects.isf_file import FADE_END, FADE_START, PICTURE, PROGRESS, EffectInput, EffectPass
from vj.output.compositor import Finish
from vj.output.effect_library import FADE_PREFIX, EffectLibrary, ReadyEffect
from vj.output.gl_objects import Program, Surface, SurfaceShelf
from vj.output.placing import Size

NS = 1e-9
STROBE = "strobe"  # its flashes are limited here: what it is given is what is emitted
LONGEST_GAP_NS = 500_000_000  # an effect that was off for so long begins without what it remembered
FLOAT_BITS, PLAIN_BITS, CHAIN_BITS = 16, 8, 10


@dataclass
class _Running:
    """One effect at work: what it remembers from refresh to refresh."""

    path: Path
    drawn_ns: int
    frames: int = 0
    fronts: dict[str, int] = field(default_factory=dict)  # which half of a persistent buffer was drawn last
    pressed: dict[str, bool] = field(default_factory=dict)  # of its events


@dataclass(frozen=True)
class _Given:
    """What one effect is drawn with at this refresh."""

    use: EffectUse
    ready: ReadyEffect
    running: _Running
    names: Mapping[str, float]  # of sizes and inputs, for the sizes of its buffers


class EffectChain:
    """Belongs to the thread of its GL context."""

    def __init__(self, library: EffectLibrary) -> None:
        self._library = library
        self._surfaces = SurfaceShelf()
        self._running: dict[str, _Running] = {}
        self._strobe = Strobe()
        self._flash = Flash()
        self._began_ns: int | None = None
        self._moment_ns = 0  # what the effects take for now: it stands while the picture is frozen
        self._is_frozen = False
        self._on: tuple[tuple[EffectUse, ReadyEffect], ...] = ()

    def choose(self, uses: tuple[EffectUse, ...], now_ns: int, *, is_frozen: bool = False) -> bool:
        """Take in what is to be on at this refresh, drawn or not; say whether there is anything to draw.

        While the picture is frozen time stands and nothing new is remembered; a hand on the effects still acts.
        """
        self._library.want(uses)
        self._library.sweep()
        found = ((use, self._library.find(use.name)) for use in uses)
        self._on = tuple((use, ready) for use, ready in found if ready is not None)
        self._is_frozen = is_frozen
        if not is_frozen:
            self._moment_ns = now_ns
            self._flash = self._flash_at(now_ns)
        return bool(self._on)

    def canvas(self, size: Size) -> Surface:
        """Return what the picture is drawn on for a target of this size (pixels)."""
        return self._surfaces.sized("picture", *size, bits=CHAIN_BITS, is_smooth=True)

    def draw(self, finish: Finish) -> None:
        """Send the canvas through everything that was chosen, onto the target."""
        source = self.canvas(finish.size)
        for number, (use, ready) in enumerate(self._on):
            if number == len(self._on) - 1:
                self._draw_effect(use, ready, source, finish)
                return
            into = self._surfaces.sized(f"chain {number % 2}", *finish.size, bits=CHAIN_BITS, is_smooth=True)
            self._draw_effect(use, ready, source, Finish(into.framebuffer, finish.size))
            source = into

    def has_fade(self, name: str) -> bool:
        """Whether a crossfade is ready to be drawn."""
        return self._library.find(f"{FADE_PREFIX}{name}") is not None

    def fade(self, name: str, pictures: tuple[Surface, ...], progress: float, finish: Finish) -> None:
        """Bring the second picture over the first (progress 0..1). `has_fade` must hold."""
        ready = self._library.find(f"{FADE_PREFIX}{name}")
        assert ready is not None, "the renderer has asked"
        program = ready.programs[-1]
        program.use()
        for unit, image in enumerate((FADE_START, FADE_END)):
            pictures[unit].bind(unit)
            program.set_int(image, unit)
        program.set_float(PROGRESS, progress)
        for held in ready.effect.inputs:
            _set_input(program, held, held.default)
        program.set_float("TIME", self._seconds())
        _draw_result(program, finish)

    def side(self, number: int, size: Size) -> Surface:
        """Return what picture 0 or 1 of a crossfade is drawn on."""
        return self._surfaces.sized(f"side {number}", *size, bits=CHAIN_BITS, is_smooth=True)

    def release(self) -> None:
        """Free every GL object but the library's."""
        self._surfaces.clear()

    # -- one effect ----------------------------------------------------------------------------------------------

    def _draw_effect(self, use: EffectUse, ready: ReadyEffect, source: Surface, finish: Finish) -> None:
        effect = ready.effect
        values = self._values(use, ready)
        sizes = {"WIDTH": float(finish.size[0]), "HEIGHT": float(finish.size[1])}
        names = sizes | {held.name: numbers[0] for held, numbers in zip(effect.inputs, values, strict=True)}
        given = _Given(use, ready, self._running_of(use, ready), names)
        values = [
            (_newly_pressed(given.running, held.name, numbers[0]),) if held.kind == "event" else numbers
            for held, numbers in zip(effect.inputs, values, strict=True)
        ]
        for one, program in zip(effect.passes, ready.programs, strict=True):
            if self._is_frozen and one.is_persistent:
                continue
            program.use()
            self._set_moment(given, program)
            for held, numbers in zip(effect.inputs, values, strict=True):
                _set_input(program, held, numbers)
            program.set_float("FLASH", self._flash.strength)
            program.set_float("vj_mix", 1.0 if use.name == STROBE else use.mix)
            self._bind(given, program, source)
            if one.target:
                self._draw_buffer(given, program, one)
            else:
                _draw_result(program, finish)
        if not self._is_frozen:
            given.running.frames += 1
            given.running.drawn_ns = self._moment_ns

    def _values(self, use: EffectUse, ready: ReadyEffect) -> list[tuple[float, ...]]:
        values, knob = [], 0
        for held in ready.effect.inputs:
            numbers = use.numbers(held, knob)
            if use.name == STROBE and held.name == "light":
                numbers = (self._flash.light,)
            values.append(numbers)
            knob += len(held.components)
        return values

    def _running_of(self, use: EffectUse, ready: ReadyEffect) -> _Running:
        """Return what an effect remembers: nothing when it was off, or is another file now."""
        running = self._running.get(use.name)
        is_other = running is None or running.path != ready.path
        if is_other or self._moment_ns - running.drawn_ns > LONGEST_GAP_NS:
            for one in _targets(ready):
                for half in (0, 1):
                    self._surfaces.delete(f"{use.name} {one.target} {half}")
            running = self._running[use.name] = _Running(ready.path, self._moment_ns)
        return running

    def _draw_buffer(self, given: _Given, program: Program, one: EffectPass) -> None:
        """Draw a pass that is kept: of a persistent buffer into the half that was not drawn last."""
        fronts = given.running.fronts
        half = 1 - fronts.get(one.target, 0) if one.is_persistent else 0
        surface = self._buffer(given, one, half)
        program.set_float("RENDERSIZE", float(surface.width), float(surface.height))
        surface.draw_into()
        GL.glDisable(GL.GL_BLEND)
        GL.glDrawArrays(GL.GL_TRIANGLES, 0, 3)
        if one.is_persistent:
            fronts[one.target] = half

    def _bind(self, given: _Given, program: Program, source: Surface) -> None:
        source.bind(0)
        program.set_int(PICTURE, 0)
        for unit, one in enumerate(_targets(given.ready), start=1):
            half = given.running.fronts.get(one.target, 0) if one.is_persistent else 0
            self._buffer(given, one, half).bind(unit)
            program.set_int(one.target, unit)

    def _buffer(self, given: _Given, one: EffectPass, half: int) -> Surface:
        size = (buffer_size(one.width, given.names), buffer_size(one.height, given.names))
        key = f"{given.use.name} {one.target} {half}"
        held = self._surfaces.get(key)
        surface = self._surfaces.sized(key, *size, bits=FLOAT_BITS if one.is_float else PLAIN_BITS, is_smooth=True)
        if surface is not held:  # a new one holds whatever the memory held before
            surface.draw_into()
            GL.glClearColor(0.0, 0.0, 0.0, 0.0)
            GL.glClear(GL.GL_COLOR_BUFFER_BIT)
        return surface

    # -- moments and flashes -------------------------------------------------------------------------------------

    def _seconds(self) -> float:
        if self._began_ns is None:
            self._began_ns = self._moment_ns
        return (self._moment_ns - self._began_ns) * NS

    def _set_moment(self, given: _Given, program: Program) -> None:
        running = given.running
        program.set_float("TIME", self._seconds())
        program.set_float("TIMEDELTA", (self._moment_ns - running.drawn_ns) * NS)
        program.set_int("FRAMEINDEX", running.frames)
        if "DATE" in given.ready.effect.body:
            now = datetime.datetime.now()
            midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
            seconds = (now - midnight).total_seconds()
            program.set_float("DATE", float(now.year), float(now.month), float(now.day), seconds)

    def _flash_at(self, now_ns: int) -> Flash:
        found = next(((use, ready) for use, ready in self._on if use.name == STROBE), None)
        if found is None:
            return self._strobe.flash_at(now_ns, 0.0)
        use, ready = found
        asked = {held.name: use.numbers(held, 0)[0] for held in ready.effect.inputs}
        is_limited = asked.get("limit", 1.0) >= 0.5
        rate_hz, share, light = (asked.get(name, 0.5) for name in ("rate", "share", "light"))
        return self._strobe.flash_at(now_ns, use.mix, rate_hz, share, light, is_limited=is_limited)


def _targets(ready: ReadyEffect) -> list[EffectPass]:
    """The buffers of an effect, each once."""
    return list({one.target: one for one in ready.effect.passes if one.target}.values())


def _newly_pressed(running: _Running, name: str, value: float) -> float:
    """1 at the refresh at which an event's control goes up, else 0."""
    was_down, running.pressed[name] = running.pressed.get(name, False), value >= 0.5
    return float(value >= 0.5 and not was_down)


def _set_input(program: Program, held: EffectInput, numbers: tuple[float, ...]) -> None:
    if held.kind == "color":
        program.set_float(held.name, *numbers, 1.0)
    elif held.kind == "long":
        program.set_int(held.name, held.numbers[round(numbers[0])])
    elif held.kind in ("bool", "event"):
        program.set_int(held.name, int(numbers[0] >= 0.5))
    else:
        program.set_float(held.name, *numbers)


def _draw_result(program: Program, finish: Finish) -> None:
    """Draw a last pass onto the target, with its level and grain."""
    program.set_float("vj_brightness", finish.brightness)
    program.set_float("vj_grain", finish.grain)
    program.set_float("RENDERSIZE", float(finish.size[0]), float(finish.size[1]))
    GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, finish.framebuffer)
    GL.glViewport(0, 0, *finish.size)
    GL.glDisable(GL.GL_BLEND)
    GL.glDrawArrays(GL.GL_TRIANGLES, 0, 3)
