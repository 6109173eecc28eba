"""What the next chunk is made with, quantised: it lands with the chunk that begins nearest to the boundary."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.chunk_source import SourceChoice
from vj.commands import CommandQueue
from vj.conductor import Conductor
from vj.controls import Controls
from vj.generator_thread import GeneratorThread
from vj.output.frame_reader import FrameReader
from vj.parameters import ParameterStore
from vj.tempo.tempo import Tempo

HALF_CHUNK_S = 12 / 16 / 2
REFRESH_S = 1 / 60


class Stage:
    """An engine in its own process and a reader that is asked at display rate, without a window."""

    def __init__(self, model: str) -> None:
        self.controls = Controls(ParameterStore(), CommandQueue())
        self.generator = GeneratorThread(self.controls.store, self.controls.commands, SourceChoice(model, (64, 48)))
        self.reader = FrameReader(self.generator.ring_path)
        self.conductor = Conductor()
        self.tempo = Tempo(self.controls, self.conductor, lambda: self.generator.status, lambda: self.reader.status)
        self.controls.answer("/vj/seed/next", lambda press: self.controls.set("/vj/seed/value", 7, press.source))
        self.generator.start()
        self.conductor.start()

    def refresh_until(self, is_over: object, timeout_s: float) -> None:
        end_s = time.monotonic() + timeout_s
        while not is_over():
            assert time.monotonic() < end_s, f"it did not happen: {self.generator.failures}"
            self.reader.picture_at(time.monotonic_ns())
            time.sleep(REFRESH_S)

    def end(self) -> None:
        self.conductor.stop()
        self.generator.stop()
        self.reader.close()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage("test-pattern@32")
    yield stage
    stage.end()


def test_the_next_seed_is_seen_within_half_a_chunk_of_its_bar(stage: Stage):
    stage.refresh_until(lambda: stage.reader.status.frame_index > 24, 20.0)
    stage.controls.set("/vj/clock/quantise", "bar", "panel")
    stage.controls.trigger("/vj/seed/next", "osc")
    (waiting,) = stage.tempo.quantiser.pending
    stage.refresh_until(lambda: stage.controls.store.get("/vj/seed/value") == 7, 10.0)
    lands_ns, version = waiting.lands_ns, stage.controls.store.version
    stage.refresh_until(lambda: stage.reader.status.params_version >= version, 10.0)
    late_s = (time.monotonic_ns() - lands_ns) / 1e9
    assert abs(late_s) <= HALF_CHUNK_S + 0.25, "the reserve is for a machine that is busy"
