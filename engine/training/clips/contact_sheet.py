"""Contact sheets: stills of many clips in one picture. Knows nothing of what is in them."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

JPEG_QUALITY = 4  # FFmpeg's scale: 2 best, 31 worst
GAP_PX = 3


def lay_out(rows: list[list[Tensor]]) -> Tensor:
    """Lay rows of stills (3, H, W) in [-1, 1], all of one size, on black; return (H, W, 3) uint8."""
    _, height, width = rows[0][0].shape
    columns = max(len(row) for row in rows)
    sheet = torch.zeros(
        len(rows) * (height + GAP_PX) + GAP_PX, columns * (width + GAP_PX) + GAP_PX, 3, dtype=torch.uint8
    )
    for down, row in enumerate(rows):
        for across, still in enumerate(row):
            top, left = GAP_PX + down * (height + GAP_PX), GAP_PX + across * (width + GAP_PX)
            pixels = ((still.permute(1, 2, 0) + 1.0) * 127.5 + 0.5).clamp(0, 255)
            sheet[top : top + height, left : left + width] = pixels.to(torch.uint8)
    return sheet


def write_jpeg(picture: Tensor, path: Path) -> None:
    """Write a picture (H, W, 3) uint8 as JPEG; needs PyAV, which set-up installs."""
    import av

    picture = picture[: picture.shape[0] // 2 * 2, : picture.shape[1] // 2 * 2]
    with av.open(str(path), "w", format="image2", options={"update": "1"}) as container:
        stream = container.add_stream("mjpeg", rate=1)
        stream.height, stream.width = picture.shape[:2]
        stream.pix_fmt = "yuvj444p"
        stream.options = {"qscale": str(JPEG_QUALITY), "qmin": "2", "qmax": str(JPEG_QUALITY)}
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture.numpy()), format="rgb24")
        for packet in [*stream.encode(frame), *stream.encode()]:
            container.mux(packet)
