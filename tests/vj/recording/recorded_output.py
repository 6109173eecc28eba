"""A recorder's process beside a pretended output: numbered pictures in a real ring, wishes, states and files."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import av
import numpy as np

from engine.messages import encode
from engine.video_in.input_ring import InputRing
from vj.processes.child import python_command, python_environment
from vj.recording.messages import RecorderState, RecorderWishes, decode_state
from vj.stage.block import PICTURES_NAME

WIDTH, HEIGHT = 192, 108
CELL, BITS = 12, 14
SECOND_NS = 1_000_000_000
WAIT_S = 12.0


def numbered(number: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """A picture (H, W, 4) uint8 that says its number: a row of black and white cells over a soft gradient."""
    rows, columns = np.mgrid[0:height, 0:width]
    picture = np.full((height, width, 4), 255, np.uint8)
    picture[..., 0] = 96 + columns * 48 // width
    picture[..., 1] = 96 + rows * 48 // height
    picture[..., 2] = 96 + (number * 3) % 48
    for bit in range(BITS):
        picture[:CELL, bit * CELL : (bit + 1) * CELL, :3] = 255 * (number >> bit & 1)
    return picture


def number_in(rgb: np.ndarray) -> int:
    """The number in a picture (H, W, 3)."""
    cells = [rgb[CELL // 2, bit * CELL + CELL // 2].mean() > 128 for bit in range(BITS)]
    return sum(1 << bit for bit, is_set in enumerate(cells) if is_set)


class DrawnOutput:
    """Writes numbered pictures at a rate; `moments` says when each was drawn."""

    def __init__(self, folder: Path, rate_hz: float = 30.0, capacity: int = 20) -> None:
        self.ring = InputRing.create(folder / PICTURES_NAME, width=WIDTH, height=HEIGHT, capacity=capacity)
        self.moments: dict[int, int] = {}
        self._rate_hz = rate_hz
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        began_ns, number = time.monotonic_ns(), 0
        while not self._stop.is_set():
            number = max(number + 1, int((time.monotonic_ns() - began_ns) * self._rate_hz / SECOND_NS))
            at_ns = began_ns + round(number * SECOND_NS / self._rate_hz)
            time.sleep(max(0.0, (at_ns - time.monotonic_ns()) / SECOND_NS))
            self.moments[number] = at_ns
            self.ring.write(numbered(number), at_ns)


class RecorderProcess:
    """The real process, spoken to."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [*python_command("vj.recording"), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=python_environment(),
        )
        self.state = RecorderState()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def wish(self, wishes: RecorderWishes) -> None:
        self.process.stdin.write(encode(wishes))
        self.process.stdin.flush()

    def wait_for(self, is_so: Callable[[RecorderState], bool]) -> RecorderState:
        end_s = time.monotonic() + WAIT_S
        while not is_so(self.state):
            assert time.monotonic() < end_s, json.dumps(asdict(self.state), indent=1)
            assert self.process.poll() is None
            time.sleep(0.01)
        return self.state

    def end(self) -> int:
        self.process.stdin.close()
        status = self.process.wait(WAIT_S)
        self._thread.join()
        return status

    def _read(self) -> None:
        with self.process.stdout as lines:
            for line in lines:
                self.state = decode_state(line)


@dataclass(frozen=True)
class PlayedFile:
    """What a player finds in a file."""

    numbers: tuple[int, ...]
    times_s: tuple[float, ...]
    pictures: tuple[np.ndarray, ...]  # (H, W, 3) uint8
    length_s: float
    sound: np.ndarray  # (n, channels) float
    sound_at_s: float  # when its first sample is heard
    codec: str
    colour: tuple[int, int]  # matrix and range

    @classmethod
    def play(cls, path: Path) -> PlayedFile:
        """Decode all of it."""
        with av.open(str(path)) as file:
            video = file.streams.video[0]
            frames = list(file.decode(video))
            codec = video.codec_context.name
        rgb = [frame.to_ndarray(format="rgb24", src_colorspace=_matrix(frame)) for frame in frames]
        times = tuple(float(frame.pts * frame.time_base) for frame in frames)
        sound, sound_at_s = _sound(path)
        return cls(
            tuple(map(number_in, rgb)),
            times,
            tuple(rgb),
            times[-1] if times else 0.0,
            sound,
            sound_at_s,
            codec,
            (int(frames[0].colorspace), int(frames[0].color_range)),
        )


def _matrix(frame: av.VideoFrame) -> str:
    return "ITU709" if frame.format.name.startswith(("yuv", "nv")) else "DEFAULT"


def _sound(path: Path) -> tuple[np.ndarray, float]:
    with av.open(str(path)) as file:
        if not file.streams.audio:
            return np.zeros((0, 2)), 0.0
        frames = list(file.decode(file.streams.audio[0]))
    if not frames:
        return np.zeros((0, 2)), 0.0
    samples = [frame.to_ndarray() for frame in frames]
    scale = 1.0 if samples[0].dtype.kind == "f" else float(np.iinfo(samples[0].dtype).max)
    flat = [
        (one.T if frame.format.is_planar else one.reshape(-1, frame.layout.nb_channels)) / scale
        for one, frame in zip(samples, frames, strict=True)
    ]
    return np.concatenate(flat), float(frames[0].pts * frames[0].time_base)


def psnr_db(first: np.ndarray, second: np.ndarray) -> float:
    """Peak signal to noise of two pictures of uint8."""
    error = np.mean((first.astype(float) - second) ** 2)
    return float("inf") if error == 0 else 10 * np.log10(255**2 / error)
