"""A deck cut as the audience sees it. The long form is tests/long/deck_cut.py."""

from __future__ import annotations

import os
import signal
import statistics
from collections.abc import Iterator

import pytest

from tests.vj.presets.deck_stage import DeckStage
from tests.vj.tempo.beat_stage import FRAME_NS


@pytest.fixture
def stage(qt_application, display) -> Iterator[DeckStage]:
    stage = DeckStage(display, "test-pattern@48", "beat", ("deep_sea", "furnace"))
    yield stage
    stage.end()


def test_a_killed_engine_arms_the_deck_again(stage: DeckStage):
    found: dict[str, object] = {}

    def kill() -> None:
        stage.until(lambda: stage.reader.status.is_streaming)
        stage.decks.arm("deep_sea")
        found["ready"] = stage.until(lambda: stage.decks.status.is_ready)
        found["before"] = stage.generator.process_id
        os.kill(stage.generator.process_id, signal.SIGKILL)
        found["gone"] = stage.until(lambda: stage.generator.restarts == 1)
        found["ready again"] = stage.until(lambda: stage.decks.status.is_ready)

    stage.watch(kill)
    assert found["ready"]
    assert found["gone"]
    assert found["ready again"]
    assert stage.generator.process_id != found["before"]
    assert stage.decks.status.on_air == "A"
    assert stage.scenes.black == 0


def test_deck_cuts_are_seen_within_one_display_frame_of_the_beat(stage: DeckStage):
    seen = stage.play(cuts=3, seed=3)
    told = [(round(cut.error_ms, 1), round(cut.switch_error_ms, 1), round(cut.late_refresh_ms, 1)) for cut in seen]
    assert all(cut.is_on_beat_for_the_display for cut in seen), told
    assert abs(statistics.median(cut.error_ms for cut in seen)) <= 2 * FRAME_NS / 1e6, told
    assert stage.decks.status.on_air == "B"
    assert stage.controls.store.moved_by("/vj/prompt/1/text").source == "deck deep_sea"
    assert not stage.told
    assert stage.generator.failures == ()
