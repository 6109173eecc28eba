"""What lies under and over the generated picture at one refresh, and where: numbers and frames alone.

Knows nothing of GL, files or the store.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from engine.video_in.input_ring import InputFrame
from vj.output.effects import Matrix, Rectangle, enlarged
from vj.output.layer_params import LayerParams
from vj.output.params import OutputParams
from vj.output.placing import Size, crop_of, place


@dataclass(frozen=True)
class LaidInput:
    """One input's frame as layer `index` (from 0) of the parameters; `strength` falls to 0 when the input has gone."""

    index: int
    frame: InputFrame
    strength: float = 1.0


@dataclass(frozen=True)
class Composition:
    """Layers of one refresh. `inputs` holds those that are seen, the lowest first; the picture lies between."""

    params: LayerParams
    inputs: tuple[LaidInput, ...]

    @property
    def under(self) -> tuple[LaidInput, ...]:
        """Those below the generated picture."""
        return tuple(laid for laid in self.inputs if self.params.place[laid.index] == "under")

    @property
    def over(self) -> tuple[LaidInput, ...]:
        """Those above it."""
        return tuple(laid for laid in self.inputs if self.params.place[laid.index] == "over")

    @property
    def under_strength(self) -> float:
        """How far the picture is laid over layers rather than shown plainly: it comes back whole as they fade out."""
        return max((laid.strength for laid in self.under), default=0.0)


@dataclass(frozen=True)
class Framing:
    """Where the generated picture lies on a target: layers lie in the same frame and are cut off at its edges."""

    content: tuple[float, float]  # width, height of the picture before anything is cropped, in its own pixels
    corner: tuple[float, float]  # of what is left of it, in those pixels
    used: tuple[float, float]  # size of what is left
    lying: Rectangle  # where that lies, before it is enlarged
    zoom: float
    seen: Rectangle  # where it is seen

    @classmethod
    def of(cls, content: Size, params: OutputParams, target: Size) -> Framing:
        """Frame a picture of this size as an output's parameters place it."""
        crop = crop_of(params, content)
        lying = place((crop.width, crop.height), target, params.fit)
        seen = enlarged(lying, params.zoom, target)
        return cls(content, (crop.left, crop.top), (crop.width, crop.height), lying, params.zoom, seen)

    @classmethod
    def whole(cls, target: Size, zoom: float) -> Framing:
        """Frame what covers all of a target."""
        lying = Rectangle(0, 0, *target)
        return cls(target, (0.0, 0.0), target, lying, zoom, enlarged(lying, zoom, target))

    def to_content(self) -> np.ndarray:
        """Pixel of the target (from its lower left) to pixel of the picture (from its upper left), 3x3."""
        across, down = self.used[0] / self.lying.width, self.used[1] / self.lying.height
        x = _scaled(self.lying.x, self.lying.width, self.zoom, across, self.corner[0])
        y = _scaled(self.lying.y, self.lying.height, self.zoom, down, self.corner[1])
        # rows of the target count from below, those of pictures from above
        return np.array([[x[0], 0.0, x[1]], [0.0, -y[0], 2.0 * self.corner[1] + self.used[1] - y[1]], [0.0, 0.0, 1.0]])


def _scaled(start: float, length: float, zoom: float, scale: float, corner: float) -> tuple[float, float]:
    """Factor and offset of one axis: enlarged from the middle of where it lies."""
    middle = start + length / 2
    return scale / zoom, corner + scale * (length / 2 - middle / zoom)


def to_layer(framing: Framing, params: LayerParams, index: int, size: Size) -> Matrix:
    """Pixel of the target to pixel of a layer of this size (width, height), both as GL counts them; nine numbers."""
    wide, high = framing.content[0] / size[0], framing.content[1] / size[1]
    fit = params.fit[index]
    even = min(wide, high) if fit == "fit" else max(wide, high)
    across, down = (wide, high) if fit == "stretch" else (even, even)
    across, down = across * params.scale[index], down * params.scale[index]
    turn = math.radians(params.rotation[index])
    cosine, sine = math.cos(turn), math.sin(turn)
    middle_x = (0.5 + params.x[index]) * framing.content[0]
    middle_y = (0.5 + params.y[index]) * framing.content[1]
    # from the layer's middle turned back; y counts down, so that clockwise is this way
    moved = np.array([[1.0, 0.0, -middle_x], [0.0, 1.0, -middle_y], [0.0, 0.0, 1.0]])
    turned = np.array([[cosine, sine, 0.0], [-sine, cosine, 0.0], [0.0, 0.0, 1.0]])
    sized = np.array([[1.0 / across, 0.0, size[0] / 2], [0.0, 1.0 / down, size[1] / 2], [0.0, 0.0, 1.0]])
    return tuple(float(number) for number in (sized @ turned @ moved @ framing.to_content()).flat)
