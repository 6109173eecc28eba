"""The real ear at a real sound server: what is played is heard, devices come and go, and nothing is not a problem."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.servers import PulseServer
from tests.servers.process import find_program
from tests.vj.sound.signals import beginnings_s, clicks, f1_score, write_wave
from vj.parameters import ParameterStore
from vj.sound.features import SILENCE, SoundFeatures
from vj.sound.input import OVERFLOWS, SoundInput
from vj.sound.sample_ring import SampleRing
from vj.sound.sound_pipe import Answer, Request

DEVICE = "/vj/audio/device"
HEARD_S = 9.0  # a sleeping null sink needs two seconds for its first samples
SETTLED_NS = 100_000_000  # features this young come as they should


@contextmanager
def listening(store: ParameterStore) -> Iterator[SoundInput]:
    ear = SoundInput(store.versioned_snapshot, look_every_s=0.5)
    ear.start()
    try:
        yield ear
    finally:
        ear.stop()


def wait_for(condition: Callable[[], bool], ear: SoundInput, timeout_s: float = HEARD_S) -> None:
    end_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end_s, f"{ear.status}, {ear.features}"
        time.sleep(0.02)


def watch(ear: SoundInput, player: subprocess.Popen[bytes]) -> list[SoundFeatures]:
    """Take every block's features until the player ends."""
    seen = [ear.features]
    while player.poll() is None:
        if ear.features is not seen[-1]:
            seen.append(ear.features)
        time.sleep(0.003)
    return seen


@pytest.fixture
def pulse_here(pulse: PulseServer, monkeypatch: pytest.MonkeyPatch) -> PulseServer:
    for name, value in pulse.env.items():
        monkeypatch.setenv(name, value)
    return pulse


def test_a_played_click_track_is_tracked_and_silence_after_it_is_quiet(pulse_here: PulseServer, tmp_path: Path) -> None:
    bpm, store = 174, ParameterStore()
    sound, times = clicks(bpm, 8.0)
    write_wave(tmp_path / "clicks.wav", sound)
    with listening(store) as ear:
        wait_for(lambda: ear.features.time_ns > 0, ear)
        assert ear.status.problem == ""
        assert not ear.features.has_signal
        wait_for(lambda: time.monotonic_ns() - ear.features.time_ns < SETTLED_NS, ear)
        seen = watch(ear, subprocess.Popen([find_program("paplay"), str(tmp_path / "clicks.wav")]))
        assert ear.features.bpm == pytest.approx(bpm, rel=0.01)
        assert ear.features.bpm_confidence > 0.8
        # what lies between the first click and its beginning is the player's start
        found = beginnings_s(seen, start_ns=0)
        assert f1_score([time_s - found[0] + times[0] for time_s in found], times) >= 0.95
        last, capture_late_ns = ear.features, time.monotonic_ns() - ear.features.time_ns
        assert 0 < capture_late_ns < 200e6
        time.sleep(1.5)
        assert ear.features.onset_times_ns == last.onset_times_ns
        assert (ear.features.level, ear.features.has_signal) == (0.0, False)
        store.set(DEVICE, "pul", "test")
        wait_for(lambda: ear.status.device == "pulse", ear)
        store.set(DEVICE, "theremin", "test")
        wait_for(lambda: "theremin" in ear.status.problem, ear)
        assert "pulse" in ear.status.problem, "what there is instead is told"
        assert ear.features is SILENCE


def test_a_server_that_dies_is_told_and_heard_again_when_it_is_back(
    pulse: PulseServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ParameterStore()
    with PulseServer(tmp_path) as first:
        for name, value in first.env.items():
            monkeypatch.setenv(name, value)
        ear = SoundInput(store.versioned_snapshot, look_every_s=0.5)
        ear.start()
        wait_for(lambda: ear.features.time_ns > 0, ear)
        wait_for(lambda: "pulse" in ear.devices(), ear)
    try:
        wait_for(lambda: ear.status.problem != "", ear)
        wait_for(lambda: ear.features is SILENCE, ear)
        with PulseServer(tmp_path):
            wait_for(lambda: ear.status.problem == "" and ear.features.time_ns > 0, ear)
    finally:
        ear.stop()


@pytest.mark.skipif(find_spec("soundcard") is None, reason="the extra `loopback` is not installed")
def test_what_the_computer_plays_is_heard_and_a_dying_server_ends_nothing(
    pulse: PulseServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ParameterStore()
    store.set(DEVICE, "computer sound", "test")
    write_wave(tmp_path / "clicks.wav", clicks(120, 2.0)[0])
    with PulseServer(tmp_path) as server:
        for name, value in server.env.items():
            monkeypatch.setenv(name, value)
        ear = SoundInput(store.versioned_snapshot, look_every_s=0.5)
        ear.start()
        wait_for(lambda: ear.features.time_ns > 0, ear)
        assert ear.status.device.startswith("computer sound: ")
        subprocess.run([find_program("paplay"), str(tmp_path / "clicks.wav")], check=True)
        wait_for(lambda: ear.features.onset_times_ns[0] > 0, ear)
    try:
        wait_for(lambda: "own sound" in ear.status.problem, ear)
    finally:
        ear.stop()


NO_SOUND = """
import sys
import time
from vj.parameters import ParameterStore
from vj.sound.input import OVERFLOWS, SoundInput
from vj.sound.sample_ring import SampleRing
store = ParameterStore()
ear = SoundInput(store.versioned_snapshot, look_every_s=0.2)
ear.start()
time.sleep(1.0)
assert ear.devices() == (), ear.devices()
store.set("/vj/audio/device", "computer sound", "test")
while "own sound" not in ear.status.problem:
    time.sleep(0.05)
loopback = ear.status.problem
store.set("/vj/audio/device", "", "test")
while "own sound" in ear.status.problem:
    time.sleep(0.05)
ear.stop()
assert ear.features.time_ns == 0
assert "sounddevice" not in sys.modules
print(ear.status.problem, loopback, sep="|")
"""


@pytest.mark.parametrize("is_library_missing", [False, True])
def test_a_computer_without_sound_is_told_in_a_sentence_and_the_terminal_stays_clean(
    tmp_path: Path, is_library_missing: bool
) -> None:
    (tmp_path / "soundcard.py").write_text("raise ImportError('not installed')", "utf-8")
    if is_library_missing:
        (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')", "utf-8")
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PULSE_SERVER": f"unix:{tmp_path}/none"}
    environment["PYTHONPATH"] = str(tmp_path)
    command = [sys.executable, "-c", NO_SOUND]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    problem, loopback = done.stdout.strip().split("|")
    assert ("libportaudio2" if is_library_missing else "no sound input on this computer") in problem
    assert "pip install 'vj[loopback]'" in loopback


class LossyInput:
    """An input whose driver says at every block that it lost samples: no such machine is at hand."""

    def __init__(self) -> None:
        self.answer = Answer("old interface", 48000.0, 1)
        self.ring = SampleRing(48000.0, 1)

    def is_alive(self) -> bool:
        self.ring.overflows += OVERFLOWS
        return True

    def check(self) -> None:
        pass

    def close(self) -> None:
        pass


def test_an_input_that_loses_samples_is_opened_once_more_with_a_longer_latency() -> None:
    latencies = []

    def begin(request: Request) -> LossyInput:
        latencies.append(request.latency)
        return LossyInput()

    ear = SoundInput(ParameterStore().versioned_snapshot, begin, look_every_s=0.1)
    ear.start()
    try:
        wait_for(lambda: latencies == ["low", "high"], ear)
        wait_for(lambda: ear.status.overflows > OVERFLOWS, ear)
        time.sleep(0.5)
        assert latencies == ["low", "high"]
        assert ear.status.problem == ""
    finally:
        ear.stop()
