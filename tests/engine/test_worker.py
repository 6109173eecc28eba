"""The engine process for real: pipes, a ring file, signals, and what the instrument's death does to it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE

import pytest

from engine.frame_ring import FrameRing
from engine.messages import Command, Done, Failure, Message, Ready, Values, decode, encode

ROOT = Path(__file__).resolve().parents[2]


class Worker:
    """A running `python -m engine.worker`."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.ring_path = folder / "ring"
        self.log_path = folder / "log"
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "engine.worker", "--ring", str(self.ring_path), *options],
                cwd=ROOT,
                stdin=PIPE,
                stdout=PIPE,
                stderr=log,
            )

    def send(self, message: Message) -> None:
        self.process.stdin.write(encode(message))
        self.process.stdin.flush()

    def wait_for(self, wanted: type) -> Message:
        for line in self.process.stdout:
            if isinstance(message := decode(line), wanted):
                return message
        raise AssertionError(f"the worker ended: {self.log_path.read_text()}")

    def rest(self) -> list[Message]:
        return [decode(line) for line in self.process.stdout]

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(60)
        self.process.stdin.close()
        self.process.stdout.close()


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    worker = Worker(tmp_path, "--model", "test-pattern", "--size", "64x48")
    yield worker
    worker.close()


def test_it_streams_obeys_and_stops(worker: Worker) -> None:
    assert worker.wait_for(Ready) == Ready("test-pattern", 64, 48, 16.0, "none")
    ring = FrameRing.attach(worker.ring_path)
    worker.send(Values(3, {"/vj/seed/value": 5}))
    worker.send(Command(8, "cut/hard"))
    assert worker.wait_for(Done) == Done(8)
    assert ring.peek(ring.written - 1).stream_id == 2
    worker.process.stdin.write(b"this is no message\n")
    worker.send(Command(9, "stop"))
    assert Done(9) in worker.rest()
    assert worker.process.wait(60) == 0, "it ends although its stdin is still open"
    assert "not a message" in worker.log_path.read_text()
    assert worker.ring_path.exists()
    ring.close()


def test_it_ends_when_the_instrument_is_gone(worker: Worker) -> None:
    worker.wait_for(Ready)
    worker.process.stdin.close()
    assert worker.process.wait(60) == 0
    assert "Traceback" not in worker.log_path.read_text()


def test_ctrl_c_in_the_terminal_is_left_to_the_instrument(worker: Worker) -> None:
    worker.wait_for(Ready)
    worker.process.send_signal(signal.SIGINT)
    worker.send(Command(1, "cut/hard"))
    assert worker.wait_for(Done) == Done(1)


def test_a_failed_load_is_a_sentence_and_exit_code_1(tmp_path: Path) -> None:
    worker = Worker(tmp_path, "--model", "test-pattern", "--ring", str(tmp_path / "missing" / "ring"))
    failure = worker.wait_for(Failure)
    assert failure.fatal
    assert str(tmp_path / "missing" / "ring") in failure.sentence
    assert worker.process.wait(60) == 1
    worker.close()


def test_an_impossible_size_is_wrong_use(tmp_path: Path) -> None:
    worker = Worker(tmp_path, "--model", "test-pattern", "--size", "0x0")
    assert worker.process.wait(60) == 2
    assert worker.log_path.read_text().startswith("size 0x0 is impossible")
    worker.close()


def test_what_libraries_print_never_reaches_the_messages(tmp_path: Path) -> None:
    script = (
        "import os, sys, engine.worker, engine.worker_run as loop\n"
        "load = loop.load_source\n"
        "def noisy(*words):\n"
        "    print('hello'); os.write(1, b'raw bytes')\n"
        "    return load(*words)\n"
        "loop.load_source = noisy\n"
        f"sys.exit(engine.worker.main(['--ring', {str(tmp_path / 'ring')!r}, '--model', 'test-pattern']))\n"
    )
    engine = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdin=PIPE, stdout=PIPE, stderr=PIPE)
    engine.stdin.write(encode(Command(1, "stop")))
    engine.stdin.flush()  # and stays open: an instrument that leaves ends the engine at once
    said, printed = engine.stdout.read(), engine.stderr.read()
    engine.communicate(timeout=60)
    assert engine.returncode == 0
    assert [json.loads(line)["type"] for line in said.splitlines()][-1] == "status"
    assert b"hello" in printed
    assert b"raw bytes" in printed


def test_an_instrument_that_leaves_while_a_model_loads_takes_the_engine_along(tmp_path: Path) -> None:
    script = (
        "import sys, time, engine.worker, engine.worker_run as loop\n"
        "loop.load_source = lambda choice, tell: time.sleep(60)\n"
        f"sys.exit(engine.worker.main(['--ring', {str(tmp_path / 'ring')!r}]))\n"
    )
    engine = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdin=PIPE, stdout=PIPE)
    assert b"loading" in engine.stdout.readline()
    engine.communicate(timeout=20)
    assert engine.returncode == 0


def test_the_test_pattern_needs_no_torch() -> None:
    script = "import sys, engine.worker; from engine.chunk_source import *\n"
    script += "load_source(SourceChoice('test-pattern')); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT).returncode == 0
