"""Several outputs of one show, on monitors that the display server makes and takes away."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.frame_stamp import CELLS_ACROSS, COLUMNS, ROWS, read_stamp
from tests.servers import ServerMissingError
from tests.servers.xvfb import XDisplay
from tests.vj.test_live import Stage, covers, shows_panels

pytestmark = pytest.mark.skipif(shutil.which("xrandr") is None, reason="needs xrandr")
WIDTH, HEIGHT = 640, 360  # of each monitor
STAMPED = ("run", "--model", "test-pattern+stamp", "--fullscreen", "--osc", "0")


class Monitors:
    """A display cut into monitors side by side, numbered from the left."""

    def __init__(self, display: XDisplay) -> None:
        self.display = display
        self.add(1, "screen")
        for number in (2, 3):
            self.add(number)

    def add(self, number: int, output: str = "none") -> None:
        place = f"{WIDTH}/160x{HEIGHT}/90+{WIDTH * (number - 1)}+0"
        self._set("--setmonitor", f"M{number}", place, output)

    def remove(self, number: int) -> None:
        self._set("--delmonitor", f"M{number}")

    def part(self, seen: np.ndarray, number: int) -> np.ndarray:
        return seen[:, WIDTH * (number - 1) : WIDTH * number]

    def _set(self, *words: str) -> None:
        subprocess.run(["xrandr", *words], check=True, env=os.environ | self.display.env)


@pytest.fixture
def monitors(tmp_path: Path) -> Iterator[Monitors]:
    try:
        display = XDisplay(tmp_path, 3 * WIDTH, HEIGHT)
    except ServerMissingError as missing:
        pytest.skip(str(missing))
    with display:
        yield Monitors(display)


def stamp(part: np.ndarray) -> int | None:
    """Number of the frame on one monitor, from its upper left corner."""
    side = WIDTH // CELLS_ACROSS
    squares = part[: ROWS * side, : COLUMNS * side].mean(axis=-1)
    return read_stamp(
        squares.reshape(ROWS, side, COLUMNS, side)[:, side // 4 : -side // 4, :, side // 4 : -side // 4].mean(
            axis=(1, 3)
        )
    )


def test_two_outputs_show_the_same_frame_and_each_loses_its_own_display(start_vj, monitors: Monitors, tmp_path: Path):
    stage = Stage(start_vj(*STAMPED, "--display", "M2,3", display=monitors.display), monitors.display)

    def wait_seen(number: int, is_covered: bool) -> None:
        stage.wait_until(lambda seen: covers(monitors.part(seen, number)) is is_covered)

    def numbers() -> tuple[int | None, int | None]:
        seen = stage.see()
        return stamp(monitors.part(seen, 2)), stamp(monitors.part(seen, 3))

    for number in (2, 3):
        wait_seen(number, True)
    assert shows_panels(monitors.part(stage.see(), 1))  # their own display is free
    stage.wait_until(lambda seen: None not in (stamp(monitors.part(seen, 2)), stamp(monitors.part(seen, 3))))
    pairs = []
    for _ in range(60):
        pairs.append(numbers())
        time.sleep(0.02)
    apart = [abs(a - b) for a, b in pairs if a is not None and b is not None]
    assert len(apart) > 40
    assert len({a for a, _ in pairs}) > 5  # and it moved
    # one display frame apart at most: on a machine that is busy that may be more than a frame of the stream
    assert np.median(apart) <= 1
    assert max(apart) <= 4

    stage.send("/vj/output/2/mirror/horizontal", 1)  # of the second one's projector alone
    stage.wait_until(lambda seen: stamp(monitors.part(seen, 3)[:, ::-1]) is not None)
    assert stamp(monitors.part(stage.see(), 2)) is not None
    stage.send("/vj/output/2/mirror/horizontal", 0)
    stage.send("/vj/output/blackout", 1)  # everyone's
    stage.wait_until(lambda seen: not monitors.part(seen, 2).any() and not monitors.part(seen, 3).any())
    stage.send("/vj/output/blackout", 0)

    monitors.remove(3)
    stage.vj.wait_for("the display M3 is gone; the output 2 waits for it")
    wait_seen(3, False)
    wait_seen(2, True)
    before = numbers()[0]
    stage.wait_until(lambda seen: stamp(monitors.part(seen, 2)) not in (None, before))
    monitors.add(3)
    stage.vj.wait_for("the display M3 is back, and the output 2 on it")
    wait_seen(3, True)
    monitors.remove(2)  # and the first one
    stage.vj.wait_for("the display M2 is gone; the output is a window now")
    wait_seen(2, False)
    moving = numbers()[1]
    stage.wait_until(lambda seen: stamp(monitors.part(seen, 3)) not in (None, moving))
    monitors.add(2)
    stage.vj.wait_for("the display M2 is back, and the output on it")
    wait_seen(2, True)
    assert stage.vj.stop() == 0
    (kept,) = tmp_path.rglob("autosave/last.toml")
    assert tomllib.loads(kept.read_text())["outputs"] == {"1": "M2", "2": "M3"}


def test_a_show_waits_for_the_displays_it_knew(start_vj, monitors: Monitors, tmp_path: Path):
    folder = tmp_path / "tour"
    folder.mkdir()
    (folder / "show.toml").write_text('model = "test-pattern"\noutputs = { 1 = "M2", 2 = "M3" }\n')
    monitors.remove(3)
    vj = start_vj("run", "--show", folder, "--osc", "0", display=monitors.display)
    stage = Stage(vj, monitors.display)
    vj.wait_for("the display M3 of output 2 is not there")
    stage.wait_until(lambda seen: covers(monitors.part(seen, 2)))
    assert not covers(monitors.part(stage.see(), 3))
    monitors.add(3)
    stage.wait_until(lambda seen: covers(monitors.part(seen, 3)))
    assert vj.stop() == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("M2,M9", "--display M9: there is no such display"),
        ("2,M2", "--display 2,M2: M2 is named twice"),
    ],
)
def test_displays_that_cannot_be_had_are_a_sentence(run_vj, monitors: Monitors, words: str, sentence: str):
    ended = run_vj("run", "--model", "test-pattern", "--display", words, display=monitors.display)
    assert ended.returncode == 2
    assert sentence in ended.stderr
