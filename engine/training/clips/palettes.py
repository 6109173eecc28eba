"""Palettes of the drawn clips: four colours each, dark to light, and the words that ask for them.

Knows nothing of shapes or motion.
"""

import torch
from torch import Tensor

# sRGB in 0..255, from the darkest stop to the lightest. The first name is the one captions use most.
PALETTES: dict[str, tuple[tuple[int, int, int], ...]] = {
    "black": ((8, 8, 10), (70, 72, 78), (160, 164, 170), (238, 240, 242)),
    "red": ((24, 2, 6), (120, 8, 18), (222, 34, 38), (255, 150, 120)),
    "orange": ((28, 8, 2), (140, 48, 6), (244, 124, 20), (255, 214, 130)),
    "gold": ((26, 18, 4), (128, 90, 14), (228, 180, 44), (255, 240, 170)),
    "green": ((2, 20, 10), (10, 96, 44), (52, 190, 84), (190, 250, 170)),
    "teal": ((2, 20, 26), (6, 92, 104), (30, 184, 186), (180, 248, 236)),
    "blue": ((4, 8, 34), (16, 48, 140), (44, 116, 232), (160, 214, 255)),
    "violet": ((16, 4, 34), (78, 24, 138), (150, 70, 226), (222, 176, 255)),
    "pink": ((32, 4, 24), (146, 22, 98), (240, 74, 160), (255, 190, 222)),
    "sunset": ((26, 8, 56), (150, 28, 96), (244, 106, 60), (255, 220, 120)),
    "ice": ((30, 52, 84), (96, 142, 184), (172, 210, 236), (244, 250, 255)),
    "neon": ((10, 4, 30), (230, 20, 150), (30, 130, 240), (90, 255, 210)),
}


def colours(name: str) -> Tensor:
    """Return the four stops of a palette, (4, 3) in [0, 1]."""
    return torch.tensor(PALETTES[name], dtype=torch.float32) / 255.0


def paint(value: Tensor, stops: Tensor) -> Tensor:
    """Colour a field (T, H, W) in [0, 1] with stops (4, 3); return (T, 3, H, W) in [0, 1]."""
    position = value.clamp(0.0, 1.0) * (len(stops) - 1)
    # a sum of hat functions: one fused pass per stop, no gather
    image = torch.zeros(value.shape[0], 3, *value.shape[1:])
    for index, stop in enumerate(stops):
        weight = (1.0 - (position - index).abs()).clamp_(min=0.0)
        image += weight[:, None] * stop[None, :, None, None]
    return image
