"""Compositor: inputs as layers under and over a finished picture, onto the target. At work only while there are any.

Owns its GL objects; needs a current context for every call. Knows nothing of files, scenes or Qt.
"""

from __future__ import annotations

import ctypes
import math
from dataclasses import dataclass

from OpenGL import GL

from engine.video_in.input_ring import InputFrame
from vj.output.composition import Composition, Framing, LaidInput, to_layer
from vj.output.effects import UNCHANGED, Matrix
from vj.output.gl_objects import Program, Surface, SurfaceShelf
from vj.output.layer_params import BLENDS, LAYERS
from vj.output.placing import Size

PICTURE, LIGHT = 1, 2  # bits of the shader's AXIS
SMALL = 1.5  # pixels of a layer to one of the target: from here on smaller copies are averaged ahead


@dataclass(frozen=True)
class Finish:
    """What becomes of the whole once it is put together."""

    framebuffer: int
    size: Size
    brightness: float = 1.0
    grain: float = 0.0
    colours: Matrix = UNCHANGED
    colour_offset: float = 0.0


@dataclass(frozen=True)
class _Laid:
    """One thing that is laid on what is below it, as numbers of the shader."""

    from_target: Matrix
    size: Size
    blend: str
    opacity: float
    uses_key: bool = False
    luma_key: float = 0.0
    luma_softness: float = 0.0
    laid: float = 1.0

    @property
    def is_light(self) -> bool:
        """Whether light is faded or added: powers, which a software rasteriser takes its time for."""
        return self.opacity < 1.0 or self.blend == "add"

    @property
    def shrinks_by(self) -> float:
        """Pixels of it to one of the target, each way."""
        across, turned_a, _, turned_b, down, *_ = self.from_target
        return math.sqrt(abs(across * down - turned_a * turned_b))


class Compositor:
    """Belongs to the thread of its GL context."""

    def __init__(self, *, is_es: bool) -> None:
        """Compile the shader in the current context. Raises ShaderError."""
        self._programs = [Program("layer", is_es=is_es, axis=bits) for bits in range(4)]
        self._textures = [_LayerTexture() for _ in range(LAYERS)]
        self._surfaces = SurfaceShelf()

    def picture(self, size: Size) -> Surface:
        """Return what the picture alone is drawn on for a target of this size."""
        return self._surfaces.sized("picture", *size, bits=10)

    def compose(self, composition: Composition, framing: Framing, finish: Finish) -> None:
        """Lay everything together: what is under, the picture drawn before, what is over; the last onto the target."""
        params, picture = composition.params, self.picture(finish.size)
        passes: list[tuple[_Laid, LaidInput | None]] = []
        passes += [(_laid_input(one, composition, framing), one) for one in composition.under]
        if passes:
            # over nothing at all it is never blended: it comes back as what lies under it goes
            key, softness = params.picture_key, params.picture_softness
            how = (params.picture_blend, params.picture_opacity, False, key, softness, composition.under_strength)
            passes.append((_Laid(UNCHANGED, finish.size, *how), None))
            below = None
        else:
            below = picture
        passes += [(_laid_input(one, composition, framing), one) for one in composition.over]
        for number, (laid, one) in enumerate(passes):
            is_last = number == len(passes) - 1
            into = None if is_last else self._surfaces.sized(f"laid {number % 2}", *finish.size, bits=10)
            self._bind(below or picture, laid, one, picture)
            program = self._programs[(PICTURE if one is None else 0) | (LIGHT if laid.is_light else 0)]
            program.use()
            program.set_int("is_lowest", int(below is None))
            self._draw(program, laid, framing, finish, into)
            below = into

    def release(self) -> None:
        """Free every GL object."""
        for program in self._programs:
            program.delete()
        self._surfaces.clear()
        for texture in self._textures:
            texture.delete()

    def _bind(self, below: Surface, laid: _Laid, one: LaidInput | None, picture: Surface) -> None:
        if one is None:
            picture.bind(1)
        else:
            self._textures[one.index].show(one.frame, laid.shrinks_by > SMALL, 1)
        below.bind(0)

    def _draw(self, program: Program, laid: _Laid, framing: Framing, finish: Finish, into: Surface | None) -> None:
        seen = framing.seen
        GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, finish.framebuffer if into is None else into.framebuffer)
        GL.glViewport(0, 0, *finish.size)
        GL.glDisable(GL.GL_BLEND)
        program.set_int("below", 0)
        program.set_int("above", 1)
        program.set_float("above_size", *(float(side) for side in laid.size))
        program.set_matrix("from_target", laid.from_target)
        program.set_float("clip_start", float(seen.x), float(seen.y))
        program.set_float("clip_end", float(seen.x + seen.width), float(seen.y + seen.height))
        program.set_int("blend", BLENDS.index(laid.blend))
        program.set_float("opacity", laid.opacity)
        program.set_int("uses_key", int(laid.uses_key))
        program.set_float("luma_key", laid.luma_key)
        program.set_float("luma_softness", laid.luma_softness)
        program.set_float("laid", laid.laid)
        program.set_matrix("colour_matrix", finish.colours if into is None else UNCHANGED)
        program.set_float("colour_offset", finish.colour_offset if into is None else 0.0)
        program.set_float("brightness", finish.brightness if into is None else 1.0)
        program.set_float("grain", finish.grain if into is None else 0.0)
        GL.glDrawArrays(GL.GL_TRIANGLES, 0, 3)


def _laid_input(one: LaidInput, composition: Composition, framing: Framing) -> _Laid:
    params, k = composition.params, one.index
    height, width, _ = one.frame.pixels.shape
    matrix = to_layer(framing, params, k, (width, height))
    return _Laid(matrix, (width, height), params.blend[k], params.opacity[k] * one.strength, params.uses_key[k])


class _LayerTexture:
    """One layer's frame on the card; a frame that is there already is not uploaded again."""

    def __init__(self) -> None:
        self._texture = 0
        self._frame: InputFrame | None = None
        self._is_small = False  # smaller copies are there, of the frame held

    def show(self, frame: InputFrame, is_small: bool, unit: int) -> None:
        """Offer a frame at a texture unit, to be drawn much smaller than it is or not."""
        GL.glActiveTexture(GL.GL_TEXTURE0 + unit)
        if not self._texture:
            self._texture = int(GL.glGenTextures(1))
            GL.glBindTexture(GL.GL_TEXTURE_2D, self._texture)
            GL.glTexParameteri(GL.GL_TEXTURE_2D, GL.GL_TEXTURE_MAG_FILTER, GL.GL_LINEAR)
            for name in (GL.GL_TEXTURE_WRAP_S, GL.GL_TEXTURE_WRAP_T):
                GL.glTexParameteri(GL.GL_TEXTURE_2D, name, GL.GL_CLAMP_TO_EDGE)
        GL.glBindTexture(GL.GL_TEXTURE_2D, self._texture)
        if frame is not self._frame:
            self._upload(frame)
            self._is_small = False
        if is_small and not self._is_small:
            GL.glGenerateMipmap(GL.GL_TEXTURE_2D)
            self._is_small = True
        smaller = GL.GL_LINEAR_MIPMAP_LINEAR if is_small else GL.GL_LINEAR
        GL.glTexParameteri(GL.GL_TEXTURE_2D, GL.GL_TEXTURE_MIN_FILTER, smaller)

    def delete(self) -> None:
        """Free the texture."""
        if self._texture:
            GL.glDeleteTextures([self._texture])

    def _upload(self, frame: InputFrame) -> None:
        height, width, _ = frame.pixels.shape
        pixels = ctypes.c_void_p(frame.pixels.ctypes.data)
        kind = (GL.GL_RGBA, GL.GL_UNSIGNED_BYTE, pixels)
        if self._frame is None or self._frame.pixels.shape != frame.pixels.shape:
            GL.glTexImage2D(GL.GL_TEXTURE_2D, 0, GL.GL_RGBA8, width, height, 0, *kind)
        else:
            GL.glTexSubImage2D(GL.GL_TEXTURE_2D, 0, 0, 0, width, height, *kind)
        self._frame = frame
