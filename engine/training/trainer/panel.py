"""The panel: the same prompts with the same noise, painted as the training goes on. Knows nothing of models."""

from __future__ import annotations

import importlib.util
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

COLUMNS = 6  # frames shown of each clip, evenly spread, the last one included
GAP_PX = 4


def read_prompts(path: Path) -> tuple[str, ...]:
    """The lines of a text file that are not empty. Raises ValueError with a sentence."""
    try:
        prompts = tuple(line.strip() for line in path.read_text("utf-8").splitlines() if line.strip())
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"[trainer] panel_prompts = {path}: cannot be read ({error})") from error
    if not prompts:
        raise ValueError(f"[trainer] panel_prompts = {path}: holds no prompt; write one per line")
    return prompts


def sheet(clips: Tensor, columns: int = COLUMNS) -> np.ndarray:
    """Clips (P, T, 3, H, W) in 0..1 -> one picture, (rows, columns, 3) uint8: a row per clip."""
    chosen = torch.linspace(0, clips.shape[1] - 1, min(columns, clips.shape[1])).round().long()
    frames = (clips[:, chosen].float().clamp(0.0, 1.0) * 255.0).round().to(torch.uint8).cpu()
    rows, count, _, height, width = frames.shape
    picture = np.zeros((rows * (height + GAP_PX) - GAP_PX, count * (width + GAP_PX) - GAP_PX, 3), np.uint8)
    for row in range(rows):
        for column in range(count):
            top, left = row * (height + GAP_PX), column * (width + GAP_PX)
            picture[top : top + height, left : left + width] = frames[row, column].permute(1, 2, 0).numpy()
    return picture


def write_png(picture: np.ndarray, path: Path) -> bool:
    """Write (H, W, 3) uint8 as PNG; say whether there was a library for it."""
    if importlib.util.find_spec("av") is None:
        sys.stderr.write(f"{path} is not written: PyAV is missing; `pip install av`\n")
        return False
    import av

    encoder = av.CodecContext.create("png", "w")
    encoder.width, encoder.height, encoder.pix_fmt = picture.shape[1], picture.shape[0], "rgb24"
    encoder.time_base = Fraction(1)
    packets = [*encoder.encode(av.VideoFrame.from_ndarray(picture, "rgb24")), *encoder.encode(None)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(bytes(packet) for packet in packets))
    return True
