"""The recorder's process on a pretended output: what is in its files, and what becomes of them whatever happens."""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.vj.recording.recorded_output import (
    SECOND_NS,
    DrawnOutput,
    PlayedFile,
    RecorderProcess,
    numbered,
    psnr_db,
)
from vj.recording.messages import RecorderState, RecorderWishes

RATE_FPS = 30


class Studio:
    """An output that draws, and a recorder beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.output = DrawnOutput(folder, RATE_FPS)
        self.recorder = RecorderProcess(folder)

    def record(self, name: str, seconds: float, **wishes: object) -> tuple[PlayedFile, RecorderState]:
        """Record so much and play it."""
        take = str(self.folder / name)
        self.recorder.wish(RecorderWishes(take=take, **wishes))
        self.recorder.wait_for(lambda state: state.take == take and state.length_s >= seconds)
        during = self.recorder.state
        self.recorder.wish(RecorderWishes())
        state = self.recorder.wait_for(lambda state: not state.take)
        size = -1
        while size != (size := Path(state.file).stat().st_size) or not size:
            time.sleep(0.3)  # its end is written and told
        return PlayedFile.play(Path(state.file)), dataclasses.replace(self.recorder.state, coder=during.coder)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    studio = Studio(tmp_path_factory.mktemp("studio"))
    yield studio
    assert studio.recorder.end() == 0
    studio.output.stop()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1.3 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1300K", "tmpfs", disk], capture_output=True)
    if mounted.returncode:
        pytest.skip("a disk of its own takes root")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


def smallest_psnr_db(played: PlayedFile) -> float:
    pairs = zip(played.pictures, played.numbers, strict=True)
    return min(psnr_db(picture, numbered(number)[..., :3]) for picture, number in pairs)


def test_at_a_constant_rate_every_frame_is_there_at_its_time(studio: Studio):
    played, state = studio.record("constant", 1.5, rate_fps=RATE_FPS)
    assert state.dropped == 0
    assert state.coder
    assert len(played.times_s) == round(state.length_s * RATE_FPS)
    assert np.allclose(played.times_s, np.arange(len(played.times_s)) / RATE_FPS, atol=1e-6)
    assert np.abs(np.diff(played.numbers) - 1).max() == 0  # the output's rate is the file's
    assert played.colour == (1, 1)  # BT.709, limited
    assert smallest_psnr_db(played) >= 38.0
    # nothing was heard: silence as long as the pictures
    assert not played.sound.any()
    assert abs(len(played.sound) / 48_000 - state.length_s) < 0.5


def test_at_their_own_moments_pictures_are_exact_and_lossless_ones_equal(studio: Studio):
    played, state = studio.record("own", 1.0, rate_fps=None, codec="ffv1")
    assert (played.codec, state.dropped) == ("ffv1", 0)
    drawn_ns = np.array([studio.output.moments[number] for number in played.numbers])
    drawn_s = (drawn_ns - drawn_ns[0]) / SECOND_NS
    assert np.abs(drawn_s - np.array(played.times_s)).max() <= 0.0006  # Matroska counts milliseconds
    assert smallest_psnr_db(played) == float("inf")
    again, state = studio.record("own", 0.3, rate_fps=None, codec="ffv1")
    assert Path(state.file).name == "own 2.mkv"  # never over another
    assert again.length_s < played.length_s


def test_a_recorder_that_was_held_up_counts_what_it_missed_and_stays_in_time(studio: Studio):
    wishes = RecorderWishes(take=str(studio.folder / "held up"), rate_fps=RATE_FPS, with_sound=False)
    studio.recorder.wish(wishes)
    studio.recorder.wait_for(lambda state: "held up" in state.file and state.length_s > 0.3)
    os.kill(studio.recorder.process.pid, signal.SIGSTOP)
    time.sleep(1.5)  # the ring keeps 0.6 s
    os.kill(studio.recorder.process.pid, signal.SIGCONT)
    length_s = studio.recorder.state.length_s
    state = studio.recorder.wait_for(lambda state: state.length_s > length_s + 2.0)
    studio.recorder.wish(RecorderWishes())
    studio.recorder.wait_for(lambda state: not state.take)
    assert 10 <= state.dropped <= 60
    time.sleep(0.2)
    played = PlayedFile.play(Path(state.file))
    drawn_s = (np.array(played.numbers) - played.numbers[0]) / RATE_FPS
    assert np.abs(drawn_s - np.array(played.times_s)).max() <= 1.01 / RATE_FPS
    assert round(played.length_s * RATE_FPS) + 1 - len(played.times_s) == state.dropped


def test_the_last_seconds_are_saved_while_a_recording_goes_on(studio: Studio):
    take, save = str(studio.folder / "take"), str(studio.folder / "replay")
    armed = RecorderWishes(replay_s=1.2, rate_fps=RATE_FPS, with_sound=True)
    studio.recorder.wish(armed)
    studio.recorder.wait_for(lambda state: state.replay_s >= 0.5)
    studio.recorder.wish(RecorderWishes(take=take, replay_s=1.2, rate_fps=RATE_FPS))
    studio.recorder.wait_for(lambda state: state.length_s > 0.2 and state.replay_s >= 1.2)
    studio.recorder.wish(RecorderWishes(take=take, replay_s=1.2, save=save, rate_fps=RATE_FPS))
    state = studio.recorder.wait_for(lambda state: bool(state.saved_file))
    newest = max(studio.output.moments)
    assert state.take == take
    studio.recorder.wish(RecorderWishes())
    state = studio.recorder.wait_for(lambda state: not state.take)
    time.sleep(0.2)
    replay, whole = PlayedFile.play(Path(f"{save}.mp4")), PlayedFile.play(Path(state.file))
    assert 1.1 <= replay.length_s <= 2.6
    assert newest - replay.numbers[-1] < RATE_FPS  # up to the press
    assert np.abs(np.diff(replay.numbers) - 1).max() == 0
    assert np.abs(np.diff(whole.numbers) - 1).max() == 0
    assert whole.times_s[0] == replay.times_s[0] == 0.0


@pytest.mark.parametrize("suddenly", [False, True])
def test_a_disk_that_fills_up_ends_the_recording_and_leaves_it_playable(
    studio: Studio, small_disk: Path, suddenly: bool
):
    wishes = {"codec": "ffv1" if not suddenly else "h264", "rate_fps": RATE_FPS, "with_sound": False}
    take = str(small_disk / "full")
    studio.recorder.wish(RecorderWishes(take=take, **wishes))
    least_s = 1.8 if suddenly else 0.5  # what the last second held may be lost
    studio.recorder.wait_for(lambda state: state.take == take and state.length_s > least_s)
    if suddenly:  # by somebody else, between two looks
        with (small_disk / "other").open("wb") as other, pytest.raises(OSError, match="No space"):
            while True:
                other.write(bytes(1 << 16))
    state = studio.recorder.wait_for(lambda state: state.ended == take)
    assert "is full" in state.problem
    assert "the recording has ended" in state.problem
    time.sleep(0.2)
    played = PlayedFile.play(Path(state.file))
    assert len(played.times_s) > 0.3 * RATE_FPS
    if not suddenly:
        assert shutil.disk_usage(small_disk).free > 0  # something is left for everybody else
    studio.recorder.wish(RecorderWishes())


def test_a_place_that_cannot_be_written_or_goes_is_told(studio: Studio):
    (studio.folder / "file").touch()
    take = str(studio.folder / "file" / "take")
    studio.recorder.wish(RecorderWishes(take=take))
    state = studio.recorder.wait_for(lambda state: state.ended == take)
    assert "nothing can be recorded in" in state.problem
    take = str(studio.folder / "gone" / "take")
    studio.recorder.wish(RecorderWishes(take=take))
    studio.recorder.wait_for(lambda state: state.take == take and state.length_s > 0.1)
    shutil.rmtree(studio.folder / "gone")
    state = studio.recorder.wait_for(lambda state: state.ended == take)
    assert "is gone" in state.problem
    studio.recorder.wish(RecorderWishes())


def test_killed_in_the_middle_the_file_plays_to_within_a_second_of_the_end(tmp_path: Path):
    studio = Studio(tmp_path)
    studio.recorder.wish(RecorderWishes(take=str(tmp_path / "killed"), rate_fps=RATE_FPS))
    state = studio.recorder.wait_for(lambda state: state.length_s > 1.5)
    last = max(studio.output.moments)
    os.kill(studio.recorder.process.pid, signal.SIGKILL)
    studio.recorder.end()
    studio.output.stop()
    played = PlayedFile.play(Path(state.file))
    assert (last - played.numbers[-1]) / RATE_FPS <= 1.0
    assert played.length_s > 0.5
    assert smallest_psnr_db(played) >= 38.0
