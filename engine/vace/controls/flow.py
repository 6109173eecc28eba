"""Motion as colour: optical flow by OpenCV's DIS, drawn on the wheel of the Middlebury benchmark, white = still.

Knows nothing of streams beyond the frame before.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from engine.vace.controls.maker import MadeControl

WORKING_ROWS, LONGEST_SIDE = (
    240,
    640,
)  # of the picture motion is found in; it is drawn at half of it, which hides DIS's patches
LEAST_SIDE = 48  # below 32 rows OpenCV's DIS reads past its pictures, and the process ends
SLOWEST, FASTEST = 0.004, 0.08  # widths per frame that are drawn in full colour, at detail 1 and 0
# Steps from red over yellow, green, cyan, blue and magenta back to red (Baker et al., A Database and Evaluation
# Methodology for Optical Flow, 2011): as many as the eye tells apart.
WHEEL_STEPS = (15, 6, 4, 11, 13, 6)
CORNERS = ((255, 0, 0), (255, 255, 0), (0, 255, 0), (0, 255, 255), (0, 0, 255), (255, 0, 255), (255, 0, 0))


@dataclass(frozen=True)
class _Before:
    grey: np.ndarray  # (H, W) uint8


def flow(frames: np.ndarray, detail: float, carried: object | None = None) -> MadeControl:
    """Draw how the picture moves since the frame before; detail 0 shows fast motion alone, 1 slow motion too.

    The very first frame of a stream has no frame before it and is drawn as still.
    """
    import cv2

    height, width = frames.shape[1:3]
    scale = min(WORKING_ROWS / height, LONGEST_SIDE / width)
    small = max(LEAST_SIDE, round(width * scale)), max(LEAST_SIDE, round(height * scale))
    greys = [_small_grey(frame, small) for frame in frames]
    full = small[0] * FASTEST * (SLOWEST / FASTEST) ** min(1.0, max(0.0, detail))
    finder = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    is_known = isinstance(carried, _Before) and carried.grey.shape == greys[0].shape
    before = [carried.grey if is_known else greys[0], *greys[:-1]]
    moves = [finder.calc(old, new, None) for old, new in zip(before, greys, strict=True)]
    half = small[0] // 2, small[1] // 2
    smooth = (cv2.resize(move, half, interpolation=cv2.INTER_AREA) for move in moves)
    drawn = [cv2.resize(draw_flow(move, full), (width, height), interpolation=cv2.INTER_CUBIC) for move in smooth]
    return MadeControl(np.stack(drawn), _Before(greys[-1]))


def draw_flow(move: np.ndarray, full: float) -> np.ndarray:
    """Motion (H, W, 2) in pixels right and down -> (H, W, 3) uint8; `full` pixels have the full colour."""
    across, down = move[..., 0] / full, move[..., 1] / full
    length = np.minimum(np.hypot(across, down), 1.0)[..., None]
    wheel = _wheel()
    turn = (np.arctan2(-down, -across) / np.pi + 1.0) / 2.0 * (len(wheel) - 1)
    low = turn.astype(np.int32)
    share = (turn - low)[..., None]
    pure = wheel[low] * (1.0 - share) + wheel[(low + 1) % len(wheel)] * share
    return np.rint(255.0 - length * (255.0 - pure)).astype(np.uint8)


def _small_grey(frame: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    import cv2

    how = cv2.INTER_AREA if size[0] < frame.shape[1] else cv2.INTER_LINEAR
    small = cv2.resize(np.ascontiguousarray(frame[..., :3]), size, interpolation=how)
    return cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)


@functools.cache
def _wheel() -> np.ndarray:
    """Colours (55, 3) float32 around the wheel."""
    parts = [
        np.array(begin) + (np.array(end) - np.array(begin)) * np.arange(steps)[:, None] / steps
        for begin, end, steps in zip(CORNERS, CORNERS[1:], WHEEL_STEPS, strict=False)
    ]
    return np.concatenate(parts).astype(np.float32)
