"""Palettes of the drawn clips: four colours each, dark to light, and the words that ask for them.

Knows nothing of shapes or motion.
"""

import torch
from torch import Tensor

Stops = tuple[tuple[int, int, int], ...]

# sRGB in 0..255, from the darkest stop to the lightest. The first name is the one captions use most.
PALETTES: dict[str, Stops] = {
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
    "earth": ((18, 10, 6), (92, 56, 32), (172, 122, 78), (240, 220, 186)),
    "kingfisher": ((2, 18, 28), (8, 96, 118), (240, 124, 44), (255, 224, 168)),
    "absinthe": ((22, 4, 40), (86, 28, 120), (150, 214, 30), (236, 255, 150)),
    "opal": ((52, 46, 92), (146, 150, 216), (176, 232, 210), (255, 226, 234)),
}

# The same names in colours that training never shows: for the classifier that judges what was learned.
EXAM_PALETTES: dict[str, Stops] = {
    "black": ((14, 14, 14), (58, 58, 60), (140, 142, 146), (224, 226, 230)),
    "red": ((34, 4, 4), (148, 16, 14), (206, 22, 44), (255, 128, 116)),
    "orange": ((36, 14, 2), (168, 66, 4), (255, 142, 30), (255, 202, 112)),
    "gold": ((34, 26, 2), (146, 112, 8), (242, 200, 60), (255, 246, 190)),
    "green": ((6, 28, 8), (24, 112, 36), (72, 202, 70), (174, 240, 160)),
    "teal": ((4, 28, 30), (4, 108, 112), (44, 198, 190), (164, 240, 226)),
    "blue": ((2, 14, 46), (22, 64, 164), (32, 98, 246), (142, 200, 255)),
    "violet": ((24, 6, 44), (96, 36, 150), (132, 62, 214), (208, 164, 250)),
    "pink": ((42, 8, 28), (166, 32, 104), (250, 92, 172), (255, 204, 226)),
    "sunset": ((34, 14, 66), (170, 40, 92), (250, 124, 70), (255, 208, 104)),
    "ice": ((44, 66, 100), (112, 156, 196), (186, 218, 240), (236, 246, 255)),
    "neon": ((16, 8, 42), (246, 36, 168), (44, 112, 252), (110, 250, 224)),
    "earth": ((26, 16, 10), (108, 68, 42), (158, 108, 66), (228, 204, 166)),
    "kingfisher": ((4, 26, 38), (14, 112, 132), (250, 138, 58), (255, 214, 150)),
    "absinthe": ((30, 8, 50), (102, 40, 136), (166, 224, 50), (226, 250, 130)),
    "opal": ((62, 58, 106), (158, 160, 222), (188, 236, 216), (250, 216, 228)),
}


def colours(stops: Stops, device: torch.device | str = "cpu") -> Tensor:
    """Return the four stops of a palette, (4, 3) in [0, 1]."""
    return torch.tensor(stops, dtype=torch.float32, device=device) / 255.0


def paint(value: Tensor, stops: Tensor) -> Tensor:
    """Colour a field (T, H, W) in [0, 1] with stops (4, 3); return (T, 3, H, W) in [0, 1]."""
    position = value * (len(stops) - 1)
    image = stops[0][None, :, None, None]
    for index in range(len(stops) - 1):  # one ramp per stretch: no gather, which graphics cards and caches dislike
        ramp = (position - index).clamp(0.0, 1.0)
        image = image + ramp[:, None] * (stops[index + 1] - stops[index])[None, :, None, None]
    return image
