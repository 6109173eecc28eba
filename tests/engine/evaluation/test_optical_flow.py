"""Motion by optical flow: pictures moved by a known number of pixels."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from engine.evaluation.optical_flow import FlowMeter, MissingOpenCvError

RATE_HZ = 16.0


def texture() -> np.ndarray:
    dice = np.random.default_rng(3)
    waves = np.zeros((144, 512))
    rows, columns = np.mgrid[0:144, 0:512]
    for _ in range(12):
        across, down, phase = dice.uniform(0.05, 0.25), dice.uniform(0.05, 0.25), dice.uniform(0, 6.28)
        waves += np.sin(across * columns + down * rows + phase)
    grey = (128 + 18 * waves).clip(0, 255).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, 2)


@pytest.mark.parametrize(("step_px", "is_dynamic"), [(4, True), (0, False), (1, False)])
def test_a_moving_texture_has_its_speed(step_px: int, is_dynamic: bool):
    pytest.importorskip("cv2")
    meter, wide = FlowMeter(RATE_HZ), texture()
    for number in range(17):
        meter.add(wide[:, step_px * number : step_px * number + 256])
    # every second frame is taken: 2 * step pixels per pair, eight pairs a second, 144 pixels a short side
    assert meter.motion_degree_dis == pytest.approx(step_px * RATE_HZ / 144, rel=0.1, abs=0.02)
    assert meter.is_dynamic_dis is is_dynamic


def test_one_frame_has_no_speed():
    pytest.importorskip("cv2")
    meter = FlowMeter(RATE_HZ)
    meter.add(texture()[:, :256])
    assert (meter.motion_degree_dis, meter.is_dynamic_dis) == (None, None)


def test_without_opencv_the_line_that_mends_it_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(MissingOpenCvError, match="pip install"):
        FlowMeter(RATE_HZ)
