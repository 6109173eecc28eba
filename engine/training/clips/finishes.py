"""How a painted field is finished: plain, as glowing outlines, glossy, matte or pastel; and what is behind it.

Knows nothing of families.
"""

import torch
from torch import Tensor

from engine.training.clips.field import Field
from engine.training.clips.palettes import paint

OUTLINES = 3.0  # contour lines from dark to light
OUTLINE_WIDTH = 0.014  # in frame heights
WHITE = 0.95
LAMP = (-0.55, -0.75)  # where the light comes from: above, from the left


def _slopes(value: Tensor, per_pixel: float) -> tuple[Tensor, Tensor]:
    """Rise of a field (T, H, W) per frame height, to the right and downward."""
    dx = torch.zeros_like(value)
    dy = torch.zeros_like(value)
    dx[:, :, 1:-1] = (value[:, :, 2:] - value[:, :, :-2]) * (0.5 / per_pixel)
    dy[:, 1:-1] = (value[:, 2:] - value[:, :-2]) * (0.5 / per_pixel)
    dx[:, :, 0], dx[:, :, -1] = dx[:, :, 1], dx[:, :, -2]
    dy[:, 0], dy[:, -1] = dy[:, 1], dy[:, -2]
    return dx, dy


def _grey(image: Tensor) -> Tensor:
    return image.mean(dim=1, keepdim=True)


def _outline(field: Field, stops: Tensor, per_pixel: float) -> Tensor:
    """Tubes of light along the field's contour lines, on a dim picture of it."""
    value = field.value if field.light is None else field.value * field.light
    dx, dy = _slopes(value, per_pixel)
    steepness = torch.sqrt(dx * dx + dy * dy + 0.15)
    level = value * OUTLINES
    distance = (level - torch.floor(level) - 0.5).abs() / (OUTLINES * steepness)  # in frame heights
    tube = torch.exp(-((distance / OUTLINE_WIDTH) ** 2))
    halo = torch.exp(-distance / (3.0 * OUTLINE_WIDTH))
    glow = (tube + 0.35 * halo)[:, None]
    return 0.10 * paint(value, stops) + glow * paint(0.45 + 0.5 * value, stops)


def _gloss(field: Field, stops: Tensor, per_pixel: float) -> Tensor:
    """The field as a polished relief under a lamp."""
    lit = field.value if field.light is None else field.value * (0.35 + 0.65 * field.light)
    dx, dy = _slopes(lit, per_pixel)
    bend = 0.10
    lean = -(dx * LAMP[0] + dy * LAMP[1]) * bend
    facing = torch.rsqrt(1.0 + bend * bend * (dx * dx + dy * dy))
    shade = (0.62 + 0.7 * lean * facing).clamp(0.15, 1.25)
    shine = torch.exp(-(((lean * facing - 0.42) / 0.16) ** 2))
    image = paint(field.value, stops) * shade[:, None]
    if field.light is not None:
        image = image * field.light[:, None]
        shine = shine * field.light
    return image + 0.75 * shine[:, None] * (0.6 + 0.4 * stops[-1][None, :, None, None])


def _pastel(field: Field, stops: Tensor) -> Tensor:
    """Everything light, the dark most of all, and none of it grey."""
    tints = torch.stack((stops[1], 0.5 * (stops[1] + stops[2]), stops[2], stops[3]))
    tints = tints + (1.0 - tints) * torch.linspace(0.55, 0.40, len(tints), device=tints.device)[:, None]
    image = paint(field.value, tints)
    if field.light is None:
        return image
    dim = tints[0][None, :, None, None]
    return dim + field.light[:, None] * (image - dim)


def finish_field(field: Field, stops: Tensor, finish: str, per_pixel: float) -> Tensor:
    """Paint a field with stops (4, 3) in one finish; return (T, 3, H, W), about [0, 1].

    `per_pixel` is the size of a pixel in frame heights, so that lines are as thick at every resolution.
    """
    if finish == "outline":
        return _outline(field, stops, per_pixel)
    if finish == "gloss":
        return _gloss(field, stops, per_pixel)
    if finish == "pastel":
        return _pastel(field, stops)
    image = paint(field.value, stops)
    if field.light is not None:
        image = image * field.light[:, None]
    if finish == "matte":  # chalk: no black, no white, less colour
        image = 0.15 + 0.66 * image
        return image + 0.28 * (_grey(image) - image)
    return image


def lay_on_ground(image: Tensor, field: Field, stops: Tensor, ground: str) -> Tensor:
    """Put something else than the palette's dark behind a picture (T, 3, H, W), where its field shows the ground."""
    cover = field.cover if field.cover is not None else field.light
    if ground == "own" or cover is None:
        return image
    if ground == "white":
        behind = torch.full((1, 1, 1, 1), WHITE, device=image.device)
    elif ground == "colour":
        behind = (0.55 * stops[1] + 0.1)[None, :, None, None]
    else:
        down = torch.linspace(0.0, 1.0, image.shape[2], device=image.device)[None, None, :, None]
        top, bottom = (0.5 * stops[1])[None, :, None, None], (0.75 * stops[2])[None, :, None, None]
        behind = top + down * (bottom - top)
    # a light adds its colour to what it covers; the ground shows where nothing is lit
    return image + (1.0 - cover.clamp(0.0, 1.0))[:, None] * behind
