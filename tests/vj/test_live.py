"""The whole instrument as an audience sees it: the real command on a display without a window manager.

The engine is the test pattern in its own process, the hands are OSC datagrams and real key presses.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from pythonosc.udp_client import SimpleUDPClient

from tests.servers.instrument import RunningVj
from tests.servers.xvfb import XDisplay
from vj.app import theme

BLACKOUT = "/vj/output/blackout"
STARVED_S = 1.0  # a test machine with all cores taken is late; what is measured here is order, not pace


class Stage:
    """A running show: its process, its display and a hand on OSC."""

    def __init__(self, vj: RunningVj, display: XDisplay) -> None:
        self.vj = vj
        self.display = display
        vj.wait_for("OSC listens at")
        port = re.search(r"OSC listens at \S+:(\d+)", vj.output())
        assert port
        self.port = int(port[1])

    def send(self, address: str, value: float | str) -> None:
        with SimpleUDPClient("127.0.0.1", self.port) as hand:
            hand.send_message(address, value)

    def see(self) -> np.ndarray:
        return self.display.grab().astype(np.int16)

    def wait_until(self, seen: Callable[[np.ndarray], bool], timeout_s: float = 15.0) -> float:
        """Look until the display shows it; return the seconds that took."""
        began_s = time.monotonic()
        while not seen(self.see()):
            assert self.vj.process.poll() is None, self.vj.output()
            assert time.monotonic() - began_s < timeout_s, f"not seen in {timeout_s} s:\n{self.vj.output()}"
            time.sleep(0.01)
        return time.monotonic() - began_s

    def wait_for_stream(self) -> None:
        """Wait until frames of the engine are on screen: the test pattern's colour is that of its prompt."""
        self.wait_until(covers)
        worker_ids(self.vj)
        time.sleep(3.0)

    def key(self, name: str) -> None:
        subprocess.run(["xdotool", "key", name], check=True, env=os.environ | self.display.env)


def covers(seen: np.ndarray) -> bool:
    """Whether a picture covers the whole display: neither bars nor panels nor the bare root."""
    edges = (seen[:8], seen[-8:], seen[:, :8], seen[:, -8:])
    return all(edge.max(axis=-1).mean() > 2 for edge in edges) and not shows_panels(seen)


def shows_panels(seen: np.ndarray) -> bool:
    """Whether the panels' background lies along the upper edge."""
    background = [int(theme.BACKGROUND[k : k + 2], 16) for k in (1, 3, 5)]
    return bool((np.abs(seen[:2, 120:400].astype(int) - background) <= 1).all())


def is_black(seen: np.ndarray) -> bool:
    return not seen.any()


def worker_ids(vj: RunningVj) -> list[int]:
    """Process ids of the engines this show has started."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if b"engine.worker" in words and parent == vj.process.pid:
                found.append(int(folder.name))
    return found


def is_alive(process_id: int) -> bool:
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_gone(process_ids: list[int], timeout_s: float = 12.0) -> None:
    end = time.monotonic() + timeout_s
    while any(map(is_alive, process_ids)):
        assert time.monotonic() < end, "an engine was left behind"
        time.sleep(0.05)


@pytest.fixture
def stage(start_vj, display) -> Iterator[Stage]:
    yield Stage(start_vj("run", "--model", "test-pattern", "--fullscreen", "--osc", "0", display=display), display)


def test_fullscreen_covers_the_display_and_moves_within_five_seconds(start_vj, display):
    began_s = time.monotonic()
    stage = Stage(start_vj("run", "--model", "test-pattern", "--fullscreen", "--osc", "0", display=display), display)
    stage.wait_until(covers)
    first = stage.see()
    stage.wait_until(lambda seen: np.abs(seen - first).mean() > 0.5)
    assert time.monotonic() - began_s < 5.0 + STARVED_S


def test_blackout_is_black_at_once_and_comes_back(stage: Stage):
    stage.wait_for_stream()
    stage.send(BLACKOUT, 1)
    # two display frames are 33 ms; what is waited for here includes grabbing the display
    assert stage.wait_until(is_black) < 0.25 + STARVED_S
    for _ in range(20):
        assert is_black(stage.see())
        time.sleep(0.02)
    stage.send(BLACKOUT, 0)
    assert stage.wait_until(covers) < 0.25 + STARVED_S


def test_a_hard_cut_shows_no_gap(stage: Stage):
    stage.wait_for_stream()
    before = stage.see()
    stage.send("/vj/prompt/1/text", "a burning red desert")
    stage.send("/vj/seed/value", 4711)
    stage.send("/vj/cut/hard", 1)
    end_s = time.monotonic() + 4.0
    last, changed_s, longest_s = before, time.monotonic(), 0.0
    while time.monotonic() < end_s:
        seen = stage.see()
        assert seen.mean() > 2, "a black frame at the cut"
        if np.abs(seen - last).max() > 1:
            last, changed_s = seen, time.monotonic()
        longest_s = max(longest_s, time.monotonic() - changed_s)
        time.sleep(0.01)
    assert longest_s < 0.3 + STARVED_S
    assert np.abs(last - before).mean() > 5  # another stream in another colour


def test_a_prompt_from_osc_is_seen_within_two_chunks(stage: Stage):
    stage.wait_for_stream()
    before = stage.see().mean(axis=(0, 1))
    stage.send("/vj/prompt/1/text", "an emerald forest after rain")
    took_s = stage.wait_until(lambda seen: np.abs(seen.mean(axis=(0, 1)) - before).max() > 12)
    assert took_s < 2 * 0.75 + STARVED_S


@pytest.mark.skipif(shutil.which("xdotool") is None, reason="needs xdotool")
def test_keys_on_the_output(stage: Stage):
    stage.wait_for_stream()
    stage.key("Escape")
    time.sleep(0.5)
    assert covers(stage.see())
    stage.key("b")
    stage.wait_until(is_black)
    stage.key("b")
    stage.wait_until(covers)
    stage.key("Tab")
    stage.wait_until(shows_panels)
    time.sleep(1.0)  # what has just come up has no keyboard yet
    stage.key("Tab")
    stage.wait_until(covers)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_show_and_leaves_nothing(stage: Stage, number: signal.Signals):
    stage.wait_for_stream()
    workers = worker_ids(stage.vj)
    assert len(workers) == 1
    stage.vj.process.send_signal(number)
    assert stage.vj.process.wait(10) == 0
    wait_gone(workers, 1.0)
    left = [p for base in ("/dev/shm", "/tmp") for p in Path(base).glob(f"vj-run-{stage.vj.process.pid}-*")]
    assert left == []


def test_a_dead_engine_leaves_the_picture_and_is_reported(stage: Stage):
    stage.wait_for_stream()
    (worker,) = worker_ids(stage.vj)
    os.kill(worker, signal.SIGKILL)
    stage.vj.wait_for("the engine stopped")
    time.sleep(2.5)
    assert covers(stage.see())
    stage.send(BLACKOUT, 1)
    stage.wait_until(is_black)
    assert stage.vj.stop() == 0


def test_a_crash_of_the_instrument_leaves_no_engine(stage: Stage):
    stage.wait_for_stream()
    workers = worker_ids(stage.vj)
    os.kill(stage.vj.process.pid, signal.SIGKILL)
    stage.vj.process.wait(5)
    wait_gone(workers)


def test_a_timeline_plays_live(start_vj, display, tmp_path: Path):
    timeline = tmp_path / "live.toml"
    timeline.write_text(
        'unit = "seconds"\n'
        '[[cues]]\nat = 0\nvalues = { "/vj/prompt/1/text" = "deep blue ink" }\n'
        '[[cues]]\nat = 3\nvalues = { "/vj/output/blackout" = true }\n'
        '[[cues]]\nat = 4\nvalues = { "/vj/output/blackout" = false }\n',
        "utf-8",
    )
    arguments = ("run", "--model", "test-pattern", "--fullscreen", "--osc", "0", "--timeline", timeline)
    stage = Stage(start_vj(*arguments, display=display), display)
    stage.wait_until(covers)
    stage.wait_until(is_black)
    stage.wait_until(covers)


def test_the_engine_in_this_process_plays_the_same(start_vj, display):
    arguments = ("run", "--model", "test-pattern", "--engine-in-process", "--fullscreen", "--osc", "0")
    stage = Stage(start_vj(*arguments, display=display), display)
    stage.wait_until(covers)
    assert worker_ids(stage.vj) == []
    stage.send("/vj/output/level", 0.0)
    stage.wait_until(is_black)
    assert stage.vj.stop() == 0


def test_a_midi_controller_plays_through_the_shipped_mapping(start_vj, display, jack, monkeypatch, tmp_path: Path):
    import rtmidi

    for name, value in jack.env.items():
        monkeypatch.setenv(name, value)
    box = rtmidi.MidiOut(rtmidi.API_UNIX_JACK, name="stage box")
    box.open_virtual_port("out")
    look = tmp_path / "two_pads.toml"
    look.write_text(
        '[values]\n"/vj/prompt/1/text" = "deep blue sea"\n"/vj/prompt/2/text" = "a burning red desert"\n', "utf-8"
    )
    arguments = ("run", "--model", "test-pattern", "--fullscreen", "--osc", "0", "--look", look)
    stage = Stage(start_vj(*arguments, display=display, env=jack.env), display)
    try:
        stage.wait_for_stream()
        before = stage.see().mean(axis=(0, 1))
        for value in (0, 32, 64, 96, 127):  # a fader picks its value up before it moves it
            box.send_message([0xB0, 8, value])
        stage.wait_until(lambda seen: np.abs(seen.mean(axis=(0, 1)) - before).max() > 12)
        box.send_message([0x90, 46, 127])
        stage.wait_until(is_black)
    finally:
        box.close_port()
        box.delete()
