"""Renderer: from a frame reader and a snapshot of output parameters to pixels on the current framebuffer.

Owns its GL objects; needs a current context for every call. Knows nothing of Qt, the store or the engine process.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from OpenGL import GL

from vj.effects.params import DISSOLVE
from vj.output.composition import Framing
from vj.output.compositor import Compositor, Finish
from vj.output.continuity import Layer, Scene
from vj.output.delay import DelayLine
from vj.output.effect_chain import EffectChain
from vj.output.effect_library import EffectLibrary
from vj.output.effects import Rectangle, colour_matrix, colour_offset, without_colours
from vj.output.frame_pair import FramePair
from vj.output.frame_reader import Picture
from vj.output.gl_objects import Program, Surface, SurfaceShelf
from vj.output.params import OutputParams
from vj.output.placing import Crop, Size, crop_of, needs_canvas, place
from vj.output.presenter import Card, Presenter, draw_triangle
from vj.output.stretching import Scaling, Stretcher, Target
from vj.output.tap import OutputTap

IDLE_HEIGHT = 108  # rows of the shader picture: soft anyway, and a software rasteriser draws it in 6 ms
IDLE_PERIOD_NS = 30_000_000  # it moves slowly, and the engine that loads meanwhile needs the cores
STREAM_FADE_S = 1.0  # from the shader picture to the first stream
GRAIN = 1.0 / 255.0  # one 8-bit step, half up and half down: gradients show no bands
TAPPED_GRAIN = GRAIN * 0.9999  # llvmpipe draws upside down what it drew onto a window before with the same uniforms
SECOND_NS = 1_000_000_000
FLASH_NS = 60_000_000  # from every whole second of time.monotonic_ns on: where the click is heard too
NS = 1e-9


class Scenes(Protocol):
    """Whoever decides what is to be drawn: `vj.output.continuity.Continuity`."""

    def scene_at(self, now_ns: int, params: OutputParams) -> Scene:
        """Move on to `now_ns` and say what to draw."""
        ...


class _Fader:
    """A level that takes its time. Owned by the thread that draws."""

    def __init__(self) -> None:
        self._level: float | None = None
        self._now_ns = 0

    def level_at(self, now_ns: int, wanted: float, fade_s: float) -> float:
        """Move towards `wanted`, 0 to 1 in `fade_s` seconds, and return where it is now."""
        step = 1.0 if fade_s <= 0.0 or self._level is None else (now_ns - self._now_ns) * NS / fade_s
        held = wanted if self._level is None else self._level
        self._level = min(max(wanted, held - step), held + step)
        self._now_ns = now_ns
        return self._level


class Renderer:
    """Draws the output once per display refresh. Belongs to the thread of its GL context."""

    def __init__(
        self, scenes: Scenes, *, is_es: bool = False, draw_card: Card | None = None, tap: OutputTap | None = None
    ) -> None:
        """Compile the shaders in the current context; `tap` reads back what is drawn. Raises ShaderError."""
        name = GL.glGetString(GL.GL_RENDERER)
        self.gl_name = name.decode(errors="replace") if name else "unknown"  # the card, or a software rasteriser
        self._scenes = scenes
        self._fader = _Fader()
        self._delay = DelayLine()
        self._tap = tap
        self.presenter = Presenter(is_es=is_es, grain=GRAIN, draw_card=draw_card)
        self._compositor = Compositor(is_es=is_es)
        self.effects = EffectLibrary(is_es=is_es)  # somebody has to look for them
        self._chain = EffectChain(self.effects)
        self._has_effects = False
        self._blend = Program("blend", is_es=is_es)
        self._stretcher = Stretcher(is_es=is_es)
        self._idle = Program("idle", is_es=is_es)
        self._vertices = int(GL.glGenVertexArrays(1))  # empty, but a core profile draws nothing without one
        self._pairs = (FramePair(), FramePair())  # of the picture, and of the one that fades out
        self._surfaces = SurfaceShelf()
        self._began_ns: int | None = None
        self._idle_drawn_ns: int | None = None
        self._streaming_since_ns: int | None = None

    def draw(self, params: OutputParams, now_ns: int, target: Size, framebuffer: int = 0) -> None:
        """Draw what is due at `now_ns` (time.monotonic_ns) over the whole target (width, height in pixels)."""
        level = self._fader.level_at(now_ns, params.level, params.fade)
        played_ns, params = self._delay.at(now_ns, params)
        scene = self._scenes.scene_at(played_ns, params)
        is_flash = params.flash_test and played_ns % SECOND_NS < FLASH_NS and not params.blackout
        self._begin(framebuffer, target, white=is_flash)
        self._stream_share(scene, now_ns)  # the fade goes on unseen
        self._has_effects = self._chain.choose(params.effects, now_ns, is_frozen=params.freeze)
        is_tapped = self._tap is not None and self._tap.look()
        if params.blackout or is_flash or level <= 0.0:
            # the cleared target is exactly what is wanted; playback went on above
            if is_tapped:
                self._begin_canvas(params, target, white=is_flash)
        elif params.test_card:
            self.presenter.show_card(params, target, framebuffer, level)
            if is_tapped:
                self.presenter.lay_card(self._begin_canvas(params, target), level)
        elif needs_canvas(params):
            canvas = self._begin_canvas(params, target)
            # the grain is for the display alone
            size = (canvas.width, canvas.height)
            enlargement = self._draw_whole(scene, params, Target(canvas.framebuffer, size, 0.0), level, now_ns)
            self.presenter.show(params, target, framebuffer, enlargement)
        elif is_tapped:
            drawn = self._tap.surface(target)
            self._begin(drawn.framebuffer, target)
            self._draw_whole(scene, params, Target(drawn.framebuffer, target, TAPPED_GRAIN), level, now_ns)
            self._tap.take(drawn, now_ns, shown_on=framebuffer)
            return
        else:
            self._draw_whole(scene, params, Target(framebuffer, target, GRAIN), level, now_ns)
        if is_tapped:
            self._tap.take(self.presenter.canvas(params, target), now_ns)

    def _begin_canvas(self, params: OutputParams, target: Size, *, white: bool = False) -> Surface:
        canvas = self.presenter.canvas(params, target)
        self._begin(canvas.framebuffer, (canvas.width, canvas.height), white=white)
        return canvas

    def _draw_whole(self, scene: Scene, params: OutputParams, target: Target, level: float, now_ns: int) -> float:
        """Draw everything that is to be seen; effects act on all of it, and the level on what they make."""
        if not self._has_effects:
            return self._draw_layers(scene, params, target, level, now_ns)
        canvas = self._chain.canvas(target.size)
        self._begin(canvas.framebuffer, target.size)
        whole = Target(canvas.framebuffer, target.size, 0.0)
        enlargement = self._draw_layers(scene, params, whole, 1.0, now_ns)
        self._chain.draw(Finish(target.framebuffer, target.size, level, target.grain))
        return enlargement

    def _draw_layers(self, scene: Scene, params: OutputParams, target: Target, level: float, now_ns: int) -> float:
        """Draw the picture and what lies under and over it; colours and level act on all of it."""
        if scene.composition is None:
            return self._draw_scene(scene, params, target, level, now_ns)
        picture = self._compositor.picture(target.size)
        self._begin(picture.framebuffer, target.size)
        alone = Target(picture.framebuffer, target.size, 0.0)
        enlargement = self._draw_scene(scene, without_colours(params), alone, 1.0, now_ns)
        if scene.layers:
            height, width, _ = scene.layers[-1].picture.first.pixels.shape
            framing = Framing.of((width, height), params, target.size)
        else:
            framing = Framing.whole(target.size, params.zoom)
        colours = (colour_matrix(params), colour_offset(params))
        finish = Finish(target.framebuffer, target.size, level, target.grain, *colours)
        self._compositor.compose(scene.composition, framing, finish)
        return enlargement

    def _draw_scene(self, scene: Scene, params: OutputParams, target: Target, level: float, now_ns: int) -> float:
        """Draw the picture, or one over another; return how far it was enlarged: pixels drawn for each of the frame."""
        share = self._stream_share(scene, now_ns)
        is_fading = 0.0 < share < 1.0 or len(scene.layers) > 1
        mode = params.crossfade if scene.is_take and share >= 1.0 else DISSOLVE
        if is_fading and self._chain.has_fade(mode):
            return self._draw_fade(scene, params, target, level, now_ns, mode)
        return self._draw_sum(scene, params, target, level, now_ns)

    def _draw_fade(
        self, scene: Scene, params: OutputParams, target: Target, level: float, now_ns: int, mode: str
    ) -> float:
        """Bring the newest picture over what was there before, each drawn whole on a side of its own."""
        share, newest = self._stream_share(scene, now_ns), scene.layers[-1]
        sides = tuple(self._chain.side(number, target.size) for number in (0, 1))
        before, after = (Target(side.framebuffer, target.size, 0.0) for side in sides)
        for side in (before, after):
            self._begin(side.framebuffer, side.size)
        if share < 1.0:
            self._stretch_idle(params, before, 1.0, now_ns)
        else:
            self._stretch_layer(scene.layers[0], len(scene.layers) - 1, params, before, 1.0)
        enlargement = self._stretch_layer(newest, 0, params, after, 1.0)
        progress = share if share < 1.0 else newest.share
        self._chain.fade(mode, sides, progress, Finish(target.framebuffer, target.size, level, target.grain))
        return enlargement

    def _draw_sum(self, scene: Scene, params: OutputParams, target: Target, level: float, now_ns: int) -> float:
        """Draw what is alone, or the sum of what there is while no crossfade has been compiled yet."""
        stream_share, enlargement = self._stream_share(scene, now_ns), 1.0
        if stream_share < 1.0:
            self._stretch_idle(params, target, level * (1.0 - stream_share), now_ns)
        for number, layer in enumerate(reversed(scene.layers)):  # the picture first, what fades out on top
            is_added = stream_share < 1.0 or number > 0
            brightness = level * stream_share * layer.share
            enlargement = self._stretch_layer(layer, number, params, target, brightness, is_added=is_added)
        return enlargement

    def _stretch_idle(self, params: OutputParams, target: Target, brightness: float, now_ns: int) -> None:
        source = self._draw_idle(now_ns, target.size)
        whole = Crop(0.0, 0.0, source.width, source.height)
        scaling = Scaling("wide idle", whole, Rectangle(0, 0, *target.size), target.size, params)
        self._stretcher.stretch(source, scaling, target, brightness)

    def _stretch_layer(
        self,
        layer: Layer,
        number: int,
        params: OutputParams,
        target: Target,
        brightness: float,
        *,
        is_added: bool = False,
    ) -> float:
        """Draw one picture, on top of what is there if it is added; return how far it was enlarged."""
        source = self._draw_picture(layer.picture, number)
        enlarging = params if layer.zoom == 1.0 else replace(params, zoom=params.zoom * layer.zoom)
        crop = crop_of(params, (source.width, source.height))
        lying = place((crop.width, crop.height), target.size, params.fit)
        scaling = Scaling(f"wide {number}", crop, lying, target.size, enlarging)
        self._stretcher.stretch(source, scaling, target, brightness, is_added=is_added)
        return lying.height * enlarging.zoom / crop.height

    def release(self) -> None:
        """Free every GL object."""
        if self._tap is not None:
            self._tap.release()
        self.presenter.release()
        self._compositor.release()
        self._stretcher.release()
        self._chain.release()
        self.effects.release()
        for program in (self._blend, self._idle):
            program.delete()
        for pair in self._pairs:
            pair.delete()
        self._surfaces.clear()
        GL.glDeleteVertexArrays(1, [self._vertices])

    def _begin(self, framebuffer: int, target: Size, *, white: bool = False) -> None:
        GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, framebuffer)
        GL.glViewport(0, 0, *target)
        GL.glDisable(GL.GL_BLEND)
        GL.glDisable(GL.GL_DITHER)
        GL.glClearColor(*([1.0] * 3 if white else [0.0] * 3), 1.0)
        GL.glClear(GL.GL_COLOR_BUFFER_BIT)
        GL.glBindVertexArray(self._vertices)

    def _stream_share(self, scene: Scene, now_ns: int) -> float:
        """How far the fade from the shader picture to the stream has come, 0..1."""
        if not scene.layers:
            return 0.0
        if self._streaming_since_ns is None:
            self._streaming_since_ns = now_ns
        return min(1.0, (now_ns - self._streaming_since_ns) * NS / STREAM_FADE_S)

    def _draw_idle(self, now_ns: int, target: Size) -> Surface:
        if self._began_ns is None:
            self._began_ns = now_ns
        width = max(1, round(IDLE_HEIGHT * target[0] / target[1]))
        held = self._surfaces.get("idle")
        is_fresh = self._idle_drawn_ns is not None and now_ns - self._idle_drawn_ns < IDLE_PERIOD_NS
        if held is not None and held.width == width and is_fresh:
            return held
        surface = self._surfaces.sized("idle", width, IDLE_HEIGHT, bits=10)
        self._idle_drawn_ns = now_ns
        surface.draw_into()
        self._idle.use()
        self._idle.set_float("size", float(width), float(IDLE_HEIGHT))
        self._idle.set_float("time", (now_ns - self._began_ns) * NS)
        draw_triangle()
        return surface

    def _draw_picture(self, picture: Picture, number: int) -> Surface:
        first, second = self._pairs[number].surfaces(picture)
        surface = self._surfaces.sized(f"blend {number}", first.width, first.height, bits=10)
        surface.draw_into()
        first.bind(0)
        second.bind(1)
        self._blend.use()
        self._blend.set_int("first", 0)
        self._blend.set_int("second", 1)
        self._blend.set_float("share", picture.share)
        draw_triangle()
        return surface
