"""Hard cues and the chunk under way, in the loop that makes it: begun anew where the picture plays on, else not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.chunk import Chunk
from engine.live.chunk_watch import ChunkGivenUp, ChunkWatch
from engine.messages import GeneratorStatus, Values
from engine.params import ChunkParams
from tests.engine.test_worker_loop import SlowPattern, Stage, wait_for

POLL_S = 0.002


class Held(SlowPattern):
    """Takes its time in small steps, looking at its watch; can be held in the middle of a chunk."""

    def __init__(self) -> None:
        super().__init__()
        self.is_held = False
        self.is_inside = False

    def generate_chunk(
        self,
        params: ChunkParams,
        params_version: int = 0,
        newest: Callable[[], ChunkParams] | None = None,
        watch: ChunkWatch | None = None,
    ) -> Chunk:
        assert watch is not None
        self._texts = params.prompt_texts
        self.is_inside = True
        while self.is_held:
            if watch.is_given_up():
                raise ChunkGivenUp
            time.sleep(POLL_S)
        self.is_inside = False
        return super().generate_chunk(params, params_version, newest, watch)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(Held(), tmp_path / "ring")
    yield stage
    stage.source.is_held = False
    stage.stop()


def hold_a_chunk(stage: Stage) -> None:
    """Stop inside a chunk with frames in hand that nobody plays: time stands still."""
    wait_for(lambda: len(stage.source.seen) > 3)
    stage.source.is_held = True
    wait_for(lambda: stage.source.is_inside)


def given_up(stage: Stage) -> int:
    return stage.of(GeneratorStatus)[-1].given_up


def stop_the_display(stage: Stage) -> None:
    stage._stop.set()
    stage._threads[1].join()


@pytest.mark.parametrize("cue", ["cut/hard", "cut/soft", "text", "seed"])
def test_a_hard_cue_begins_the_chunk_under_way_anew(stage: Stage, cue: str) -> None:
    stage.start()
    hold_a_chunk(stage)
    stop_the_display(stage)
    if cue == "text":
        stage.command("prompt/text", pad=1, text="red desert")
    elif cue == "seed":
        stage.inbox.put(Values(5, {"/vj/seed/value": 11}))
    else:
        stage.command(cue)
    wait_for(lambda: given_up(stage) == 1)
    assert not stage.source.failures
    made = len(stage.source.seen)
    stage.source.is_held = False
    wait_for(lambda: len(stage.source.seen) > made)
    params = stage.source.seen[made]
    if cue == "text":
        assert params.prompt_texts[0] == "red desert"
    elif cue == "seed":
        assert params.seed == 11
    else:
        assert stage.source.cuts == [cue.removeprefix("cut/")]


@pytest.mark.parametrize(("mode", "cue"), [("off", "cut/hard"), ("cuts", "cut/soft")])
def test_the_switch_says_what_may_give_a_chunk_up(stage: Stage, mode: str, cue: str) -> None:
    stage.inbox.put(Values(1, {"/vj/model/preempt": mode}))
    stage.start(is_told=False)
    hold_a_chunk(stage)
    stop_the_display(stage)
    cut = stage.command(cue)
    time.sleep(20 * POLL_S)
    stage.source.is_held = False
    wait_for(lambda: stage.answer(cut))
    assert given_up(stage) == 0


def test_a_chunk_is_finished_when_the_picture_would_stand_still_without_it(stage: Stage) -> None:
    stage.start()
    hold_a_chunk(stage)
    wait_for(lambda: stage.ring.written - stage.ring.read <= 2)  # the display has all but run dry
    cut = stage.command("cut/hard")
    time.sleep(20 * POLL_S)
    stage.source.is_held = False
    wait_for(lambda: stage.answer(cut))
    assert given_up(stage) == 0


def test_a_seed_that_never_rests_does_not_stop_the_stream(stage: Stage) -> None:
    stage.start()
    hold_a_chunk(stage)
    stop_the_display(stage)
    for version in range(2, 40):
        stage.inbox.put(Values(version, {"/vj/seed/value": version}))
        time.sleep(POLL_S)
    assert 1 <= given_up(stage) <= 2
    stage.source.is_held = False
    made = len(stage.source.seen)
    wait_for(lambda: len(stage.source.seen) > made)
