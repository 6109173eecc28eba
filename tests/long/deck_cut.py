"""Twenty quantised cuts to the free deck at 120 BPM, seen on a display, with a drawn pattern and with ember.

Judged by a witness at the X display's pixels (ember, which has no lamp: by the swap of its first picture).
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from PyQt6.QtWidgets import QApplication

from tests.long.cut_on_the_beat import figures_of
from tests.servers import XDisplay
from tests.servers.qt import end_application
from tests.vj.presets.deck_stage import DeckStage
from vj.app.application import SWITCH_INTERVAL_S

CUTS = 20
MODELS = {"pattern": "test-pattern@32", "ember": "ember"}  # @ frames made a second; 16 are played
LOOKS = ("deep_sea", "furnace")


def run(cuts: int = CUTS, models: dict[str, str] = MODELS) -> dict[str, dict[str, object]]:
    """Play and return the figures; raises AssertionError when a cut missed its beat."""
    found: dict[str, dict[str, object]] = {}
    interval_s = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    with tempfile.TemporaryDirectory() as folder, XDisplay(Path(folder), 640, 360) as display:
        os.environ.update(display.env)
        application = QApplication.instance() or QApplication(["vj-tests"])
        for name, model in models.items():
            stage = DeckStage(display, model, "beat", LOOKS)
            try:
                found[name] = {"model": model} | figures_of(stage.play(cuts, seed=20)) | stage.seen_figures()
            finally:
                stage.end()
        end_application(application)
    sys.setswitchinterval(interval_s)
    for name, figures in found.items():
        on_beat = figures["within_one_frame_late_refreshes_taken_off"]
        assert on_beat == cuts, f"{name}: {on_beat} of {cuts} deck cuts on the beat: {figures}"
        assert figures["stillest_ms"] <= 250, f"{name}: a picture stood still: {figures}"
        assert not figures["black"], f"{name}: black was shown: {figures}"
    return found
