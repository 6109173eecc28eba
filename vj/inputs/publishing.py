"""From the newest picture to the input's two rings: colours, delay, the chain, once for the engine, once for layers.

Knows nothing of where pictures come from.
"""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path

import numpy as np

from engine.video_in.input_ring import InputRing, ring_name
from vj.inputs.chain.chain import Chain
from vj.inputs.chain.delay import NS_PER_MS, DelayLine
from vj.inputs.colour import RgbConverter
from vj.inputs.grabbing import Grabber
from vj.inputs.messages import InputWishes
from vj.inputs.params import LEAST_LEFT, InputParams

ENGINE_FRAMES = (64, 24)  # in the engine's ring; the smaller number where there is no room for the larger
LAYER_FRAMES = (3,)
LARGEST_LAYER = (1280, 720)
REPEAT_S = 0.2  # a picture that stands still is written again so often: its age says that its source is there
DELAYED_LOOK_S = 0.004
THUMBNAIL_S = 0.08  # between pictures in the layer's ring that only thumbnails are made of
NO_ROOM_S = 5.0  # before it is tried again
_LOG = logging.getLogger(__name__)


class Publisher:
    """Writes what a grabber gives. `wish` may be called by any thread; the rest runs on its own."""

    def __init__(self, grabber: Grabber, folder: Path, number: int) -> None:
        self._grabber = grabber
        self._engine = _RingWriter(folder / ring_name(number, "engine"), ENGINE_FRAMES)
        self._layer = _RingWriter(folder / ring_name(number, "layer"), LAYER_FRAMES)
        self._wishes = InputWishes()
        self._converter = RgbConverter()
        self._chain = Chain()
        self._delay = DelayLine()
        self._shown: np.ndarray | None = None  # what was written last, before the chain
        self._source = ""  # it came from
        self._layer_s = 0.0  # when the layer's ring was written last
        self._problem = ""
        self.moved_ns = time.monotonic_ns()  # when its loop last got on; any thread may read it
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="publishing", daemon=True)

    @property
    def problem(self) -> str:
        """What keeps pictures out of the rings; empty = nothing does. Any thread."""
        return self._problem or self._engine.problem or self._layer.problem

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end."""
        self._is_stopping.set()

    def wish(self, wishes: InputWishes) -> None:
        """Take the newest wishes. Never waits."""
        self._wishes = wishes

    # -- its own thread ------------------------------------------------------------------------------------------

    def _run(self) -> None:
        written_s, seen = 0.0, self._wishes
        while not self._is_stopping.is_set():
            wishes, self.moved_ns = self._wishes, time.monotonic_ns()
            delay_ms = wishes.params.delay_ms
            self._take(DELAYED_LOOK_S if delay_ms else REPEAT_S / 4, wishes.params)
            due = self._delay.pop_due(time.monotonic_ns(), delay_ms)
            if due is not None:
                self._shown, moment_ns = due[0], due[1] + round(delay_ms * NS_PER_MS)
            elif self._grabber.keeps and self._shown is not None:
                if time.monotonic() - written_s < REPEAT_S and wishes is seen:
                    continue
                moment_ns = time.monotonic_ns()
            else:
                continue
            seen, written_s = wishes, time.monotonic()
            self._write(wishes, moment_ns)

    def _take(self, timeout_s: float, settings: InputParams) -> None:
        """Put the newest picture into the delay, in RGB."""
        if settings.source != self._source:
            self._source, self._shown = settings.source, None
            self._delay.clear()
        picture = self._grabber.take(timeout_s)
        if picture is None:
            return
        try:
            rgb = self._converter.to_rgb(picture.frame, shown_share(settings), picture.pixel_aspect)
        except ValueError as error:
            self._problem = str(error)
            return
        self._problem = ""
        self._delay.push(rgb, picture.arrived_ns)

    def _write(self, wishes: InputWishes, moment_ns: int) -> None:
        settings, rgb = wishes.params, self._shown
        if wishes.stream_size is not None:
            self._engine.write(self._chain.apply(rgb, settings, wishes.stream_size), moment_ns, settings.source)
        if not wishes.is_layer and time.monotonic() - self._layer_s < THUMBNAIL_S:
            return
        self._layer_s = time.monotonic()
        size = layer_size(rgb.shape[1], rgb.shape[0])
        self._layer.write(self._chain.apply(rgb, settings, size), moment_ns, settings.source)


class _RingWriter:
    """A ring that is made anew when the pictures' size or their source changes. One thread."""

    def __init__(self, path: Path, capacities: tuple[int, ...]) -> None:
        self._path = path
        self._capacities = capacities
        self._ring: InputRing | None = None
        self._of: tuple[int, int, str] | None = None  # width, height and source
        self._retry_s = 0.0  # when there may be room again
        self.problem = ""

    def write(self, rgba: np.ndarray, moment_ns: int, source: str) -> None:
        """Write one picture (H, W, 4)."""
        of = (rgba.shape[1], rgba.shape[0], source)
        if of == self._of and self._ring is not None:
            self._ring.write(rgba, moment_ns)
        elif of != self._of or time.monotonic() > self._retry_s:
            self._of, self._retry_s = of, time.monotonic() + NO_ROOM_S
            self._begin(rgba, moment_ns)

    def _begin(self, rgba: np.ndarray, moment_ns: int) -> None:
        """Make the ring and put it in its place with the first picture in it: no reader finds it empty."""
        if self._ring is not None:
            self._ring.close()
            self._ring = None
        for capacity in self._capacities:
            try:
                new = self._path.with_suffix(f"{self._path.suffix}.new")
                ring = InputRing.create(new, width=rgba.shape[1], height=rgba.shape[0], capacity=capacity)
                ring.write(rgba, moment_ns)
                ring.path = new.replace(self._path)
            except OSError as error:
                self.problem = f"no room for pictures in {self._path.parent}: {(error.strerror or str(error)).lower()}"
                _LOG.warning("%s", self.problem)
                continue
            self._ring, self.problem = ring, ""
            return


def shown_share(settings: InputParams) -> tuple[float, float]:
    """Share of a picture's sides that the crops leave."""
    across = 1.0 - settings.crop_left - settings.crop_right
    down = 1.0 - settings.crop_top - settings.crop_bottom
    return max(LEAST_LEFT, across), max(LEAST_LEFT, down)


def layer_size(width: int, height: int) -> tuple[int, int]:
    """Size of a layer's pictures: the source's, made smaller where it is over LARGEST_LAYER."""
    scale = min(1.0, LARGEST_LAYER[0] / width, LARGEST_LAYER[1] / height)
    return max(1, round(width * scale)), max(1, round(height * scale))
