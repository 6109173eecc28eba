"""Inputs as the panels keep them: real capture processes, killed, hung, orphaned, told of every change."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.video_in.input_ring import InputFrame, InputRing, ring_name
from tests.vj.inputs.films import number_of, write_film
from vj.inputs.capture_process import CaptureProcess
from vj.inputs.desk import InputDesk
from vj.parameters import ParameterStore
from vj.processes import kept
from vj.run_folder import is_running

GRAPH = "lavfi:color=c=0x{colour}:size=160x90:rate=50"


class Rig:
    """A desk with a store, as a performance has it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = ParameterStore()
        self.size: tuple[int, int] | None = (64, 32)
        self.told: list[str] = []
        self.desk = InputDesk(
            self.store.versioned_snapshot, lambda: self.size, folder, self.told.append, log_folder=folder / "logs"
        )

    def set(self, name: str, value: object, number: int = 1) -> None:
        self.store.set(f"/vj/input/{number}/{name}", value, "test")

    def newest(self, use: str = "engine", number: int = 1) -> InputFrame | None:
        try:
            ring = InputRing.attach(self.folder / ring_name(number, use))
        except FileNotFoundError:
            return None
        frame = next(filter(None, (ring.newest() for _ in range(20))))  # one may be overwritten while it is read
        ring.close()
        return frame

    def age_s(self) -> float:
        frame = self.newest()
        return (time.monotonic_ns() - frame.arrived_ns) / 1e9 if frame else 1e9

    def wait(self, condition: Callable[[], bool], what: str, timeout_s: float = 12.0) -> None:
        until_s = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < until_s, f"{what}: {self.desk.states[0]} {self.told}"
            time.sleep(0.02)

    def wait_live(self, number: int = 1) -> None:
        self.wait(lambda: self.desk.state(number).state == "live" and self.newest(number=number) is not None, "live")


@pytest.fixture
def rig(tmp_path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    rig.desk.start()
    yield rig
    rig.desk.stop()
    assert not list(tmp_path.glob("input*.engine"))


def colour(frame: InputFrame) -> tuple[int, ...]:
    return tuple(int(value) for value in np.round(frame.pixels.reshape(-1, 4).mean(0)))


def is_near(frame: InputFrame | None, wanted: tuple[int, int, int]) -> bool:
    return frame is not None and all(abs(a - b) <= 6 for a, b in zip(colour(frame), wanted, strict=False))


def wait_until_told(rig: Rig, monkeypatch, gamma: float) -> float:
    """Milliseconds from a hand's move to the word to the capture process."""
    sent: list[int] = []
    with monkeypatch.context() as patch:
        patch.setattr(CaptureProcess, "send", lambda process, wishes: sent.append(time.monotonic_ns()))
        moved_ns = time.monotonic_ns()
        rig.set("gamma", gamma)
        rig.wait(lambda: bool(sent), "told")
    return (sent[0] - moved_ns) / 1e6


def test_an_input_is_captured_changed_and_let_go(rig, monkeypatch):
    rig.set("source", GRAPH.format(colour="c83c28"))
    rig.wait_live()
    state, engine, layer = rig.desk.state(1), rig.newest(), rig.newest("layer")
    assert (state.width, state.height, state.rate_fps, state.problem) == (160, 90, 50.0, "")
    assert (engine.pixels.shape, layer.pixels.shape) == ((32, 64, 4), (90, 160, 4))
    assert is_near(engine, (200, 60, 40)) and is_near(layer, (200, 60, 40)) and colour(engine)[3] == 255
    assert rig.age_s() < 2.0
    process_id = state.process_id

    rig.set("white", 0.5)  # a live parameter
    rig.wait(lambda: is_near(rig.newest(), (255, 120, 80)), "levels")
    rig.set("source", GRAPH.format(colour="2828c8"))
    rig.wait(lambda: is_near(rig.newest(), (80, 80, 255)), "another source")
    rig.size = (128, 80)  # another model plays
    rig.wait(lambda: rig.newest().pixels.shape == (80, 128, 4), "another stream size")
    assert rig.desk.state(1).process_id == process_id  # all that without a restart

    waits = [wait_until_told(rig, monkeypatch, 1.01 + k / 100) for k in range(20)]
    assert float(np.median(waits)) < 10.0

    rig.set("source", "")
    rig.wait(lambda: rig.desk.state(1).state == "off" and rig.newest() is None, "let go")
    rig.wait(lambda: rig.newest("layer") is None, "of both rings")
    assert not is_running(process_id)


def test_a_capture_process_that_is_killed_or_hangs_comes_back(rig, monkeypatch):
    monkeypatch.setattr(kept, "HANGS_NS", 1_000_000_000)
    rig.set("source", GRAPH.format(colour="c83c28"))
    rig.wait_live()
    first = rig.desk.state(1).process_id
    os.kill(first, signal.SIGKILL)
    rig.wait(lambda: rig.desk.state(1).process_id not in (0, first), "a new process")
    rig.wait_live()
    rig.wait(lambda: rig.age_s() < 1.0, "pictures after the kill")
    second = rig.desk.state(1).process_id
    os.kill(second, signal.SIGSTOP)  # as one whose driver holds it
    rig.wait(lambda: rig.desk.state(1).process_id not in (0, second), "a new process after the hang")
    rig.wait_live()
    rig.wait(lambda: rig.age_s() < 1.0, "pictures after the hang")
    assert not is_running(first) and not is_running(second)
    assert any("killed by signal 9" in sentence for sentence in rig.told)
    assert any("hangs" in sentence for sentence in rig.told)
    assert rig.desk.problem == ""


def test_a_file_that_is_missing_then_there_then_another_size_is_picked_up(rig):
    path = rig.folder / "tape.mp4"
    rig.set("source", str(path))
    rig.wait(lambda: "tape.mp4" in rig.desk.problem, "a sentence")
    assert rig.desk.state(1).state == "lost"
    assert rig.desk.problem.startswith("input 1: ") and "no such file" in rig.desk.problem
    rig.wait(lambda: bool(rig.told), "told")
    time.sleep(0.7)
    assert len(rig.told) == 1  # an outage is told once
    write_film(path, 50)
    rig.desk.restart(1)
    rig.wait_live()
    assert rig.newest("layer").pixels.shape == (64, 96, 4)
    film = write_film(rig.folder / "next.mp4", 50, size=(64, 96))
    film.replace(path)
    rig.desk.restart(1)
    rig.wait(lambda: rig.newest("layer").pixels.shape == (96, 64, 4), "another size")
    rig.wait(lambda: rig.desk.problem == "", "all is well")

    rig.set("play", False)
    rig.wait(lambda: rig.desk.state(1).state == "held", "a pause")
    time.sleep(0.5)
    assert rig.age_s() < 1.0  # a picture that stands still is not one that is lost
    held = number_of(rig.newest().pixels)
    rig.set("flip/horizontal", True)
    time.sleep(0.2)
    assert number_of(rig.newest().pixels) == held


def test_a_source_that_changes_its_size_in_mid_stream(rig):
    # a mask that is drawn anew, larger
    import cv2

    path = rig.folder / "mask.png"
    cv2.imwrite(str(path), np.full((20, 30, 3), 50, np.uint8))
    rig.set("source", str(path))
    rig.wait(lambda: rig.newest("layer") is not None, "a still")
    rig.wait(lambda: rig.desk.state(1).state in ("held", "live"), "held")
    cv2.imwrite(str(path), np.full((40, 50, 3), 200, np.uint8))
    rig.wait(lambda: rig.newest("layer").pixels.shape == (40, 50, 4), "the new size")
    rig.wait(lambda: is_near(rig.newest(), (200, 200, 200)), "the new picture")


def test_a_delay_holds_pictures_back_and_nothing_looks_lost(rig):
    rig.set("source", str(write_film(rig.folder / "film.mp4", 50)))
    rig.set("delay_ms", 700.0)
    rig.wait_live()
    rig.wait(lambda: rig.desk.state(1).pictures > 25, "running")
    ages, lags = [], []
    for _ in range(20):
        position = rig.desk.state(1).position_s * 25
        lags.append((position - number_of(rig.newest().pixels)) % 50 / 25)
        ages.append(rig.age_s())
        time.sleep(0.03)
    assert float(np.median(lags)) == pytest.approx(0.7 - 0.125, abs=0.3)  # states come four times a second
    assert float(np.median(ages)) < 0.5


def test_inputs_run_beside_each_other(rig):
    colours = {1: "c82828", 4: "c8c828"}
    for number, name in colours.items():
        rig.set("source", GRAPH.format(colour=name), number)
    for number, name in colours.items():
        rig.wait_live(number)
        wanted = tuple(int(name[k : k + 2], 16) for k in (0, 2, 4))
        assert is_near(rig.newest(number=number), wanted)
    assert rig.desk.state(1).process_id != rig.desk.state(4).process_id
    assert [state.state for state in rig.desk.states] == ["live", "off", "off", "live"]


def test_capture_processes_end_with_panels_that_are_killed(tmp_path):
    panels = f"""
import sys, time
from pathlib import Path
from vj.inputs.capture_process import CaptureProcess
from vj.inputs.desk import InputDesk
from vj.parameters import ParameterStore
store = ParameterStore()
store.set("/vj/input/1/source", {GRAPH.format(colour="c82828")!r}, "test")
store.set("/vj/input/2/source", {GRAPH.format(colour="28c828")!r}, "test")
folder = Path({str(tmp_path)!r})
desk = InputDesk(store.versioned_snapshot, lambda: (64, 32), folder, log_folder=folder)
desk.start()
while any(desk.state(n).state != "live" for n in (1, 2)):
    time.sleep(0.02)
print(*(desk.state(n).process_id for n in (1, 2)), flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", panels], stdout=subprocess.PIPE, cwd=Path.cwd()) as process:
        ids = [int(word) for word in process.stdout.readline().split()]
        assert len(ids) == 2 and all(map(is_running, ids))
        process.kill()
    until_s = time.monotonic() + 5.0
    while any(map(is_running, ids)):
        assert time.monotonic() < until_s, "capture processes outlived their panels"
        time.sleep(0.02)
