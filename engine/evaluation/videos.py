"""Video files as frames, one after the other. Knows nothing of what is measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SUFFIXES = (".mp4", ".mkv", ".mov", ".webm", ".avi", ".gif")


class VideoError(ValueError):
    """A file or folder that holds no video that can be read; the text is the sentence for the user."""


@dataclass(frozen=True)
class Video:
    """A file that can be read."""

    path: Path
    rate_hz: float
    expected_frames: int | None  # as the file says, which may be wrong; None where it does not

    def frames(self) -> Iterator[np.ndarray]:
        """Yield frames (H, W, 3) uint8, sRGB, as players show them. Raises VideoError with a sentence."""
        import av

        try:
            with av.open(str(self.path)) as file:
                for frame in file.decode(video=0):
                    yield frame.to_ndarray(format="rgb24")
        except (av.error.FFmpegError, OSError) as error:
            raise VideoError(f"{self.path} cannot be read to its end ({error.strerror or error})") from None


def open_video(path: Path) -> Video:
    """Look at a file's head. Raises VideoError with a sentence."""
    try:
        import av
    except ModuleNotFoundError:
        raise VideoError("videos need PyAV: `pip install av`") from None
    try:
        with av.open(str(path)) as file:
            if not file.streams.video:
                raise VideoError(f"{path}: there is no picture in it")
            stream = file.streams.video[0]
            rate_hz = float(stream.average_rate or 0)
            length = stream.frames or (round(file.duration / 1e6 * rate_hz) if file.duration else None)
    except (av.error.FFmpegError, OSError) as error:
        raise VideoError(f"{path} cannot be read ({error.strerror or error})") from None
    if rate_hz <= 0.0:
        raise VideoError(f"{path}: says nothing of its frame rate")
    return Video(path, rate_hz, length)


def find_videos(paths: Iterable[Path]) -> list[Path]:
    """List files, and of folders the videos that lie in them, by name. Raises VideoError for what holds none."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES and file.is_file())
            if not inside:
                raise VideoError(f"{path}: there is no video in this folder ({', '.join(SUFFIXES)})")
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            raise VideoError(f"{path}: there is no such file or folder")
    return found
