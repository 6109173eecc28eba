"""How fast things move in a video, by OpenCV's DIS optical flow (arXiv:1603.03590).

The rule of VBench's dynamic degree with another estimator of flow: figures carry `dis` in their names.
"""

from __future__ import annotations

import numpy as np

SAMPLED_HZ = 8.0  # pairs of frames are taken about so often
FASTEST_SHARE = 0.05  # of the pixels: a frame's speed is their mean
MOVING_PX = 6.0  # per pair, at a short side of 256 pixels
MOVING_SHARE = 4.0 / 16.0  # of the pairs, from which on a video moves
NEEDS_OPENCV = "motion degree needs OpenCV: `pip install opencv-python-headless`"


class MissingOpenCvError(ModuleNotFoundError):
    """OpenCV is not installed; the text is the sentence for the user."""


class FlowMeter:
    """Takes frames in order and keeps the speed of about eight pairs of them a second."""

    def __init__(self, rate_hz: float) -> None:
        """Raise MissingOpenCvError with the line that mends it."""
        try:
            import cv2
        except ModuleNotFoundError:
            raise MissingOpenCvError(NEEDS_OPENCV) from None
        self._cv2 = cv2
        self._estimator = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        self._interval = max(1, round(rate_hz / SAMPLED_HZ))
        self._pair_s = self._interval / rate_hz
        self._frames = 0
        self._last: np.ndarray | None = None
        self._speeds_px: list[float] = []
        self._short_side = 1

    def add(self, frame: np.ndarray) -> None:
        """Take the next frame, (H, W, 3) uint8."""
        is_sampled = self._frames % self._interval == 0
        self._frames += 1
        if not is_sampled:
            return
        grey = self._cv2.cvtColor(frame, self._cv2.COLOR_RGB2GRAY)
        if self._last is not None:
            flow = self._estimator.calc(self._last, grey, None)
            speed = np.hypot(flow[..., 0], flow[..., 1]).ravel()
            fastest = max(1, int(len(speed) * FASTEST_SHARE))
            self._speeds_px.append(float(np.partition(speed, -fastest)[-fastest:].mean()))
        self._last, self._short_side = grey, min(grey.shape)

    @property
    def motion_degree_dis(self) -> float | None:
        """Speed of the fastest twentieth of the pixels, in short sides of the picture per second; None of one frame."""
        if not self._speeds_px:
            return None
        return float(np.mean(self._speeds_px)) / self._short_side / self._pair_s

    @property
    def is_dynamic_dis(self) -> bool | None:
        """Whether the video counts as moving by VBench's rule; None for one frame."""
        if not self._speeds_px:
            return None
        limit_px = MOVING_PX * self._short_side / 256.0
        moving = sum(speed > limit_px for speed in self._speeds_px)
        return moving >= max(1, round(MOVING_SHARE * (len(self._speeds_px) + 1)))
