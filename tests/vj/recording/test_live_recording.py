"""Recordings of a real running show: the real stage, its sound, keys and stills, as a performer makes them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
from pythonosc.udp_client import SimpleUDPClient

from tests.servers.instrument import RunningVj
from tests.vj.recording.recorded_output import PlayedFile, psnr_db

RATE_FPS = 30
BRIGHT = 225  # mean of a flash


class Hand:
    """Plays a show by OSC and waits for what it says."""

    def __init__(self, vj: RunningVj) -> None:
        self.vj = vj
        vj.wait_for("OSC listens at")
        self._port = int(re.search(r"OSC listens at \S+:(\d+)", vj.output())[1])

    def set(self, **values: object) -> None:
        with SimpleUDPClient("127.0.0.1", self._port) as client:
            for name, value in values.items():
                client.send_message(f"/vj/{name.replace('__', '/')}", value)

    def wait(self, is_so: Callable[[], object], timeout_s: float = 20.0) -> None:
        until_s = time.monotonic() + timeout_s
        while not is_so():
            assert time.monotonic() < until_s, self.vj.output()
            time.sleep(0.05)


def test_a_show_is_recorded_as_it_was_seen_and_heard(start_vj, display, pulse, tmp_path: Path):
    folder = tmp_path / "films"
    vj = start_vj("run", "--model", "test-pattern", "--osc", "0", display=display, env=pulse.env)
    hand = Hand(vj)
    hand.set(record__folder=str(folder), record__rate=str(RATE_FPS), record__codec="ffv1")
    time.sleep(3.0)  # the stream is there
    hand.set(output__freeze=1)
    time.sleep(0.3)
    hand.set(record__on=1)
    hand.wait(lambda: _size(folder, ".mkv") > 300_000)
    hand.set(record__still=1)
    hand.wait(lambda: "saved:" in vj.output())
    hand.set(record__on=0, output__flash_test=1)
    time.sleep(0.5)
    lossless, still = PlayedFile.play(_only(folder, ".mkv")), _only(folder, ".png")
    picture = cv2.cvtColor(cv2.imread(str(still)), cv2.COLOR_BGR2RGB)
    assert all(np.array_equal(shown, picture) for shown in lossless.pictures)
    assert np.allclose(np.diff(lossless.times_s), 1.0 / RATE_FPS, atol=0.001)
    assert {b"vj:prompts", b"vj:seed", b"test-pattern"} <= set(re.findall(rb"vj:\w+|test-pattern", still.read_bytes()))

    hand.set(record__codec="h264", record__on=1)
    hand.wait(lambda: _size(folder, ".mp4") > 0)
    time.sleep(3.5)
    assert vj.stop() == 0  # in the middle of it
    film = PlayedFile.play(_only(folder, ".mp4"))
    height, width, _ = film.pictures[0].shape
    dark = [shown for shown in film.pictures if shown.mean() < BRIGHT]
    assert min(psnr_db(shown, picture[:height, :width]) for shown in dark) >= 38.0
    assert np.allclose(np.diff(film.times_s) * RATE_FPS, np.round(np.diff(film.times_s) * RATE_FPS), atol=1e-3)
    assert film.length_s > 2.0
    with av.open(str(_only(folder, ".mp4"))) as file:  # ended in order: an ordinary file
        assert file.duration / 1e6 >= film.length_s
    _check_flashes_are_heard(film)


def _check_flashes_are_heard(film: PlayedFile) -> None:
    """Flash and click come together: the median is that of a machine that draws late now and then."""
    is_bright = np.array([picture.mean() > BRIGHT for picture in film.pictures])
    flashes = [film.times_s[k] for k in np.flatnonzero(is_bright[1:] & ~is_bright[:-1]) + 1]
    loud = np.flatnonzero(np.abs(film.sound).max(axis=1) > 0.2) / 48_000 + film.sound_at_s
    clicks = [at for k, at in enumerate(loud) if k == 0 or at - loud[k - 1] > 0.3]
    assert flashes
    assert clicks
    # those before the first click are from before the sound input was open
    apart = [min(abs(flash - click) for click in clicks) for flash in flashes if flash > clicks[0] - 0.5]
    assert np.median(apart) < 0.12


def _only(folder: Path, suffix: str) -> Path:
    (path,) = folder.glob(f"*{suffix}")
    return path


def _size(folder: Path, suffix: str) -> int:
    return sum(path.stat().st_size for path in folder.glob(f"*{suffix}"))
