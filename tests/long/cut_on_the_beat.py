"""Twenty quantised cuts at 120 BPM, seen on a display, with the generator at normal and at half speed, and on ember.

Judged by a witness at the X display's pixels (ember, which has no lamp: by the swap of its first picture).
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from pathlib import Path

from PyQt6.QtWidgets import QApplication

from tests.servers import XDisplay
from tests.servers.qt import end_application
from tests.vj.tempo.beat_stage import BeatStage, SeenCut
from vj.app.application import SWITCH_INTERVAL_S

CUTS = 20
MODELS = {
    "normal": "test-pattern@16",
    "half": "test-pattern@8",
    "ember": "ember",
}  # @ frames made a second; 16 are played


def figures_of(seen: list[SeenCut]) -> dict[str, object]:
    """What was seen, in milliseconds from the beat."""
    errors = [cut.error_ms for cut in seen]
    return {
        "cuts": len(seen),
        "within_one_frame": sum(cut.is_on_beat for cut in seen),
        "within_one_frame_late_refreshes_taken_off": sum(cut.is_on_beat_for_the_display for cut in seen),
        "error_ms_median": round(statistics.median(errors), 1),
        "error_ms_worst": round(max(errors, key=abs), 1),
        "errors_ms": [round(error, 1) for error in errors],
        "reader_switch_errors_ms": [round(cut.switch_error_ms, 1) for cut in seen],
        "late_refresh_ms": [round(cut.late_refresh_ms, 1) for cut in seen],
        "press_to_beat_s_median": round(statistics.median((cut.beat_ns - cut.pressed_ns) / 1e9 for cut in seen), 2),
    }


def _played(display: XDisplay, model: str, cuts: int) -> list[SeenCut]:
    stage = BeatStage(display, model, "beat")
    try:
        return stage.play(cuts, seed=20)
    finally:
        stage.end()


def run(cuts: int = CUTS) -> dict[str, dict[str, object]]:
    """Play and return the figures; raises AssertionError when a cut missed its beat."""
    found: dict[str, dict[str, object]] = {}
    interval_s = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    with tempfile.TemporaryDirectory() as folder, XDisplay(Path(folder), 640, 360) as display:
        os.environ.update(display.env)
        application = QApplication.instance() or QApplication(["vj-tests"])
        for name, model in MODELS.items():
            found[name] = {"model": model} | figures_of(_played(display, model, cuts))
        end_application(application)
    sys.setswitchinterval(interval_s)
    for name, figures in found.items():
        on_beat = figures["within_one_frame_late_refreshes_taken_off"]
        assert on_beat == cuts, f"{name}: {on_beat} of {cuts} cuts on the beat: {figures}"
    return found
