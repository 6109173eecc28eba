"""Pictures taken by a press: of an input's ring and of the stream's, written by the disk thread, set into the pads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.chunk import Chunk
from engine.frame_ring import FrameRing
from engine.video_in.input_ring import InputRing
from vj.commands import CommandQueue
from vj.controls import Controls
from vj.inputs.recent_files import FILE_NAME, KEPT, RecentFiles
from vj.inputs.still_params import from_input_address, from_output_address
from vj.inputs.stills import Stills
from vj.parameters import ParameterStore
from vj.presets.disk_thread import DiskThread


@pytest.fixture
def controls() -> Controls:
    return Controls(ParameterStore(), CommandQueue())


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def disk(told: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DiskThread]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    thread = DiskThread(told.append, lambda: None, 60.0)
    thread.start()
    yield thread
    thread.stop()


def wait_for(happened: Callable[[], object]) -> None:
    end_s = time.monotonic() + 10
    while not happened() and time.monotonic() < end_s:
        time.sleep(0.01)
    assert happened()


def show_input(folder: Path, number: int, colour: tuple[int, int, int, int]) -> None:
    ring = InputRing.create(folder / f"input{number}.layer", width=64, height=36, capacity=3)
    ring.write(np.full((36, 64, 4), colour, np.uint8), time.monotonic_ns())
    ring.close()


def read_rgb(path: object) -> np.ndarray:
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)[..., ::-1]


def test_a_press_takes_the_input_that_guides(controls: Controls, disk: DiskThread, tmp_path: Path, told: list[str]):
    Stills(controls, tmp_path, disk.do, told.append)
    show_input(tmp_path, 1, (10, 20, 30, 255))
    show_input(tmp_path, 2, (200, 100, 50, 0))  # keyed out: its colour is kept all the same
    controls.set("/vj/vace/input", 2, "test")
    controls.trigger(from_input_address(3), "midi box")
    wait_for(lambda: controls.store.get("/vj/vace/ref/3/file"))
    path = Path(str(controls.store.get("/vj/vace/ref/3/file")))
    assert path.parent == tmp_path / "home" / "vj" / "references"
    assert (read_rgb(path) == (200, 100, 50)).all() and read_rgb(path).shape == (36, 64, 3)
    assert controls.store.get("/vj/vace/ref/3/on") is True
    assert controls.store.moved_by("/vj/vace/ref/3/file").source == "midi box"
    controls.set_many({"/vj/vace/input": 0, "/vj/input/use": 1}, "test")
    controls.trigger(from_input_address(1), "test")
    wait_for(lambda: controls.store.get("/vj/vace/ref/1/file"))
    assert (read_rgb(controls.store.get("/vj/vace/ref/1/file")) == (10, 20, 30)).all()
    assert told == []


def test_a_press_takes_what_is_on_screen(controls: Controls, disk: DiskThread, tmp_path: Path, told: list[str]):
    Stills(controls, tmp_path, disk.do, told.append)
    ring = FrameRing.create(tmp_path / "frames.ring", width=32, height=16, rate_fps=16.0, capacity=8, process_id=1)
    frames = np.stack([np.full((16, 32, 4), 10 * k, np.uint8) for k in range(1, 5)])
    ring.write(Chunk(frames, stream_id=1, first_frame=0, rate_fps=16.0, generation_id=1, params_version=0, made_ns=1))
    ring.release(2)  # the stage shows the third
    controls.trigger(from_output_address(2), "test")
    wait_for(lambda: controls.store.get("/vj/vace/ref/2/on"))
    assert (read_rgb(controls.store.get("/vj/vace/ref/2/file")) == 30).all()
    ring.close()


def test_nothing_to_take_is_told_and_changes_nothing(
    controls: Controls, disk: DiskThread, tmp_path: Path, told: list[str]
):
    Stills(controls, tmp_path, disk.do, told.append)
    controls.trigger(from_input_address(1), "test")
    controls.trigger(from_output_address(4), "test")
    wait_for(lambda: len(told) == 2)
    assert "input 1 shows nothing" in told[0] and "reference 4" in told[1]
    assert not controls.store.get("/vj/vace/ref/1/on") and controls.store.get("/vj/vace/ref/4/file") == ""


def test_a_disk_that_takes_nothing_is_told(
    controls: Controls, disk: DiskThread, tmp_path: Path, told: list[str], monkeypatch: pytest.MonkeyPatch
):
    blocked = tmp_path / "a file"
    blocked.write_text("")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(blocked))
    Stills(controls, tmp_path, disk.do, told.append)
    show_input(tmp_path, 1, (1, 2, 3, 255))
    controls.trigger(from_input_address(1), "test")
    wait_for(lambda: told)
    assert "cannot be written" in told[0]
    assert controls.store.get("/vj/vace/ref/1/file") == ""


def test_a_mask_is_written_and_its_path_handed_on(controls: Controls, disk: DiskThread, tmp_path: Path):
    stills = Stills(controls, tmp_path, disk.do, lambda sentence: None)
    mask = np.arange(64 * 32, dtype=np.int64).reshape(32, 64).astype(np.uint8)
    kept: list[tuple[Path, str]] = []
    stills.keep_mask(mask, lambda path: kept.append((path, threading.current_thread().name)))
    wait_for(lambda: kept)
    assert np.array_equal(cv2.imread(str(kept[0][0]), cv2.IMREAD_UNCHANGED), mask)
    assert kept[0][1] == "disk"
    assert kept[0][0].parent.name == "masks"


def test_files_used_before_are_known_in_the_next_show(disk: DiskThread, tmp_path: Path):
    films = [tmp_path / f"film {k}.mp4" for k in range(KEPT + 1)]
    for film in films:
        film.write_bytes(b"")
    kept = tmp_path / "home" / "vj" / FILE_NAME
    kept.parent.mkdir(parents=True)
    kept.write_text("".join(f"{film}\n" for film in films[:KEPT]))
    recent = RecentFiles(disk.do)
    for source in ("lavfi:testsrc2", "a camera", str(tmp_path / "gone.mp4"), str(films[5]), str(films[-1])):
        recent.note(source)
    wait_for(lambda: recent.files[:2] == (films[-1], films[5]))
    assert len(recent.files) == KEPT and films[KEPT - 1] not in recent.files
    again = RecentFiles(disk.do)
    wait_for(lambda: again.files == recent.files)
