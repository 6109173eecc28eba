"""Reference pictures by file: read on a thread of their own, held until nobody wants them, put onto the stream's size.

Knows nothing of pads, encoders or latents.
"""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from engine.video_in.picture_files import PictureError, decoded, fitted

KEPT_PICTURES = 16
LONGEST_SIDE = 2048  # pixels; larger pictures are read at this size
WHITE = 1.0  # of values in [-1, 1]


@dataclass(frozen=True)
class ReferencePicture:
    """A picture as it was read."""

    pixels: np.ndarray  # (H, W, 4) uint8, RGB sRGB, A = opacity
    note: str
    number: int  # another one for every picture that is read
    file_id: tuple[int, int]  # when it was written, in ns, and its size in bytes


@dataclass
class _Entry:
    reading: Future[ReferencePicture]
    before: ReferencePicture | None = None  # goes on to guide until the file is read anew


class ReferenceBook:
    """A `FileBook` of pictures. Any thread may ask."""

    def __init__(self, folders: Sequence[Path] | None = None) -> None:
        """`folders` are looked in, in order, for files written without one; None = the user's own, for stills."""
        self._folders = reference_folders() if folders is None else tuple(folders)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="references")
        self._lock = threading.Lock()  # over the entries
        self._entries: OrderedDict[str, _Entry] = OrderedDict()  # the one wanted last at the end
        self._numbers = itertools.count(1)

    def request(self, path: str) -> None:
        """Begin to read a file, again if it has changed; returns at once."""
        if not path:
            return
        with self._lock:
            entry = self._entries.get(path)
            if entry is None or entry.reading.done():
                before = _picture_in(entry)
                self._entries[path] = _Entry(self._pool.submit(self._read, path, before), before)
            self._touch(path)

    def is_ready(self, path: str) -> bool:
        """Whether a picture is read, or none is asked for; never waits."""
        return not path or self.picture(path) is not None

    def failure(self, path: str) -> str:
        """Why a file cannot be used; empty while it is being read, or when it guides."""
        with self._lock:
            entry = self._entries.get(path)
        error = entry.reading.exception() if entry is not None and entry.reading.done() else None
        return str(error) if error else ""

    def note(self, path: str) -> str:
        """What a picture is; empty while it is being read, or when it cannot be used."""
        with self._lock:
            picture = _picture_in(self._entries.get(path))
        return picture.note if picture else ""

    def picture(self, path: str, *, wait: bool = False) -> ReferencePicture | None:
        """The picture of a file, which begins to be read with this call; None while, or when, there is none.

        With `wait` (offline) it is read to the end, and PictureError is raised when that fails.
        """
        if path not in self._entries:
            self.request(path)
        with self._lock:
            entry = self._entries[path]
            self._touch(path)
        return entry.reading.result() if wait else _picture_in(entry)

    def close(self) -> None:
        """End the reading thread."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _touch(self, path: str) -> None:
        self._entries.move_to_end(path)
        while len(self._entries) > KEPT_PICTURES:
            self._entries.popitem(last=False)

    def _read(self, written: str, before: ReferencePicture | None) -> ReferencePicture:
        try:
            path = self._find(written)
            about = path.stat()
        except (OSError, ValueError) as error:
            raise PictureError(f"reference {written[:200]!r} cannot be read ({error})") from None
        file_id = about.st_mtime_ns, about.st_size
        if before is not None and before.file_id == file_id:
            return before
        pixels = _read_pixels(path)
        note = f"{pixels.shape[1]}x{pixels.shape[0]}{', with transparency' if pixels[..., 3].min() < 255 else ''}"
        return ReferencePicture(pixels, note, next(self._numbers), file_id)

    def _find(self, written: str) -> Path:
        path = Path(written).expanduser()
        candidates = [path, *(folder / written for folder in self._folders)]
        return next((candidate for candidate in candidates if candidate.is_file()), path)


def reference_folders() -> tuple[Path, ...]:
    """Where pictures are looked for by name: the folder stills are kept in, where platformdirs can tell it."""
    try:
        import platformdirs
    except ModuleNotFoundError:
        return ()  # a machine that only trains or renders
    return (platformdirs.user_config_path("vj", appauthor=False) / "references",)


def _read_pixels(path: Path) -> np.ndarray:
    """The first frame of a picture or clip with its transparency, at its own size up to LONGEST_SIDE."""
    for _, frame in decoded(str(path)):
        is_turned = frame.rotation % 180 != 0
        across, down = (frame.height, frame.width) if is_turned else (frame.width, frame.height)
        scale = min(1.0, LONGEST_SIDE / max(across, down))
        return fitted(frame, max(1, round(across * scale)), max(1, round(down * scale)))
    raise PictureError(f"{path}: there is no picture in it")


def on_white(picture: ReferencePicture, height: int, width: int) -> Tensor:
    """The whole picture, centred on white: (3, H, W) in [-1, 1]. Sizes and bilinear scaling as published."""
    pixels = _over_white(picture)
    scale = min(height / pixels.shape[1], width / pixels.shape[2])
    size = max(1, int(pixels.shape[1] * scale)), max(1, int(pixels.shape[2] * scale))
    small = functional.interpolate(pixels[None], size, mode="bilinear", align_corners=False)[0]
    top, left = (height - size[0]) // 2, (width - size[1]) // 2
    canvas = torch.full((3, height, width), WHITE)
    canvas[:, top : top + size[0], left : left + size[1]] = small
    return canvas


def filling(picture: ReferencePicture, height: int, width: int) -> Tensor:
    """The middle of the picture, scaled until it covers the size: (3, H, W) in [-1, 1]."""
    pixels = _over_white(picture)
    scale = max(height / pixels.shape[1], width / pixels.shape[2])
    size = max(height, round(pixels.shape[1] * scale)), max(width, round(pixels.shape[2] * scale))
    large = functional.interpolate(pixels[None], size, mode="bilinear", align_corners=False, antialias=True)[0]
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    return large[:, top : top + height, left : left + width]


def _over_white(picture: ReferencePicture) -> Tensor:
    pixels = torch.from_numpy(picture.pixels).permute(2, 0, 1).float()
    opacity = pixels[3:] / 255.0
    return (pixels[:3] / 127.5 - WHITE) * opacity + WHITE * (1.0 - opacity)


def _picture_in(entry: _Entry | None) -> ReferencePicture | None:
    """What guides: the picture that is read, or the one before while, or where, there is no other."""
    if entry is None:
        return None
    is_read = entry.reading.done() and entry.reading.exception() is None
    return entry.reading.result() if is_read else entry.before
