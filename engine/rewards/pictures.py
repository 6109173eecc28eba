"""Frames brought to the size and numbers a published image model was trained with, with gradients all the way.

Knows nothing of the models.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)


def resize(pictures: Tensor, height: int, width: int) -> Tensor:
    """Bicubic with antialiasing, as torchvision and Pillow do it: (N, 3, H, W) in 0..1 -> (N, 3, height, width)."""
    if pictures.shape[-2:] == (height, width):
        return pictures
    resized = functional.interpolate(
        pictures.float(), size=(height, width), mode="bicubic", align_corners=False, antialias=True
    )
    return resized.clamp(0.0, 1.0)


def letterbox(pictures: Tensor, side: int) -> Tensor:
    """Longest side to `side`, the rest black, as HPS v2 measures: (N, 3, H, W) -> (N, 3, side, side)."""
    height, width = pictures.shape[-2:]
    scale = side / max(height, width)
    inner = resize(pictures, max(1, round(height * scale)), max(1, round(width * scale)))
    top, left = side - inner.shape[-2], side - inner.shape[-1]
    return functional.pad(inner, (left // 2, left - left // 2, top // 2, top - top // 2))


def centre_crop(pictures: Tensor, side: int) -> Tensor:
    """Shortest side to `side`, the middle square of it: (N, 3, H, W) -> (N, 3, side, side)."""
    height, width = pictures.shape[-2:]
    scale = side / min(height, width)
    larger = resize(pictures, max(side, int(height * scale)), max(side, int(width * scale)))
    top, left = (larger.shape[-2] - side) // 2, (larger.shape[-1] - side) // 2
    return larger[..., top : top + side, left : left + side]


def normalise(pictures: Tensor, mean: tuple[float, ...] = CLIP_MEAN, std: tuple[float, ...] = CLIP_STD) -> Tensor:
    """(x - mean) / std per channel."""
    middle, spread = (pictures.new_tensor(numbers)[:, None, None] for numbers in (mean, std))
    return (pictures - middle) / spread


def luma(frames: Tensor) -> Tensor:
    """Brightness (..., H, W) of frames (..., 3, H, W), by BT.709."""
    # a plain sum: as a product of matrices it would be made in bfloat16 under autocast, too coarse for differences
    return (frames * frames.new_tensor((0.2126, 0.7152, 0.0722))[:, None, None]).sum(dim=-3)
