"""Sound drivers that hang or end the process they are called by: the panels go on, tell it, and hear again."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import PulseServer
from tests.servers.process import wait_until
from vj.parameters import ParameterStore
from vj.sound import child_input, input, listing
from vj.sound.input import SoundInput
from vj.sound.sound_pipe import BLOCK_SAMPLES, HEADER, ROOM_BLOCKS, SAMPLE_BYTES, Answer, Sender

WAIT_S = 20.0
FAULTY_DRIVER = """
import os, sys, time
from pathlib import Path
here = Path(__file__).parent
if (here / "hangs").exists():
    time.sleep(600.0)
if (here / "aborts").exists():
    os.abort()
sys.path.remove(str(here))
del sys.modules["sounddevice"]
import sounddevice  # the real one
"""
PANELS = """
import time
from vj.parameters import ParameterStore
from vj.sound.input import SoundInput
ear = SoundInput(ParameterStore().versioned_snapshot)
ear.start()
ear.devices()
while True:
    time.sleep(1.0)
"""


@pytest.fixture
def pulse_here(pulse: PulseServer, monkeypatch: pytest.MonkeyPatch) -> PulseServer:
    for name, value in pulse.env.items():
        monkeypatch.setenv(name, value)
    return pulse


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder; a file called `hangs` or `aborts` in it makes PortAudio do so as it is loaded."""
    (tmp_path / "sounddevice.py").write_text(FAULTY_DRIVER, "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


@contextlib.contextmanager
def listening() -> Iterator[tuple[SoundInput, list[str]]]:
    told: list[str] = []
    ear = SoundInput(ParameterStore().versioned_snapshot, look_every_s=0.5, tell=told.append)
    ear.start()
    try:
        yield ear, told
    finally:
        ear.stop()


def children(process_id: int, module: str) -> list[int]:
    """The children of a process that run this module."""
    found = []
    for path in Path(f"/proc/{process_id}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in path.read_text().split():
                if module.encode() in Path(f"/proc/{child}/cmdline").read_bytes():
                    found.append(int(child))
    return found


def test_a_driver_that_aborts_in_the_middle_is_told_and_heard_again(pulse_here: PulseServer) -> None:
    with listening() as (ear, told):
        wait_until(lambda: ear.features.time_ns > 0, "the sound", WAIT_S)
        (victim,) = children(os.getpid(), "vj.sound.capture")
        os.kill(victim, signal.SIGABRT)
        wait_until(lambda: told != [], "a sentence", WAIT_S)
        assert "is gone; it is looked for" in told[0]
        wait_until(lambda: ear.features.time_ns > 0, "the sound after it", WAIT_S)
        assert ear.status.problem == ""
        assert children(os.getpid(), "vj.sound.capture") not in ([], [victim])
    assert children(os.getpid(), "vj.sound.") == []


def test_a_driver_that_hangs_or_aborts_as_it_is_asked_is_told_and_asked_again(
    pulse_here: PulseServer, driver: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(input, "REFUSED_WAIT_S", 0.5)
    with monkeypatch.context() as short:
        short.setattr(child_input, "ANSWER_S", 1.0)
        short.setattr(listing, "LONGEST_S", 1.0)
        (driver / "hangs").touch()
        with listening() as (ear, told):
            began_s = time.monotonic()
            assert ear.devices() == ()
            assert time.monotonic() - began_s < 0.5, "nobody who asks waits"
            wait_until(lambda: any("the driver does not answer" in one for one in told), "the list's sentence", WAIT_S)
            wait_until(lambda: any("sound driver does not answer" in one for one in told), "a sentence", WAIT_S)
            assert "does not answer" in ear.status.problem
            (driver / "aborts").touch()
            (driver / "hangs").unlink()
            wait_until(lambda: any("signal 6" in one for one in told), "the abort's sentence", WAIT_S)
            ear.devices()
            wait_until(lambda: any("ended the process that asks" in one for one in told), "the list's abort", WAIT_S)
            short.undo()
            (driver / "aborts").unlink()
            wait_until(lambda: ear.features.time_ns > 0, "the sound", WAIT_S)
            wait_until(lambda: "pulse" in ear.devices(), "the list", WAIT_S)
            assert len(told) == len(set(told))


@pytest.mark.parametrize("fault", ["", "hangs"])
def test_nothing_is_left_of_panels_that_are_killed(pulse_here: PulseServer, driver: Path, fault: str) -> None:
    if fault:
        (driver / fault).touch()
    panels = subprocess.Popen([sys.executable, "-c", PANELS])
    wait_until(lambda: len(children(panels.pid, "vj.sound.")) == 2, "the list's and the input's process", WAIT_S)
    left = children(panels.pid, "vj.sound.")
    panels.kill()
    panels.wait()
    wait_until(lambda: not any(Path(f"/proc/{one}").exists() for one in left), "their end", WAIT_S)


def test_a_listener_that_stands_still_costs_one_overflow_and_the_driver_never_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reads, writes = os.pipe()
    silence = bytes(SAMPLE_BYTES * BLOCK_SAMPLES)
    size = HEADER.size + len(silence)
    with os.fdopen(reads, "rb") as pipe:
        monkeypatch.setattr("vj.sound.sound_pipe.take_stdout", lambda: writes)
        sender, is_alive = Sender(), iter([True, False])
        sender.say(Answer("card", 48000.0, 1))
        assert Answer.from_line(pipe.readline()) == Answer("card", 48000.0, 1)
        for k in range(3 * ROOM_BLOCKS):
            sender.put(silence, k, False)
        sending = threading.Thread(target=sender.send_while, args=(lambda: next(is_alive),))
        sending.start()
        blocks = [pipe.read(size) for _ in range(ROOM_BLOCKS)]
        sender.put(silence, 1000, False)
        blocks.append(pipe.read(size))
        sending.join()
        sender._output.close()
    assert [HEADER.unpack_from(block) for block in blocks] == [(k, 0) for k in range(ROOM_BLOCKS)] + [(1000, 1)]
