"""Bicubic scaling onto a target in two passes: the columns into a surface of their own, then the rows.

Owns its GL objects; needs a current context for every call. Knows nothing of scenes or windows.
"""

from __future__ import annotations

from dataclasses import dataclass

from OpenGL import GL

from vj.output.effects import Rectangle, colour_matrix, colour_offset, enlarged
from vj.output.gl_objects import Program, Surface, SurfaceShelf
from vj.output.params import OutputParams
from vj.output.placing import Crop, Size
from vj.output.presenter import draw_triangle


@dataclass(frozen=True)
class Target:
    """What a scene is drawn onto."""

    framebuffer: int
    size: Size
    grain: float


class Scaling:
    """How one picture comes onto the target: by which surface, what of it, where it lies and what is seen."""

    def __init__(self, name: str, crop: Crop, place: Rectangle, target: Size, params: OutputParams) -> None:
        self.name = name
        self.crop = crop
        self.place = place  # before it is enlarged
        self.seen = enlarged(place, params.zoom, target)
        self.params = params


class Stretcher:
    """Belongs to the thread of its GL context."""

    def __init__(self, *, is_es: bool) -> None:
        """Compile the shaders in the current context. Raises ShaderError."""
        self._columns = Program("stretch", is_es=is_es, axis=0)
        self._rows = Program("stretch", is_es=is_es, axis=1)
        self._surfaces = SurfaceShelf()

    def stretch(
        self, source: Surface, scaling: Scaling, target: Target, brightness: float, *, is_added: bool = False
    ) -> None:
        """Draw a picture onto the target, on top of what is there if it is added."""
        self._stretch_columns(source, scaling)
        if is_added:
            GL.glEnable(GL.GL_BLEND)
            GL.glBlendFunc(GL.GL_ONE, GL.GL_ONE)
        self._stretch_rows(target, scaling, brightness)
        GL.glDisable(GL.GL_BLEND)

    def release(self) -> None:
        """Free every GL object."""
        self._columns.delete()
        self._rows.delete()
        self._surfaces.clear()

    def _stretch_columns(self, source: Surface, scaling: Scaling) -> None:
        """First half of the scaling: `source` to the width that is seen, coloured, into the named surface."""
        place, seen = scaling.place, scaling.seen
        wide = self._surfaces.sized(scaling.name, seen.width, source.height, bits=10)
        wide.draw_into()
        source.bind(0)
        self._columns.use()
        self._columns.set_int("source", 0)
        self._columns.set_int("source_size", source.width)
        self._columns.set_float("crop_start", scaling.crop.left)
        self._columns.set_float("crop_size", scaling.crop.width)
        self._columns.set_int("target_size", place.width)
        self._columns.set_int("target_start", 0, 0)
        self._columns.set_int("offset", seen.x - place.x)
        self._columns.set_float("unzoomed", 1.0 / scaling.params.zoom)
        self._columns.set_matrix("colour_matrix", colour_matrix(scaling.params))
        self._columns.set_float("colour_offset", colour_offset(scaling.params))
        draw_triangle()

    def _stretch_rows(self, target: Target, scaling: Scaling, brightness: float) -> None:
        """Second half: the named surface to the height that is seen, onto the target."""
        wide, place, seen = self._surfaces.get(scaling.name), scaling.place, scaling.seen
        assert wide is not None, "the columns were stretched before"
        GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, target.framebuffer)
        GL.glViewport(seen.x, seen.y, seen.width, seen.height)
        wide.bind(0)
        self._rows.use()
        self._rows.set_int("source", 0)
        self._rows.set_int("source_size", wide.height)
        self._rows.set_float("crop_start", scaling.crop.top)
        self._rows.set_float("crop_size", scaling.crop.height)
        self._rows.set_int("target_size", place.height)
        self._rows.set_int("target_start", seen.x, seen.y)
        self._rows.set_int("offset", seen.y - place.y)
        self._rows.set_float("unzoomed", 1.0 / scaling.params.zoom)
        self._rows.set_float("brightness", brightness)
        self._rows.set_float("grain", target.grain)
        draw_triangle()
