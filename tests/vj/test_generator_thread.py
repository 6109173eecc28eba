"""The engine's partner with a real engine process (the test pattern): start, talk, die, stop."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.chunk_source import SourceChoice
from engine.frame_ring import FrameRing
from vj import run_folder
from vj.commands import CommandQueue
from vj.controls import Controls
from vj.generator_thread import GeneratorThread
from vj.parameters import ParameterStore

CHOICE = SourceChoice("test-pattern", (64, 48))


def wait_for(condition: Callable[[], object], timeout_s: float = 60.0) -> object:
    deadline = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
    return found


@pytest.fixture
def hands() -> Controls:
    return Controls(ParameterStore(), CommandQueue())


@pytest.fixture(params=[False, True], ids=["process", "in-process"])
def generator(request: pytest.FixtureRequest, hands: Controls, tmp_path: Path) -> Iterator[GeneratorThread]:
    thread = GeneratorThread(
        hands.store, hands.commands, CHOICE, is_in_process=request.param, log_folder=tmp_path / "logs"
    )
    thread.start()
    yield thread
    thread.stop()


@pytest.fixture
def process(hands: Controls, tmp_path: Path) -> Iterator[GeneratorThread]:
    thread = GeneratorThread(hands.store, hands.commands, CHOICE, log_folder=tmp_path / "logs")
    thread.start()
    wait_for(lambda: thread.status.chunks)
    yield thread
    thread.stop()


def test_values_texts_and_commands_arrive_and_are_answered(generator: GeneratorThread, hands: Controls) -> None:
    wait_for(lambda: generator.status.state == "streaming")
    assert (generator.ready.width, generator.ready.height) == (64, 48)
    ring = FrameRing.attach(generator.ring_path)
    hands.set("/vj/prompt/2/text", "a red fox", "test")
    hands.set("/vj/prompt/2/weight", 1.0, "test")
    hands.trigger("/vj/cut/hard", "test")
    wait_for(lambda: not hands.commands.pending())
    wait_for(lambda: generator.status.params_version == hands.store.version or not ring.release(ring.written))
    assert generator.status.prompts_on_screen[1] == "a red fox"
    assert generator.status.stream_id == 2
    assert hands.commands.last_refusal is None
    ring.close()


def test_texts_set_before_the_start_are_played(hands: Controls, tmp_path: Path) -> None:
    hands.store.set("/vj/prompt/3/text", "from a look", "look")
    thread = GeneratorThread(hands.store, hands.commands, CHOICE, log_folder=tmp_path)
    thread.start()
    ring = wait_for(lambda: FrameRing.attach(thread.ring_path) if thread.ring_path.exists() else None)

    def is_played() -> bool:
        ring.release(ring.written)  # a full ring makes no further chunk
        return thread.status.prompts_on_screen[2:3] == ("from a look",)

    wait_for(is_played)
    ring.close()
    thread.stop()


def test_start_does_not_wait_and_stop_leaves_nothing(hands: Controls, tmp_path: Path) -> None:
    thread = GeneratorThread(hands.store, hands.commands, CHOICE, log_folder=tmp_path)
    began = time.monotonic()
    thread.start()
    assert time.monotonic() - began < 1.0
    wait_for(lambda: thread.status.chunks)
    process_id = thread.process_id
    assert run_folder.is_running(process_id)
    thread.stop()
    thread.stop()
    assert not run_folder.is_running(process_id)
    assert not thread.ring_path.parent.exists()
    assert thread.status.state == "stopped"
    assert [file.suffix for file in tmp_path.iterdir()] == [".log"]


def test_an_engine_that_hangs_is_killed_at_the_end(process: GeneratorThread) -> None:
    process_id = process.process_id
    os.kill(process_id, signal.SIGSTOP)
    process.stop(timeout_s=0.5)
    assert not run_folder.is_running(process_id)


def test_a_model_that_does_not_exist_is_one_sentence(hands: Controls, tmp_path: Path) -> None:
    choice = SourceChoice("test-pattern", (100, 48))
    thread = GeneratorThread(hands.store, hands.commands, choice, log_folder=tmp_path)
    thread.start()
    wait_for(lambda: thread.status.state == "failed")
    wait_for(lambda: "not a multiple of 16" in thread.status.detail)
    assert len(thread.failures) == 1
    thread.stop()


def test_folders_of_dead_runs_are_removed_and_of_living_ones_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_folder, "MEMORY_FOLDER", tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    dead, alive = tmp_path / "vj-run-999999999-x", tmp_path / f"vj-run-{os.getpid()}-x"
    for folder in (dead, alive):
        folder.mkdir()
    made = run_folder.make_run_folder(1)
    assert not dead.exists()
    assert alive.exists()
    assert made.parent == tmp_path
    assert run_folder.make_run_folder(2**62).parent == tmp_path, "no room in memory: the temporary folder"
