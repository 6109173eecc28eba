"""A renderer with a stream and inputs on a pretended clock, and the pictures that are given to it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.video_in.input_ring import InputRing, ring_name
from tests.vj.output.test_renderer import SECOND_NS, StreamAlone, stream
from vj.output.frame_reader import FrameReader
from vj.output.layer_params import LayerParams
from vj.output.layered_scenes import LayeredScenes
from vj.output.params import OutputParams

SIZE = (160, 90)
REFRESH_S = 1 / 60


class Theatre:
    """A renderer with a stream and inputs, on a pretended clock."""

    def __init__(self, folder: Path) -> None:
        from vj.output.gl_objects import Surface
        from vj.output.renderer import Renderer

        self.folder, self.at_s = folder, 1.0
        self.params = OutputParams()
        self.layers = LayerParams()
        self.scenes = LayeredScenes(StreamAlone(FrameReader(folder / "ring")), folder, lambda: self.layers)
        self.renderer = Renderer(self.scenes)
        self._surface = Surface
        self._targets: dict[tuple[int, int], object] = {}
        self._rings: dict[int, InputRing] = {}

    def give(self, pixels: np.ndarray, number: int = 1) -> None:
        """Write a frame (H, W, 4) of an input now."""
        height, width, _ = pixels.shape
        ring = self._rings.get(number)
        if ring is None or (ring.width, ring.height) != (width, height):
            path = self.folder / ring_name(number, "layer")
            ring = self._rings[number] = InputRing.create(path, width=width, height=height, capacity=3)
        ring.write(pixels, round(self.at_s * SECOND_NS))

    def draw(self, size: tuple[int, int] = SIZE) -> np.ndarray:
        """Draw one refresh; (H, W, 3) uint8, top row first."""
        from OpenGL import GL

        target = self._targets.setdefault(size, self._surface.create(*size, bits=8))
        self.renderer.draw(self.params, round(self.at_s * SECOND_NS), size, target.framebuffer)
        GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, target.framebuffer)
        data = GL.glReadPixels(0, 0, *size, GL.GL_RGBA, GL.GL_UNSIGNED_BYTE)
        assert GL.glGetError() == GL.GL_NO_ERROR
        self.at_s += REFRESH_S
        return np.frombuffer(data, np.uint8).reshape(size[1], size[0], 4)[::-1, :, :3].copy()

    def play(self, frames: np.ndarray) -> None:
        """Show a stream of frames (T, H, W, 3), faded in."""
        stream(self.folder / "ring", frames)
        end_s = self.at_s + 2.2  # a short stream waits a second for more, and fades in in one
        while self.at_s < end_s:
            self.draw()
            self.at_s += 0.15

    def close(self) -> None:
        self.renderer.release()
        self.scenes.close()
        for target in self._targets.values():
            target.delete()


def ramp(axis: int, shape: tuple[int, int] = (90, 160)) -> np.ndarray:
    """Every brightness along one axis, another tint in each channel; (H, W, 3) uint8."""
    along = np.linspace(0.0, 1.0, shape[axis])
    values = np.stack([along, along**0.5, 1.0 - along], axis=-1) * 255.0
    return np.broadcast_to(values[None] if axis == 1 else values[:, None], (*shape, 3)).round().astype(np.uint8)


def opaque(pixels: np.ndarray, alpha: int = 255) -> np.ndarray:
    return np.concatenate([pixels, np.full((*pixels.shape[:2], 1), alpha, np.uint8)], axis=-1)


def one_layer(**of: object) -> LayerParams:
    """Layer 1 shows input 1."""
    return LayerParams(**{"number": (1, 0), **{name: (given, given) for name, given in of.items()}})
