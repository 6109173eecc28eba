"""A quantised cut as the audience sees it. The long form is tests/long/cut_on_the_beat.py."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

import pytest

from tests.vj.tempo.beat_stage import FRAME_NS, BeatStage


@pytest.fixture
def stage(qt_application, display) -> Iterator[BeatStage]:
    stage = BeatStage(display, "test-pattern@32", "beat")
    yield stage
    stage.end()


def test_quantised_cuts_are_seen_within_one_display_frame_of_the_beat(stage: BeatStage):
    seen = stage.play(cuts=3, seed=3)
    told = [(round(cut.error_ms, 1), round(cut.switch_error_ms, 1), round(cut.late_refresh_ms, 1)) for cut in seen]
    assert all(cut.is_on_beat_for_the_display for cut in seen), told
    assert abs(statistics.median(cut.error_ms for cut in seen)) <= 2 * FRAME_NS / 1e6, told
