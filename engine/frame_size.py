"""Reads and checks a picture size. Knows nothing of models; every command line uses it."""

from __future__ import annotations

import re

# a transformer token covers 2x2 latent pixels of 8x8 pixels each (Wan2.1 patch size and VAE stride)
SIZE_STEP_PIXELS = 16
SHRINK = 0.77  # of each side when memory does not suffice: 832x480 becomes 640x368
SMALLEST_PLAYED_PIXELS = 48  # per side
SIZE_LARGEST_PIXELS = 2048  # per side; above it the window alone outgrows the memory of the cards in use


def parse_size(text: str) -> tuple[int, int]:
    """Read "WxH" as (width, height). Raises ValueError with a sentence for anything a model cannot make."""
    match = re.fullmatch(r"\s*(\d{1,9})\s*[xX×*]\s*(\d{1,9})\s*", text)
    if match is None:
        raise ValueError(f"size {text!r} is not WIDTHxHEIGHT in pixels, for example 256x144")
    width, height = int(match[1]), int(match[2])
    check_size(width, height)
    return width, height


def check_size(width: int, height: int) -> None:
    """Raise ValueError, naming the two nearest legal sizes, unless both sides suit the transformer."""
    if not all(SIZE_STEP_PIXELS <= side <= SIZE_LARGEST_PIXELS for side in (width, height)):
        limits = f"{SIZE_STEP_PIXELS}x{SIZE_STEP_PIXELS} to {SIZE_LARGEST_PIXELS}x{SIZE_LARGEST_PIXELS}"
        raise ValueError(f"size {width}x{height} is impossible: sizes go from {limits} pixels")
    if width % SIZE_STEP_PIXELS or height % SIZE_STEP_PIXELS:
        smaller, larger = (f"{_step(width, up)}x{_step(height, up)}" for up in (False, True))
        raise ValueError(
            f"size {width}x{height} is not a multiple of {SIZE_STEP_PIXELS}: the nearest are {smaller} and {larger}"
        )


def smaller_size(width: int, height: int) -> tuple[int, int] | None:
    """Return the legal size one step down, near SHRINK of each side; None below the smallest worth playing."""
    sides = [max(1, round(side * SHRINK / SIZE_STEP_PIXELS)) * SIZE_STEP_PIXELS for side in (width, height)]
    if min(sides) < SMALLEST_PLAYED_PIXELS or sides == [width, height]:
        return None
    return sides[0], sides[1]


def _step(side: int, up: bool) -> int:
    """Nearest legal side at or below, or at or above."""
    steps = -(-side // SIZE_STEP_PIXELS) if up else side // SIZE_STEP_PIXELS
    return steps * SIZE_STEP_PIXELS
