"""An output without a window: pictures through the renderer and its effects into arrays. For sheets, checks and tests.

Needs a QGuiApplication; belongs to one thread. Knows nothing of streams or the store.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from OpenGL import GL
from PyQt6.QtGui import QOffscreenSurface, QOpenGLContext

from engine.frame_ring import Frame
from engine.parameter import Value
from vj.effects.notes import EffectNote
from vj.output.continuity import Layer, Scene
from vj.output.displays import DisplayError, output_format
from vj.output.effect_library import EffectLibrary
from vj.output.frame_reader import Picture
from vj.output.gl_objects import Surface
from vj.output.params import OutputParams
from vj.output.placing import Size
from vj.output.renderer import STREAM_FADE_S, Renderer

SECOND_NS = 1_000_000_000


class _Given:
    """Scenes of what was given last."""

    def __init__(self) -> None:
        self.scene = Scene((), "starting")

    def scene_at(self, now_ns: int, params: OutputParams) -> Scene:
        """Return it."""
        return self.scene


class OffscreenOutput:
    """One renderer with a target of its own. Effects are compiled when they are looked for."""

    def __init__(self, size: Size) -> None:
        """`size` is width and height in pixels. Raises DisplayError where there is no OpenGL."""
        self._context, self._surface = QOpenGLContext(), QOffscreenSurface()
        self._context.setFormat(output_format())
        if not self._context.create():
            raise DisplayError("this display has no OpenGL 3.3")
        self._surface.setFormat(self._context.format())
        self._surface.create()
        self._context.makeCurrent(self._surface)
        self._scenes = _Given()
        self.renderer = Renderer(self._scenes, is_es=self._context.isOpenGLES())
        self._target = Surface.create(*size, bits=8)
        self._size = size

    @property
    def library(self) -> EffectLibrary:
        """The effects this output may draw with."""
        return self.renderer.effects

    def settle(self, picture: np.ndarray) -> float:
        """Let the first picture come; return the time in seconds from which on it is all there is."""
        self.draw(0.0, picture)
        self.draw(STREAM_FADE_S + 0.1, picture)
        return STREAM_FADE_S + 0.2

    def draw(
        self,
        at_s: float,
        picture: np.ndarray,
        values: Mapping[str, Value] | None = None,
        *,
        over: tuple[np.ndarray, float] | None = None,
    ) -> np.ndarray:
        """Draw a picture (H, W, 3) uint8 at a time; return (H, W, 3) uint8, top row first.

        `values` are those of output parameters by address, in native units; `over` is the picture of a deck that
        comes over it, and how far it has come (0..1).
        """
        layers = (Layer(_still(picture), 1.0),)
        if over is not None:
            layers = (Layer(_still(picture), 1.0 - over[1]), Layer(_still(over[0]), over[1]))
        self._scenes.scene = Scene(layers, "live", is_take=over is not None)
        self.renderer.draw(
            OutputParams.from_values(values or {}), round(at_s * SECOND_NS), self._size, self._target.framebuffer
        )
        GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, self._target.framebuffer)
        data = GL.glReadPixels(0, 0, *self._size, GL.GL_RGBA, GL.GL_UNSIGNED_BYTE)
        return np.frombuffer(data, np.uint8).reshape(self._size[1], self._size[0], 4)[::-1, :, :3].copy()

    def problems(self) -> list[EffectNote]:
        """Compile every effect that is new; return what is wrong with any."""
        self.library.look()
        return [note for note in self.library.notes() if note.problem]

    def close(self) -> None:
        """Free everything."""
        self.library.leave()
        self.renderer.release()
        self._target.delete()
        self._context.doneCurrent()


def _still(picture: np.ndarray) -> Picture:
    height, width, _ = picture.shape
    opaque = np.full((height, width, 4), 255, np.uint8)
    opaque[..., :3] = picture
    frame = Frame(opaque, 1, 0, 16.0, 1, 0, 0)
    return Picture(frame, frame, 0.0)
