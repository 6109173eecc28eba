"""Controls of one picture at a time: brightness, soft lines, blur, fields of colour. By OpenCV.

Knows nothing of streams beyond the one smoothed picture that keeps lines from flickering.
"""

from __future__ import annotations

import numpy as np

from engine.vace.controls.maker import MadeControl

FULL_LINES = 480  # rows of a picture for which widths below are meant; others scale with them
STRONGEST_EDGE, FAINTEST_EDGE = 420.0, 28.0  # Sobel 3x3 of 8 bit brightness that makes a full line at detail 0 and 1
WEAK_SHARE = 0.45  # of it begins a line
LINE_SIGMA = 0.8  # pixels
STILL, MOVING = 4.0, 14.0  # change of 8 bit brightness that is taken for noise, and for motion
NOISE_SHARE = 0.25  # of a change that is taken for noise is let through per frame
WIDEST_BLUR, NARROWEST_BLUR = 0.1, 0.004  # sigma in heights
SMALLEST_SIGMA = 3.0  # pixels of the picture that is blurred
FEWEST_CELLS, MOST_CELLS = 6.0, 64.0  # across the longer side


def unchanged(frames: np.ndarray, detail: float, carried: object | None = None) -> MadeControl:
    """Give the picture as it is."""
    return MadeControl(frames[..., :3])


def luma(frames: np.ndarray, detail: float, carried: object | None = None) -> MadeControl:
    """Take the brightness without colour."""
    return MadeControl(np.stack([_as_rgb(_grey(frame)) for frame in frames]))


def edges(frames: np.ndarray, detail: float, carried: object | None = None) -> MadeControl:
    """Draw white lines on black; detail 0 the strongest alone, 1 nearly all there are.

    A line is as bright as its edge is strong, so that none jumps in or out at a threshold, and what changes no more
    than noise does is smoothed over time before (`carried` is the smoothed brightness).
    """
    made, smoothed = [], carried if isinstance(carried, np.ndarray) else None
    for frame in frames:
        smoothed = _smoothed_in_time(_grey(frame), smoothed)
        made.append(_as_rgb(_soft_lines(smoothed, detail)))
    return MadeControl(np.stack(made), smoothed)


def blur(frames: np.ndarray, detail: float, carried: object | None = None) -> MadeControl:
    """Blur the picture; detail 0 over a tenth of its height, 1 hardly."""
    import cv2

    height, width = frames.shape[1:3]
    sigma = height * _between(WIDEST_BLUR, NARROWEST_BLUR, detail)
    shrink = max(1, int(sigma / SMALLEST_SIGMA))  # a wide blur of a small picture, made large again, is the same
    size = max(2, width // shrink), max(2, height // shrink)
    made = []
    for frame in frames:
        small = cv2.resize(_rgb(frame), size, interpolation=cv2.INTER_AREA)
        soft = cv2.GaussianBlur(small, (0, 0), sigma * size[1] / height)
        made.append(cv2.resize(soft, (width, height), interpolation=cv2.INTER_CUBIC))
    return MadeControl(np.stack(made))


def colour(frames: np.ndarray, detail: float, carried: object | None = None) -> MadeControl:
    """Average colours over a coarse grid and let them run into each other; detail 0 six across, 1 sixty-four."""
    import cv2

    height, width = frames.shape[1:3]
    scale = _between(FEWEST_CELLS, MOST_CELLS, detail) / max(height, width)
    cells = max(2, round(width * scale)), max(2, round(height * scale))
    small = (cv2.resize(_rgb(frame), cells, interpolation=cv2.INTER_AREA) for frame in frames)
    return MadeControl(np.stack([cv2.resize(cell, (width, height), interpolation=cv2.INTER_CUBIC) for cell in small]))


def _soft_lines(grey: np.ndarray, detail: float) -> np.ndarray:
    import cv2

    scale = max(0.6, grey.shape[0] / FULL_LINES)
    calm = cv2.GaussianBlur(np.rint(grey).astype(np.uint8), (0, 0), scale)
    across, down = (cv2.Sobel(calm, cv2.CV_16S, *axis, ksize=3) for axis in ((1, 0), (0, 1)))
    full = _between(STRONGEST_EDGE, FAINTEST_EDGE, detail)
    weak = WEAK_SHARE * full
    thin = cv2.Canny(across, down, weak, weak, L2gradient=True)  # its second threshold would let lines jump in
    strength = np.clip((np.hypot(across, down, dtype=np.float32) - weak) / (full - weak), 0.0, 1.0)
    sigma = LINE_SIGMA * scale
    gain = 2.5 * sigma  # a line one pixel wide keeps its brightness: 1 / the kernel's peak across it
    return np.clip(cv2.GaussianBlur(thin * strength, (0, 0), sigma) * gain, 0, 255).astype(np.uint8)


def _smoothed_in_time(grey: np.ndarray, before: np.ndarray | None) -> np.ndarray:
    """Brightness (H, W) float32 that follows motion at once and noise slowly."""
    import cv2

    now = grey.astype(np.float32)
    if before is None or before.shape != now.shape:
        return now
    change = now - before
    moved = cv2.GaussianBlur(np.abs(change), (0, 0), 1.5)  # noise has no neighbours, motion does
    follow = NOISE_SHARE + (1.0 - NOISE_SHARE) * np.clip((moved - STILL) / (MOVING - STILL), 0.0, 1.0)
    return before + follow * change


def _between(at_zero: float, at_one: float, detail: float) -> float:
    """The value for a detail in 0..1, in equal ratios."""
    return float(at_zero * (at_one / at_zero) ** min(1.0, max(0.0, detail)))


def _rgb(frame: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(frame[..., :3])


def _grey(frame: np.ndarray) -> np.ndarray:
    import cv2

    return cv2.cvtColor(_rgb(frame), cv2.COLOR_RGB2GRAY)


def _as_rgb(grey: np.ndarray) -> np.ndarray:
    return np.repeat(grey[..., None], 3, axis=-1)
