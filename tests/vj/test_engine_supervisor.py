"""Engines that die, hang, run out of memory and give way to another, with real processes."""

from __future__ import annotations

import fcntl
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.chunk_source import SourceChoice
from engine.frame_ring import Frame, FrameRing
from engine.messages import GeneratorStatus
from vj import engine_run, engine_watch
from vj.commands import CommandQueue
from vj.controls import Controls
from vj.engine_params import MODEL_ADDRESS
from vj.generator_thread import GeneratorThread
from vj.output.frame_reader import FrameReader
from vj.parameters import ParameterStore

SIZE = (64, 48)
REFRESH_S = 1 / 60
FULL_MEMORY = """
import engine.chunk_source as sources

load = sources.load_source

def load_source(choice, *tell):
    source = load(choice, *tell)
    make = source.generate_chunk
    def generate_chunk(params, version=0, newest=None, watch=None):
        if source.width > 128:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return make(params, version, newest, watch)
    source.generate_chunk = generate_chunk
    return source

sources.load_source = load_source
"""


class Performance:
    """An engine thread, hands, and a display that plays what there is."""

    def __init__(self, choice: SourceChoice, folder: Path) -> None:
        self.hands = Controls(ParameterStore(), CommandQueue())
        self.thread = GeneratorThread(self.hands.store, self.hands.commands, choice, log_folder=folder / "logs")
        self.reader = FrameReader(self.thread.ring_path)

    @property
    def status(self) -> GeneratorStatus:
        return self.thread.status

    @property
    def told(self) -> str:
        return "\n".join(self.thread.failures)

    def play_until(self, condition: Callable[[], object], timeout_s: float = 30.0) -> float:
        """Refresh the display until something holds; return the seconds it took."""
        began_s = time.monotonic()
        while not condition():
            assert time.monotonic() < began_s + timeout_s, f"it did not happen in time; {self.status}; {self.told}"
            self.reader.picture_at(time.monotonic_ns())
            time.sleep(REFRESH_S)
        return time.monotonic() - began_s

    def play_s(self, seconds: float) -> None:
        end_s = time.monotonic() + seconds
        self.play_until(lambda: time.monotonic() >= end_s)

    def kill(self) -> int:
        """Kill the engine; return how often one was started again before."""
        before = self.thread.restarts
        os.kill(self.thread.process_id, signal.SIGKILL)
        self.play_until(lambda: self.status.restarts > before)
        return before

    def is_streaming(self) -> bool:
        return self.status.state == "streaming" and self.status.chunks > 0

    def frame(self) -> Frame:
        return self.reader.frame_on_screen


@pytest.fixture
def perform(tmp_path: Path) -> Iterator[Callable[..., Performance]]:
    running: list[Performance] = []

    def begin(model: str, size: tuple[int, int] = SIZE) -> Performance:
        running.append(Performance(SourceChoice(model, size, threads=1), tmp_path))
        running[-1].thread.start()
        return running[-1]

    yield begin
    for performance in running:
        performance.thread.stop()
        performance.reader.close()


def test_a_killed_engine_is_started_again_with_the_state_of_the_performance(
    perform: Callable[..., Performance],
) -> None:
    show = perform("test-pattern@64")
    values = {
        "/vj/prompt/3/text": "a red fox",
        "/vj/prompt/3/weight": 0.75,
        "/vj/seed/value": 77,
        "/vj/lora/2/file": "smoke.safetensors",
        "/vj/model/chunk": 1,
    }
    show.hands.set_many(values, "test")
    show.play_until(show.is_streaming)
    show.play_until(lambda: show.reader.status.is_streaming)
    for count in range(1, 6):
        show.play_s(random.Random(count).uniform(0.0, 0.4))
        show.kill()
        show.play_until(show.is_streaming)
        show.play_until(lambda: "a red fox" in show.status.prompts_on_screen[2:3])
        show.play_until(lambda: show.status.params_version == show.hands.store.version)
        assert show.status.restarts == count
    assert "the engine stopped (killed by signal 9); started again, stream back after " in show.told
    assert show.status.detail.startswith("the engine stopped (killed by signal 9)")
    made = show.frame().made_ns
    show.play_until(lambda: show.frame().made_ns > made)


def test_commands_on_their_way_are_given_again_and_those_whose_time_passed_are_answered(
    perform: Callable[..., Performance],
) -> None:
    show = perform("test-pattern@24")
    show.play_until(show.is_streaming)
    os.kill(show.thread.process_id, signal.SIGSTOP)  # takes nothing any more
    undated = show.hands.trigger("/vj/cut/hard", "test")
    dated = show.hands.trigger("/vj/cut/hard", "test", at_ns=time.monotonic_ns() + 50_000_000)
    assert show.hands.commands.pending() == (undated, dated)
    show.play_s(0.2)
    show.kill()
    show.play_until(lambda: not show.hands.commands.pending())
    assert show.hands.commands.last_refusal.command == dated
    assert "its time passed" in show.hands.commands.last_refusal.error
    show.play_until(lambda: show.status.stream_id == 2)


def test_an_engine_that_hangs_is_killed_and_started_again(
    perform: Callable[..., Performance], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_watch, "ORDINARY_CHUNK_S", 0.1)
    monkeypatch.setattr(engine_watch, "HANG_LEAST_S", 1.0)
    show = perform("test-pattern:hang=4")
    show.play_until(show.is_streaming)
    taken_s = show.play_until(lambda: show.thread.restarts == 1)
    assert taken_s > 1.0
    show.play_until(lambda: "the engine hung for " in show.told and "stream back after" in show.told)


def test_an_engine_that_is_silent_in_a_long_chunk_still_says_that_it_is_there(
    perform: Callable[..., Performance],
) -> None:
    show = perform("test-pattern@4")  # three seconds a chunk
    show.play_until(show.is_streaming)
    show.play_s(2.0)
    assert show.thread.restarts == 0
    assert show.status.making_since_ns > 0


def test_memory_that_stays_full_makes_the_picture_smaller_and_there_is_a_way_back(
    perform: Callable[..., Performance],
) -> None:
    show = perform("test-pattern:oom=2-", (160, 96))
    show.play_until(lambda: "out of memory: now 128x80 instead of 160x96" in show.told)
    show.play_until(lambda: "out of memory: now 96x64 instead of 128x80" in show.told)
    show.play_until(lambda: show.status.chunks > 4 and (show.thread.ready.width, show.thread.ready.height) == (96, 64))
    show.play_until(lambda: show.frame() is not None and show.frame().pixels.shape == (64, 96, 4))
    show.thread.restore_size()
    show.play_until(lambda: show.thread.ready.width == 160)
    show.play_until(lambda: show.told.count("now 128x80 instead of 160x96") == 2), "as full as before"


def test_a_light_decoder_comes_before_a_smaller_picture_and_there_is_a_way_back(
    perform: Callable[..., Performance],
) -> None:
    show = perform("test-pattern:heavy=2-", (160, 96))
    show.play_until(lambda: "out of memory: now with the light decoder" in show.told)
    assert show.thread.facts.reduced == "out of memory: now with the light decoder"
    show.play_until(lambda: show.status.chunks > 4)
    assert (show.thread.ready.width, show.thread.ready.height) == (160, 96)
    show.thread.restore_size()
    show.play_until(lambda: show.told.count("with the light decoder") == 2), "as full as before"


def test_another_model_takes_over_and_one_that_does_not_load_changes_nothing(
    perform: Callable[..., Performance],
) -> None:
    show = perform("test-pattern@64")
    show.hands.set("/vj/prompt/1/text", "kept", "test")
    show.play_until(show.is_streaming)
    show.play_until(lambda: show.reader.status.is_streaming)
    first = show.thread.process_id
    show.hands.set(MODEL_ADDRESS, "no-such-model", "test")
    show.play_until(lambda: "'test-pattern@64' plays on" in show.told)
    show.play_until(lambda: show.hands.store.get(MODEL_ADDRESS) == "test-pattern@64")
    assert show.thread.process_id == first
    assert show.is_streaming()
    show.hands.set(MODEL_ADDRESS, "test-pattern+stamp", "test")
    show.play_until(lambda: show.thread.process_id != first)
    began_ns = time.monotonic_ns()
    show.play_until(lambda: show.frame().made_ns > began_ns)
    show.play_until(lambda: show.status.prompts_on_screen[0] == "kept")
    show.play_until(lambda: "'test-pattern+stamp' plays now" in show.told)
    assert show.thread.restarts == 0
    show.kill()
    show.play_until(show.is_streaming)
    assert show.reader.status.repeats < 60, "the display was never long without frames"


def test_an_engine_whose_panels_are_stopped_plays_on(tmp_path: Path) -> None:
    ring_path = tmp_path / "frames.ring"
    words = ["-m", "engine.worker", "--ring", str(ring_path), "--model", "test-pattern", "--size", "64x48"]
    engine = subprocess.Popen([sys.executable, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        deadline_s = time.monotonic() + 20.0
        while not ring_path.exists():
            assert time.monotonic() < deadline_s
            time.sleep(0.01)
        ring = FrameRing.attach(ring_path)
        if sys.platform == "linux":  # elsewhere a pipe may hold all there is to say
            fcntl.fcntl(engine.stdout, fcntl.F_SETPIPE_SZ, 4096)
        while ring.written < 200:  # and nobody reads a word
            assert time.monotonic() < deadline_s, f"it stopped at {ring.written} frames"
            ring.release(ring.written)
            time.sleep(0.001)
        ring.close()
        engine.stdin.close()
        engine.stdout.close()
        assert engine.wait(10) == 0
    finally:
        engine.kill()
        engine.wait()


def test_a_model_with_weights_has_a_spare_that_takes_over_and_is_loaded_smaller_when_memory_is_full(
    perform: Callable[..., Performance], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(FULL_MEMORY, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(engine_run, "SPARE_AFTER_NS", 0)
    show = perform("ember", (160, 96))
    show.hands.set("/vj/prompt/1/text", "gold fire", "test")
    show.play_until(lambda: "out of memory: now 128x80 instead of 160x96" in show.told)
    show.play_until(lambda: show.is_streaming() and show.thread.ready.width == 128)
    spare = show.play_until(lambda: show.thread.spare_process_id) and show.thread.spare_process_id
    show.kill()
    show.play_until(show.is_streaming)
    assert show.thread.process_id == spare
    assert show.thread.ready.width == 128
    show.play_until(lambda: show.status.prompts_on_screen[0] == "gold fire")
