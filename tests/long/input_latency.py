"""From a flash in an input's source to the flash on the display, by every path, with ember and the real program.

Sources: rings that the run writes itself, a camera on the network, a test graph; the last two captured.
"""

from __future__ import annotations

import contextlib
import itertools
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.video_in.input_ring import InputRing, ring_name
from tests.long import JudgedError
from tests.servers.given_input import GivenInput
from tests.servers.light_watch import LightWatch
from tests.servers.picture_server import PictureServer
from tests.servers.process import wait_until
from tests.servers.watched_show import WatchedShow, watched_show

FLASHES = 20
SIZE = (256, 144)  # ember's own
DARK, BRIGHT = 40, 225
LOOK_S = 0.004
LEAST_STEP = 25.0  # of 255: a smaller one is no flash
LONGEST_SHARE = 0.7  # of a period: what takes longer is taken for the next flash
MISSED_SHARE = 0.1
INPUT = 1
GONE_S = 10.0  # a capture process that ends takes its rings with it


@dataclass(frozen=True)
class Way:
    """One way from the source to the display."""

    name: str
    settings: tuple[tuple[str, float | str], ...]  # addresses and what is sent to them
    flash_s: float
    period_s: float
    settle_s: float  # until it has taken over and what was before is gone
    sources: tuple[str, ...]


V2V = (("/vj/input/on", 1), ("/vj/input/use", INPUT), ("/vj/input/noise/raw", 0.3))
VACE = (("/vj/vace/on", 1), ("/vj/vace/input", INPUT), ("/vj/vace/control", "colour"), ("/vj/vace/scale/raw", 1.0))
REST = (("/vj/layer/1/input", 0), ("/vj/input/on", 0), ("/vj/vace/on", 0), ("/vj/model/chunk", 3))
SOURCES = ("ring", "network", "graph")
PATHS = (
    Way("layer", (("/vj/layer/1/input", INPUT),), 0.5, 1.6, 2.0, SOURCES),
    Way("V2V, chunk 3", (*V2V, ("/vj/model/chunk", 3)), 1.2, 6.0, 8.0, SOURCES),
    Way("V2V, chunk 1", (*V2V, ("/vj/model/chunk", 1)), 1.2, 6.0, 8.0, ("ring",)),
    Way("VACE, chunk 3", (*VACE, ("/vj/model/chunk", 3)), 2.0, 7.0, 8.0, ("ring", "network")),
)


class Flashes:
    """Pictures that are dark and now and then bright, and when each flash was first drawn."""

    def __init__(self, path: Way) -> None:
        self._path = path
        self.moments_ns: list[int] = []
        self._told: set[int] = set()
        self._pictures = [np.full((SIZE[1], SIZE[0], 3), level, np.uint8) for level in (DARK, BRIGHT)]

    def draw(self, at_s: float) -> np.ndarray:
        """Return the picture of a moment (H, W, 3)."""
        number, phase_s = divmod(at_s, self._path.period_s)
        # not in step with the chunks: each flash begins at another moment of its period
        late_s = 0.37 * self._path.period_s * ((0.618 * number) % 1.0)
        is_bright = late_s <= phase_s < late_s + self._path.flash_s and number > 0
        if is_bright and number not in self._told:
            self._told.add(number)
            self.moments_ns.append(time.monotonic_ns())
        return self._pictures[is_bright]


class RingFlashes:
    """When flashes of a test graph came, by the time stamps in the ring of its capture process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.moments_ns: list[int] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ring flashes", daemon=True)

    def __enter__(self) -> RingFlashes:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        ring, was_bright, serial = None, True, 0
        while not self._stop.wait(LOOK_S):
            if ring is None or not ring.is_current:
                with contextlib.suppress(OSError, ValueError):
                    ring, serial = InputRing.attach(self._path), 0
            if ring is None or ring.written == serial:
                continue
            frame = ring.newest()
            if frame is not None:
                serial = frame.serial
                is_bright = frame.pixels[..., :3].mean() > (DARK + BRIGHT) / 2
                if is_bright and not was_bright:
                    self.moments_ns.append(frame.arrived_ns)
                was_bright = is_bright


@contextlib.contextmanager
def flashing(show: WatchedShow, source: str, path: Way) -> Iterator[Callable[[], list[int]]]:
    """Let the input flash from a source; what is yielded says when flashes were drawn or came (time.monotonic_ns)."""
    flashes, address = Flashes(path), f"/vj/input/{INPUT}/source"
    if source == "ring":
        ring = show.run_folder / ring_name(INPUT, "engine")
        wait_until(lambda: not ring.exists(), "the rings of the source before to go", GONE_S)
        with GivenInput(show.run_folder, INPUT, flashes.draw, SIZE):
            yield lambda: flashes.moments_ns
        return
    with contextlib.ExitStack() as stack:
        stack.callback(lambda: show.send(address, ""))
        if source == "network":
            show.send(address, stack.enter_context(PictureServer(flashes.draw)).address)
            yield lambda: flashes.moments_ns
        else:
            ring = stack.enter_context(RingFlashes(show.run_folder / ring_name(INPUT, "layer")))
            show.send(address, graph(path))
            yield lambda: ring.moments_ns


def graph(path: Way) -> str:
    """A test source that flashes at known media times."""
    width, height = SIZE
    begin = f"{0.37 * path.period_s}*mod(0.618*floor(T/{path.period_s}),1)"
    phase = f"mod(T,{path.period_s})-{begin}"
    lit = f"if(between({phase},0,{path.flash_s}),{BRIGHT},{DARK})"
    # one pixel is drawn by the formula and enlarged: the formula is slow
    small = f"color=black:size=16x16:rate=25,geq=lum='{lit}':cb=128:cr=128"
    return f"lavfi:{small},scale={width}:{height}"


def run(
    flashes: int = FLASHES,
    paths: Sequence[str] | None = None,
    sources: Sequence[str] = SOURCES,
    most_missed: float = MISSED_SHARE,
) -> dict[str, dict[str, dict[str, float]]]:
    """Measure each path from each source; raises JudgedError when flashes are missed."""
    wanted = [path for path in PATHS if paths is None or path.name in paths]
    figures: dict[str, dict[str, dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        show, watch = stack.enter_context(watched_show(Path(name), "ember", is_stamped=False))
        light = stack.enter_context(LightWatch(watch.picture, LOOK_S))
        for path, source in [(way, source) for way in wanted for source in way.sources if source in sources]:
            found = measure(show, light, path, source, flashes)
            figures.setdefault(path.name, {})[source] = found
            print(f"{path.name} from {source}: {found}", file=sys.stderr, flush=True)
    for path in wanted:
        for source, found in figures[path.name].items():
            share = found["missed"] / (found["flashes"] + found["missed"])
            if share > most_missed:
                raise JudgedError(f"{path.name} from {source}: {found['missed']} flashes were not seen", figures)
            if found["p95_ms"] >= 1e3 * LONGEST_SHARE * path.period_s:
                raise JudgedError(f"{path.name} from {source} is slower than the flashes: {found}", figures)
    return figures


def measure(show: WatchedShow, light: LightWatch, path: Way, source: str, flashes: int) -> dict[str, float]:
    """Play one path until so many flashes were seen through."""
    for address, value in (*REST, *path.settings):
        show.send(address, value)
    told_s: list[float] = []
    with flashing(show, source, path) as moments:
        light.forget()
        end = time.monotonic() + path.settle_s + (flashes + 6) * path.period_s * 1.5
        settled_ns = time.monotonic_ns() + round(path.settle_s * 1e9)
        while len([at_ns for at_ns in list(moments()) if at_ns > settled_ns]) <= flashes:
            assert time.monotonic() < end, (
                f"{path.name}: the source ({source}) does not flash: {show.vj.output()[-800:]}"
            )
            time.sleep(0.2)
            told_s.append(show.state().status.input_latency_s)
        began_ns = [at_ns for at_ns in list(moments()) if at_ns > settled_ns]
    seen_ns = [first_seen(light, at_ns, following_ns) for at_ns, following_ns in itertools.pairwise(began_ns)]
    for address, value in REST:
        show.send(address, value)
    taken_ms = [(b - a) / 1e6 for a, b in zip(began_ns, seen_ns, strict=False) if b is not None]
    told = [one for one in told_s if one > 0.0]
    return {
        "flashes": len(taken_ms),
        "missed": len(seen_ns) - len(taken_ms),
        "median_ms": round(float(np.median(taken_ms)), 1) if taken_ms else 0.0,
        "p95_ms": round(float(np.percentile(taken_ms, 95)), 1) if taken_ms else 0.0,
        "told_median_ms": round(1e3 * float(np.median(told)), 1) if told else 0.0,  # what the panels show
    }


def first_seen(light: LightWatch, began_ns: int, until_ns: int) -> int | None:
    """When the display was half way to its brightest of this period; None when it did not brighten."""
    moments, bright = light.brightness(began_ns)
    is_of_it = moments < until_ns
    moments, bright = moments[is_of_it], bright[is_of_it]
    if len(bright) < 10:
        return None
    low, high = np.percentile(bright, 10), np.percentile(bright, 97)
    if high - low < LEAST_STEP:
        return None
    before = np.flatnonzero(bright < (low + high) / 2)
    after = before[0] + np.flatnonzero(bright[before[0] :] >= (low + high) / 2) if len(before) else []
    return int(moments[after[0]]) if len(after) else None
