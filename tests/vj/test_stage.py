"""The output goes on without panels, and new panels find it: the real command, killed and stopped on a real display."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.servers import ServerMissingError
from tests.servers.instrument import RunningVj, stage_ids
from tests.servers.xvfb import XDisplay
from tests.vj.osc_desk import OscDesk
from tests.vj.test_live import BLACKOUT, STARVED_S, Stage, covers, is_alive, is_black, wait_gone

ARGUMENTS = ("run", "--model", "test-pattern", "--fullscreen", "--osc", "0")
SEED = "/vj/seed/value"
needs_keys = pytest.mark.skipif(shutil.which("xdotool") is None, reason="needs xdotool")


class Show:
    """Panels that may die, on a display that goes on."""

    def __init__(self, start_vj: Callable[..., RunningVj], display: XDisplay, home: Path) -> None:
        self._start, self.display, self.home = start_vj, display, home
        self.panels = self.run()
        self.panels.wait_until(covers)
        (self.stage_id,) = stage_ids(home)

    def run(self, *arguments: str) -> Stage:
        """Start panels, as a performer would after a crash."""
        return Stage(self._start(*ARGUMENTS, *arguments, display=self.display), self.display)

    def kill(self, number: signal.Signals) -> None:
        os.kill(self.panels.vj.process.pid, number)

    def moves(self, seconds: float) -> None:
        """Look whether the output covers the display and moves all the time."""
        end, last, changed = time.monotonic() + seconds, self.display.grab(), time.monotonic()
        while time.monotonic() < end:
            seen = self.display.grab()
            assert covers(seen.astype(np.int16))
            if np.abs(seen.astype(int) - last).max() > 1:
                last, changed = seen, time.monotonic()
            assert time.monotonic() - changed < 0.25 + STARVED_S, "a still picture"
            time.sleep(0.02)

    def key(self, *names: str) -> None:
        subprocess.run(["xdotool", "key", *names], check=True, env=os.environ | self.display.env)

    def wait_seen(self, seen: Callable[[np.ndarray], bool], timeout_s: float = 5.0) -> None:
        """Look until the display shows it, whoever lives."""
        end = time.monotonic() + timeout_s
        while not seen(self.display.grab().astype(np.int16)):
            assert time.monotonic() < end
            time.sleep(0.01)


@pytest.fixture
def show(start_vj, display, tmp_path: Path) -> Show:
    return Show(start_vj, display, tmp_path)


@needs_keys
def test_the_output_outlives_the_panels_and_new_ones_find_it(show: Show):
    show.panels.wait_for_stream()
    show.kill(signal.SIGKILL)
    show.panels.vj.process.wait(5)
    show.moves(3.0)
    show.key("b")  # the panic row needs no panels
    show.wait_seen(is_black)
    panels = show.run()
    panels.vj.wait_for("this show goes on there")
    assert stage_ids(show.home) == [show.stage_id]
    time.sleep(1.5)
    assert is_black(panels.see())  # what the hand did meanwhile holds
    panels.send(BLACKOUT, 0)
    panels.wait_until(covers)
    before = panels.see().mean(axis=(0, 1))
    panels.send("/vj/prompt/1/text", "a burning red desert")
    panels.wait_until(lambda seen: np.abs(seen.mean(axis=(0, 1)) - before).max() > 12)
    assert panels.vj.stop() == 0
    wait_gone([show.stage_id], 1.0)
    assert stage_ids(show.home) == []


def test_stopped_panels_are_replaced_while_the_output_goes_on(show: Show):
    show.panels.wait_for_stream()
    show.kill(signal.SIGSTOP)
    show.moves(5.0)
    panels = show.run()
    panels.vj.wait_for("do not answer and are ended")
    assert show.panels.vj.process.wait(5) == -signal.SIGKILL
    assert stage_ids(show.home) == [show.stage_id]
    panels.wait_until(covers)
    panels.send(BLACKOUT, 1)
    panels.wait_until(is_black)
    assert panels.vj.stop() == 0


def test_a_show_that_is_well_keeps_its_output(show: Show):
    other = show.run("--seconds", "1")
    assert other.vj.process.wait(15) == 0
    assert "goes on there" not in other.vj.output()
    assert is_alive(show.stage_id)
    show.panels.wait_until(covers)


def test_an_output_that_dies_is_back_at_once(show: Show):
    os.kill(show.stage_id, signal.SIGKILL)
    began_s = time.monotonic()
    show.panels.wait_until(lambda seen: not covers(seen))
    show.panels.wait_until(covers)
    assert time.monotonic() - began_s < 2.0 + STARVED_S
    show.panels.vj.wait_for("the output's process has died; it is started anew")
    show.panels.send(BLACKOUT, 1)
    show.panels.wait_until(is_black)
    assert show.panels.vj.stop() == 0


@needs_keys
def test_the_panic_row_on_the_output_and_in_the_network_are_one(show: Show):
    panels = show.panels
    panels.key("b")
    panels.wait_until(is_black)
    panels.send(BLACKOUT, 0)
    panels.wait_until(covers)
    panels.send("/vj/output/level", 0.0)
    panels.wait_until(is_black)
    panels.key("r")
    panels.wait_until(covers)
    panels.wait_for_stream()
    panels.key("f")
    time.sleep(1.0)
    still = panels.see()
    time.sleep(0.5)
    assert np.abs(panels.see() - still).max() <= 2
    panels.key("r")
    panels.wait_until(lambda seen: np.abs(seen - still).mean() > 2)


@needs_keys
def test_without_panels_the_output_is_ended_by_its_own_key_pressed_twice(show: Show):
    folder = next(Path("/dev/shm").glob(f"vj-run-{show.panels.vj.process.pid}-*"))
    show.key("ctrl+q", "ctrl+q")
    time.sleep(0.5)
    assert is_alive(show.stage_id)  # the panels are there, and theirs is the end
    show.kill(signal.SIGKILL)
    time.sleep(3.5)
    show.key("ctrl+q")
    time.sleep(0.3)
    assert is_alive(show.stage_id)
    show.key("ctrl+q")
    wait_gone([show.stage_id], 3.0)
    assert stage_ids(show.home) == []
    assert not folder.exists()


def test_the_output_in_this_process_plays_the_same(start_vj, display, tmp_path: Path):
    stage = Stage(start_vj(*ARGUMENTS, "--stage-in-process", display=display), display)
    stage.wait_until(covers)
    assert stage_ids(tmp_path) == []
    stage.send(BLACKOUT, 1)
    stage.wait_until(is_black)
    assert stage.vj.stop() == 0


@needs_keys
def test_no_key_on_the_output_is_lost_or_doubled(start_vj, display):
    with OscDesk() as desk:
        stage = Stage(start_vj(*ARGUMENTS, "--osc-out", desk.address, display=display), display)
        stage.wait_until(covers)
        desk.listen(lambda: desk.last(SEED) is not None)
        before = desk.last(SEED)
        # faster than any hand; each press is the next seed
        stage_keys = ["xdotool", "key", "--delay", "4", *["n"] * 50]
        subprocess.run(stage_keys, check=True, env=os.environ | display.env)
        desk.listen(lambda: desk.last(SEED) == before + 50)
        time.sleep(0.5)
        desk.listen(lambda: desk.last(SEED) == before + 50)


@pytest.mark.skipif(shutil.which("xrandr") is None, reason="needs xrandr")
def test_a_display_that_goes_leaves_a_window_and_one_that_comes_back_is_covered(start_vj, tmp_path: Path):
    try:
        wide = XDisplay(tmp_path, 2560, 720)
    except ServerMissingError as missing:
        pytest.skip(str(missing))
    with wide:
        _set_monitor(wide, "--setmonitor", "left", "1280/300x720/200+0+0", "screen")
        _set_monitor(wide, "--setmonitor", "right", "1280/300x720/200+1280+0", "none")
        stage = Stage(start_vj(*ARGUMENTS, display=wide), wide)
        stage.wait_until(lambda seen: covers(seen[:, 1280:]))
        assert not covers(stage.see()[:, :1280])  # the panels' own
        _set_monitor(wide, "--delmonitor", "right")
        stage.vj.wait_for("the display right is gone; the output is a window now")
        stage.wait_until(lambda seen: seen[:, 1280:].mean() < 0.5)  # nothing but the pointer
        _set_monitor(wide, "--setmonitor", "right", "1280/300x720/200+1280+0", "none")
        stage.vj.wait_for("the display right is back, and the output on it")
        stage.wait_until(lambda seen: covers(seen[:, 1280:]))
        assert stage.vj.stop() == 0


def _set_monitor(display: XDisplay, *words: str) -> None:
    subprocess.run(["xrandr", *words], check=True, env=os.environ | display.env)


def test_a_windowed_output_lies_over_the_panels(start_vj, display):
    vj = start_vj("run", "--model", "test-pattern", "--osc", "127.0.0.1:0", display=display)
    vj.wait_for("OSC listens at")
    corner = (slice(500, 700), slice(880, 1260))  # of the display: where the output's window stands
    end_s = time.monotonic() + 15.0
    last, moved = display.grab()[corner].astype(int), 0
    while moved < 5:
        assert time.monotonic() < end_s, "the output is not seen, or does not move"
        time.sleep(0.2)
        seen = display.grab()[corner].astype(int)
        moved += bool(np.abs(seen - last).mean() > 1.0)
        last = seen
    assert vj.stop() == 0
