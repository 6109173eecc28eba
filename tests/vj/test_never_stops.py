"""What breaks behind the output, on a real display: short forms of the long runs, the panic row without engine."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.long.engine_kills import kill_engines
from tests.servers.midi_box import MidiBox
from tests.servers.stamp_watch import StampWatch
from tests.servers.watched_show import WatchedShow, watched_show

STARVED_S = 1.0  # a test machine with all cores taken is late; the long runs measure pace


@pytest.fixture
def show(tmp_path: Path, jack, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[WatchedShow, StampWatch]]:
    if shutil.which("Xvfb") is None:
        pytest.skip("needs Xvfb")
    for name, value in jack.env.items():
        monkeypatch.setenv(name, value)
    with watched_show(tmp_path, env=jack.env) as running:
        yield running


def test_a_killed_engine_is_replaced_and_the_picture_never_breaks(show):
    figures = kill_engines(*show, kills=5, between_s=(0.5, 1.5))
    assert figures["black_looks"] == 0
    assert figures["torn_frames"] == 0
    assert figures["longest_still_ms"] < 250 + 1000 * STARVED_S
    assert figures["back_s"]["longest"] < 3.0 + STARVED_S
    assert figures["colour_drift"] < 0.12


@pytest.mark.skipif(shutil.which("xdotool") is None, reason="needs xdotool")
def test_the_panic_row_plays_with_a_dead_engine(show):
    running, watch = show
    box = MidiBox("panic box")
    try:
        _stop_engines(running)
        time.sleep(3.0)  # until the controller is found
        for press in (
            lambda: _key(running, "b"),
            lambda: running.send("/vj/output/blackout", 1),
            lambda: box.send(0x90, 46, 127),
        ):
            press()
            assert _seconds_until(lambda: _is_black(running)) < 0.25 + STARVED_S
            _key(running, "r")
            assert _seconds_until(lambda: not _is_black(running)) < 0.25 + STARVED_S
            box.send(0x80, 46, 0)
        for press in (lambda: _key(running, "f"), lambda: running.send("/vj/output/freeze", 1)):
            press()
            _seconds_until(lambda: running.state().status.state == "freeze")
            time.sleep(0.6)
            still = running.display.grab().astype(int)
            time.sleep(0.5)
            assert np.abs(running.display.grab() - still).max() <= 1
            _key(running, "r")
            _seconds_until(lambda still=still: np.abs(running.display.grab() - still).max() > 1)
    finally:
        box.unplug()


def _stop_engines(running: WatchedShow) -> None:
    """A hung engine is as dead as one can be for seconds: nobody replaces it yet."""
    os.kill(running.engine_id(), signal.SIGSTOP)


def _key(running: WatchedShow, name: str) -> None:
    subprocess.run(["xdotool", "key", name], check=True, env=os.environ | running.display.env)


def _is_black(running: WatchedShow) -> bool:
    return not running.display.grab().any()


def _seconds_until(happens: Callable[[], bool], timeout_s: float = 5.0) -> float:
    began = time.monotonic()
    while not happens():
        assert time.monotonic() - began < timeout_s, "it did not happen"
        time.sleep(0.004)
    return time.monotonic() - began
