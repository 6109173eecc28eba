"""Small live pictures of the inputs and of picture files, made by a thread of their own at the size that is shown.

The GUI thread asks and takes what is ready; it never scales, never reads a file.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from PyQt6.QtCore import QSize
from PyQt6.QtGui import QImage, QImageReader

from engine.video_in.input_ring import InputRing, ring_name
from engine.video_in.params import INPUTS
from vj.inputs.chain.placing import letterbox, resize

EVERY_S = 0.1
REST_S = 1.0  # what nobody asked for so long is not made any more
CHECKER_PIXELS, CHECKER_LEVELS = 8, (40, 72)  # what lies under a keyed picture


@dataclass(frozen=True)
class Wanted:
    """What somebody shows: an input's number, or a file's path; fitted into a box of (width, height) pixels."""

    what: int | str
    box: tuple[int, int]


@dataclass(frozen=True)
class Thumbnail:
    """A small picture, never changed."""

    image: QImage  # RGB, over a checkerboard where the input is keyed out
    rgb: np.ndarray  # (H, W, 3) uint8 of the same size as it came, whatever is keyed out
    source_size: tuple[int, int]  # width, height of what it was made from


@dataclass(frozen=True)
class _Ask:
    wanted: Wanted
    at_s: float
    made_of: tuple[int, int] | None = None  # which ring and picture, or which state of the file, it shows
    thumbnail: Thumbnail | None = None
    age_s: float = 0.0  # of the input's newest picture, when it was looked for last


class Thumbnails:
    """`ask` belongs to the GUI thread and never waits; the thread runs only while something is asked for."""

    def __init__(self, folder: Path | None) -> None:
        """`folder` holds the inputs' rings; None = there are none."""
        self._folder = folder
        self._asks: dict[str, _Ask] = {}
        self._lock = threading.Lock()  # of the asks; held for a look at a dictionary
        self._rings: dict[int, InputRing] = {}
        self._opened = dict.fromkeys(range(1, INPUTS + 1), 0)  # how often each input's ring was
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        cv2.setNumThreads(1)  # small pictures: threads would cost more than they save

    def ask(self, name: str, what: int | str, box: QSize) -> Thumbnail | None:
        """Say under a name of one's own what is shown in which size; return the newest one made for that, if any."""
        wanted = Wanted(what, (max(1, box.width()), max(1, box.height())))
        with self._lock:
            before = self._asks.get(name)
            is_same = before is not None and before.wanted.what == what
            ask = replace(before, wanted=wanted, at_s=time.monotonic()) if is_same else _Ask(wanted, time.monotonic())
            self._asks[name] = ask
        self._begin()
        return ask.thumbnail

    def age_s(self, name: str) -> float:
        """How old the newest picture of what is asked for under a name was when the thread looked; 0 of a file."""
        ask = self._asks.get(name)
        return 0.0 if ask is None else ask.age_s

    def stop(self) -> None:
        """End the thread; it begins again when something is asked for."""
        with self._lock:
            self._asks.clear()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(1.0)

    def _begin(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._wake.clear()
            self._thread = threading.Thread(target=self._run, name="thumbnails", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while not self._wake.wait(EVERY_S):
            with self._lock:
                now_s = time.monotonic()
                # the pictures are kept: they are there at once when the page is seen again
                asks = {name: ask for name, ask in self._asks.items() if now_s - ask.at_s < REST_S}
            if not asks:
                break
            for name, ask in asks.items():
                self._make(name, ask)
        for ring in self._rings.values():
            ring.close()
        self._rings.clear()

    def _make(self, name: str, ask: _Ask) -> None:
        what = ask.wanted.what
        made_of, thumbnail = self._of_input(ask, what) if isinstance(what, int) else self._of_file(ask, what)
        age_s = self._age_s(what) if isinstance(what, int) else 0.0
        with self._lock:
            newest = self._asks.get(name)
            if newest is not None and newest.wanted.what == what:
                self._asks[name] = replace(newest, made_of=made_of, thumbnail=thumbnail, age_s=age_s)

    def _of_input(self, ask: _Ask, number: int) -> tuple[tuple[int, int] | None, Thumbnail | None]:
        ring = self._ring(number)
        if ring is None:
            return None, None
        mark = (self._opened[number], ring.written)
        if mark == ask.made_of and ask.thumbnail is not None and _fits(ask.thumbnail, ask.wanted.box):
            return ask.made_of, ask.thumbnail
        frame = ring.newest()
        if frame is None:
            return ask.made_of, ask.thumbnail
        return mark, thumbnail_of(frame.pixels, ask.wanted.box)

    def _age_s(self, number: int) -> float:
        ring = self._rings.get(number)
        arrived_ns = None if ring is None else ring.arrived_ns(ring.written)
        return 0.0 if arrived_ns is None else (time.monotonic_ns() - arrived_ns) / 1e9

    def _of_file(self, ask: _Ask, path: str) -> tuple[tuple[int, int] | None, Thumbnail | None]:
        try:
            found = Path(path).stat()
        except (OSError, ValueError):
            return None, None
        mark = (found.st_ino, found.st_mtime_ns)
        if mark == ask.made_of and (ask.thumbnail is None or _fits(ask.thumbnail, ask.wanted.box)):
            return mark, ask.thumbnail
        reader = QImageReader(path)
        reader.setAutoTransform(True)
        image = reader.read().convertToFormat(QImage.Format.Format_RGBA8888)
        if image.isNull():
            return mark, None
        bits = image.constBits()
        bits.setsize(image.sizeInBytes())
        pixels = np.frombuffer(bits, np.uint8).reshape(image.height(), image.bytesPerLine() // 4, 4)
        return mark, thumbnail_of(pixels[:, : image.width()], ask.wanted.box)

    def _ring(self, number: int) -> InputRing | None:
        ring = self._rings.get(number)
        if ring is not None and ring.is_current:
            return ring
        if ring is not None:
            ring.close()
            del self._rings[number]
        if self._folder is None:
            return None
        try:
            self._rings[number] = InputRing.attach(self._folder / ring_name(number, "layer"))
        except (OSError, ValueError):
            return None
        self._opened[number] += 1
        return self._rings[number]


def thumbnail_of(pixels: np.ndarray, box: tuple[int, int]) -> Thumbnail:
    """Make a small picture of (H, W, 4) uint8, fitted into a box and over a checkerboard where A is below 255."""
    height, width = pixels.shape[:2]
    place = letterbox(width, height, box)
    small = np.ascontiguousarray(resize(pixels, (place.width, place.height)))
    rgb = cv2.cvtColor(small, cv2.COLOR_RGBA2RGB)
    shown = rgb if small[..., 3].min() == 255 else _over_checkers(rgb, small[..., 3])
    image = QImage(shown.data, place.width, place.height, shown.strides[0], QImage.Format.Format_RGB888)
    return Thumbnail(image.copy(), rgb, (width, height))


def _over_checkers(rgb: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    rows, columns = np.indices(alpha.shape) // CHECKER_PIXELS
    ground = np.where((rows + columns) % 2, *CHECKER_LEVELS)[..., None]
    share = alpha[..., None].astype(np.float32) / 255
    return np.ascontiguousarray((rgb * share + ground * (1 - share)).astype(np.uint8))


def _fits(thumbnail: Thumbnail, box: tuple[int, int]) -> bool:
    place = letterbox(*thumbnail.source_size, box)
    return (thumbnail.image.width(), thumbnail.image.height()) == (place.width, place.height)
