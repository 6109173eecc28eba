"""The two frames of a picture as textures: what is on the card already is not sent again.

Needs a current context for every call.
"""

from __future__ import annotations

from engine.frame_ring import Frame
from vj.output.frame_reader import Picture
from vj.output.gl_objects import Surface


class FramePair:
    """Two textures; a frame that is already in one of them is not uploaded again."""

    def __init__(self) -> None:
        self._held: list[tuple[Frame, Surface]] = []

    def surfaces(self, picture: Picture) -> tuple[Surface, Surface]:
        """Return the textures of the picture's first and second frame."""
        height, width, _ = picture.first.pixels.shape
        if not self._held or (self._held[0][1].width, self._held[0][1].height) != (width, height):
            self.delete()
            self._held = [(picture.first, self._filled(picture.first)), (picture.second, self._filled(picture.second))]
        if self._index_of(picture.first) is None:
            self._upload(picture.first, keep=picture.second)
        if self._index_of(picture.second) is None:
            self._upload(picture.second, keep=picture.first)
        first, second = self._index_of(picture.first), self._index_of(picture.second)
        assert first is not None and second is not None, "both frames were uploaded above"
        return self._held[first][1], self._held[second][1]

    def delete(self) -> None:
        """Free both textures."""
        for _, surface in self._held:
            surface.delete()
        self._held = []

    @staticmethod
    def _filled(frame: Frame) -> Surface:
        height, width, _ = frame.pixels.shape
        surface = Surface.create(width, height, bits=8)
        surface.upload(frame.pixels)
        return surface

    def _index_of(self, frame: Frame) -> int | None:
        return next((k for k, (held, _) in enumerate(self._held) if held is frame), None)

    def _upload(self, frame: Frame, keep: Frame) -> None:
        slot = 1 if self._held[0][0] is keep else 0
        surface = self._held[slot][1]
        surface.upload(frame.pixels)
        self._held[slot] = (frame, surface)
