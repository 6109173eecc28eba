"""What a chunk under way is told by the loop that makes it: newest values, texts that are due, no cuts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.chunk import Chunk
from engine.live.chunk_watch import ChunkWatch
from engine.messages import Values
from engine.params import ChunkParams
from tests.engine.test_worker_loop import SlowPattern, Stage, wait_for


class Asking(SlowPattern):
    """Asks once more in the middle of every chunk, and can be held there."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[ChunkParams] = []
        self.is_held = False
        self.is_inside = False

    def generate_chunk(
        self,
        params: ChunkParams,
        params_version: int = 0,
        newest: Callable[[], ChunkParams] | None = None,
        watch: ChunkWatch | None = None,
    ) -> Chunk:
        self.is_inside = True
        while self.is_held:
            time.sleep(0.002)
        assert newest is not None
        self.asked.append(newest())
        self.is_inside = False
        return super().generate_chunk(params, params_version, newest, watch)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(Asking(), tmp_path / "ring")
    yield stage
    stage.source.is_held = False
    stage.stop()


def hold_a_chunk(stage: Stage) -> int:
    """Stop inside a chunk; returns how many were asked for before it."""
    wait_for(lambda: stage.source.asked)
    stage.source.is_held = True
    wait_for(lambda: stage.source.is_inside)
    time.sleep(0.02)
    return len(stage.source.asked)


def test_values_and_texts_reach_the_chunk_under_way(stage: Stage) -> None:
    stage.start()
    before = hold_a_chunk(stage)
    text = stage.command("prompt/text", pad=1, text="red desert")
    stage.inbox.put(Values(5, {"/vj/prompt/1/weight": 0.25, "/vj/prompt/mid_chunk": True}))
    stage.source.is_held = False
    wait_for(lambda: len(stage.source.asked) > before)
    asked = stage.source.asked[before]
    assert (asked.prompt_texts[0], asked.prompt_weights[0], asked.mid_chunk) == ("red desert", 0.25, True)
    wait_for(lambda: stage.answer(text))
    assert stage.answer(text).error == ""


def test_a_text_behind_a_cut_waits_for_the_chunk_it_belongs_to(stage: Stage) -> None:
    stage.start()
    before = hold_a_chunk(stage)
    cut = stage.command("cut/hard")
    stage.command("prompt/text", pad=1, text="red desert")
    stage.source.is_held = False
    wait_for(lambda: stage.answer(cut))
    assert stage.source.asked[before].prompt_texts[0] != "red desert"
    assert stage.source.asked[-1].prompt_texts[0] == "red desert"
    assert stage.source.cuts == ["hard"]
