"""Presenter: from a finished canvas to the display's pixels; only at work while something is asked that needs it.

Owns its GL objects; needs a current context for every call. Knows nothing of frames, scenes or Qt.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from OpenGL import GL

from vj.output.gl_objects import Program, Surface, SurfaceShelf
from vj.output.params import OutputParams
from vj.output.placing import Size, canvas_size, from_target, is_pinned

Card = Callable[[int, int], np.ndarray]
"""Draws a test card: width, height to (H, W, 4) uint8, top row first."""
NEIGHBOUR_PIXELS = 1.0  # of the frame, to the neighbours of the sharpening: measured best of 0.5 and 1


@dataclass(frozen=True)
class _Display:
    """What a canvas is brought onto."""

    framebuffer: int
    size: Size
    grain: float


class Presenter:
    """Belongs to the thread of its GL context."""

    def __init__(self, *, is_es: bool, grain: float, draw_card: Card | None = None) -> None:
        """Compile the shaders in the current context. Raises ShaderError."""
        self._sharpen = Program("sharpen", is_es=is_es)
        self._present = Program("present", is_es=is_es)
        self._grain = grain
        self._draw_card = draw_card
        self._surfaces = SurfaceShelf()

    def canvas(self, params: OutputParams, target: Size) -> Surface:
        """Return what to draw on for this target; its content is left over from before."""
        return self._surfaces.sized("canvas", *canvas_size(params, target), bits=10)

    def show(self, params: OutputParams, target: Size, framebuffer: int, enlarged: float) -> None:
        """Bring the canvas onto the target. `enlarged`: pixels of the canvas for each of the frame."""
        source = self.canvas(params, target)
        if params.sharpen > 0.0:
            source = self._sharpened(source, params.sharpen, max(1, round(enlarged * NEIGHBOUR_PIXELS)))
        self._put(source, params, _Display(framebuffer, target, self._grain), params.brightness)

    def show_card(self, params: OutputParams, target: Size, framebuffer: int, level: float) -> None:
        """Bring the test card onto the target, as the picture would lie."""
        card = self._card(canvas_size(params, target))
        if card is not None:
            self._put(card, params, _Display(framebuffer, target, self._grain), params.brightness * level)

    def lay_card(self, canvas: Surface, level: float) -> None:
        """Draw the test card onto a canvas as it would lie on a display that asks for nothing."""
        size = (canvas.width, canvas.height)
        card = self._card(size)
        if card is not None:
            # another grain than the window's: llvmpipe draws upside down what it drew there with the same uniforms
            self._put(card, OutputParams(), _Display(canvas.framebuffer, size, 0.0), level)

    def forget_card(self) -> None:
        """Draw the test card anew when it is next asked for: the display may be another."""
        self._surfaces.delete("card")

    def release(self) -> None:
        """Free every GL object."""
        self._sharpen.delete()
        self._present.delete()
        self._surfaces.clear()

    def _card(self, size: Size) -> Surface | None:
        if self._draw_card is None:
            return None
        held = self._surfaces.get("card")
        if held is None or (held.width, held.height) != size:
            held = self._surfaces.sized("card", *size, bits=8)
            held.upload(np.ascontiguousarray(self._draw_card(*size)[::-1]))  # surfaces count from below
        return held

    def _sharpened(self, source: Surface, amount: float, reach: int) -> Surface:
        surface = self._surfaces.sized("sharp", source.width, source.height, bits=10)
        surface.draw_into()
        GL.glDisable(GL.GL_BLEND)
        source.bind(0)
        self._sharpen.use()
        self._sharpen.set_int("source", 0)
        self._sharpen.set_int("source_size", source.width, source.height)
        self._sharpen.set_int("reach", reach)
        self._sharpen.set_float("amount", amount)
        draw_triangle()
        return surface

    def _put(self, source: Surface, params: OutputParams, display: _Display, brightness: float) -> None:
        GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, display.framebuffer)
        GL.glViewport(0, 0, *display.size)
        GL.glDisable(GL.GL_BLEND)
        source.bind(0)
        self._present.use()
        self._present.set_int("source", 0)
        self._present.set_int("source_size", source.width, source.height)
        self._present.set_matrix("from_target", from_target(params, display.size))
        self._present.set_int("is_pinned", int(is_pinned(params)))
        self._present.set_float("brightness", brightness)
        self._present.set_float("exponent", 1.0 / params.gamma)
        self._present.set_float("grain", display.grain)
        draw_triangle()


def draw_triangle() -> None:
    """Draw over the whole of the current target; the shader's vertex array must be bound."""
    GL.glDrawArrays(GL.GL_TRIANGLES, 0, 3)
