"""Ten minutes of video in on ember: the picture follows the input it is given, and no other, whatever becomes of it.

Two captured sources with motion that never repeats, a graph and a film; a camera on the network for what goes wrong.
"""

from __future__ import annotations

import contextlib
import itertools
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.video_in.given import HELD_S
from engine.video_in.input_ring import InputRing, ring_name
from tests.servers.light_watch import LightWatch
from tests.servers.picture_server import PictureServer
from tests.servers.stamp_watch import StampWatch
from tests.servers.watched_show import WatchedShow, watched_show
from tests.vj.inputs.films import write_film
from vj.stage.block import BLOCK_NAME, StageBlock
from vj.stage.messages import decode_state

SECONDS = 600.0
SIZE = (256, 144)
FILM_S, FILM_FPS = 90, 16
SAMPLE_S = 0.1
LONGEST_LAG_S = 0.6  # beside what the program says of itself
OWN_LESS_OTHER = 0.3
STEP_MARGIN = 0.1  # what a correlation may go the wrong way from one amount to the next
STRETCH_S = 15.0  # watched at a time
FAULT_S = 9.0
LONGEST_STILL_S = 2.0
SETTLE_S = 5.0
NEVER = -1.0
LEAST_FOLLOWED = 0.3  # a picture that follows its source at all
GRAPH, FILM, CAMERA = 1, 2, 3  # numbers of the inputs
NOISES = (0.1, 0.4, 0.7, 1.0)
SCALES = (0.0, 0.5, 1.0)
Watched = tuple[np.ndarray, np.ndarray]  # moments (T,) ns, broad fields (T, 9, 16)


def wandering(at_s: float, pace: tuple[float, float, float], size: tuple[int, int] = SIZE) -> np.ndarray:
    """A bright disc on dark ground whose way never repeats; (H, W, 3) uint8. `pace` in turns per second."""
    width, height = size
    turn = 2.0 * np.pi * at_s
    x = 0.5 + 0.22 * np.sin(turn * pace[0]) + 0.18 * np.sin(turn * pace[1] + 1.0)
    y = 0.5 + 0.28 * np.sin(turn * pace[2] + 2.0)
    across, down = np.meshgrid((np.arange(width) + 0.5) / width - x, ((np.arange(height) + 0.5) / height - y) * 0.5625)
    light = np.exp(-(across**2 + down**2) / 0.018)
    return np.repeat((25.0 + 215.0 * light)[..., None], 3, axis=-1).astype(np.uint8)


FILM_PACE, CAMERA_PACE = (0.171, 0.273, 0.219), (0.119, 0.331, 0.157)


def graph() -> str:
    """The first source: the same kind of disc on another way, drawn by FFmpeg."""
    x = "0.5+0.22*sin(6.283*T*0.137)+0.18*sin(6.283*T*0.239+3)"
    y = "0.5+0.28*sin(6.283*T*0.193)"
    light = f"25+200*exp(-((X/W-({x}))^2+((Y/H-({y}))*0.5625)^2)/0.018)"
    return f"lavfi:color=black:size=64x36:rate=16,geq=lum='{light}':cb=128:cr=128,scale={SIZE[0]}:{SIZE[1]}"


class RingPicture:
    """What an input shows, as its capture process writes it."""

    def __init__(self, folder: Path, number: int) -> None:
        self._path = folder / ring_name(number, "layer")
        self._ring: InputRing | None = None
        self._last = np.zeros((1, 1, 3), np.uint8)

    def picture(self) -> np.ndarray:
        """The newest frame; the last one while there is no other."""
        if self._ring is None or not self._ring.is_current:
            with contextlib.suppress(OSError, ValueError):
                self._ring = InputRing.attach(self._path)
        frame = self._ring.newest() if self._ring is not None else None
        if frame is not None:
            self._last = frame.pixels
        return self._last


def input_watch(show: WatchedShow, number: int) -> LightWatch:
    """What an input shows over time."""
    return LightWatch(RingPicture(show.run_folder, number).picture, SAMPLE_S)


def display_watch(show: WatchedShow, watch: StampWatch) -> LightWatch:
    """What the display shows over time, and how late the program says that is."""
    block = StageBlock.attach(show.run_folder / BLOCK_NAME)
    return LightWatch(watch.picture, SAMPLE_S, lambda: decode_state(block.state.read()).status.input_latency_s)


@dataclass(frozen=True)
class Eyes:
    """Everything that is looked at."""

    show: WatchedShow
    watch: StampWatch
    display: LightWatch
    inputs: dict[int, LightWatch]

    def alike(self, number: int, since_ns: int) -> float:
        """How far the display follows an input since a moment, as late as the program says it is."""
        return alike(self.display.came(since_ns), self.inputs[number].seen())

    def look(self, seconds: float, numbers: tuple[int, ...]) -> list[float]:
        """Let it settle and watch for a while; how far each of these inputs was followed."""
        time.sleep(SETTLE_S)
        since_ns = time.monotonic_ns()
        time.sleep(seconds)
        return [round(self.alike(number, since_ns), 3) for number in numbers]

    def send(self, values: dict[str, float | str]) -> None:
        """Move values."""
        for address, value in values.items():
            self.show.send(address, value)


def alike(seen: Watched, source: Watched) -> float:
    """Correlation of what moves in two sequences, the first a little later or earlier as suits it best."""
    (moments, fields), (source_moments, source_fields) = seen, source
    if len(moments) < 10 or len(source_moments) < 10:
        return 0.0
    moved = _moving(fields)
    best = -1.0
    for lag_s in np.arange(-LONGEST_LAG_S, LONGEST_LAG_S + SAMPLE_S / 2, SAMPLE_S):
        places = np.searchsorted(source_moments, moments - round(lag_s * 1e9)).clip(0, len(source_moments) - 1)
        given = _moving(source_fields[places])
        scale = float(np.sqrt((moved**2).sum() * (given**2).sum()))
        best = max(best, float((moved * given).sum()) / scale if scale > 0.0 else 0.0)
    return best


def _moving(fields: np.ndarray) -> np.ndarray:
    """Take away what stands still, and what the whole picture does together."""
    moved = fields - fields.mean(axis=0)
    return moved - moved.mean(axis=(1, 2), keepdims=True)


@contextlib.contextmanager
def opened(film_s: float, *, has_camera: bool) -> Iterator[tuple[Eyes, PictureServer]]:
    """A show with its inputs: a graph, a film that goes round after so long, a camera."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        frames = round(film_s * FILM_FPS)
        film = write_film(
            Path(name) / "film.mkv", frames, rate=FILM_FPS, size=SIZE, draw=lambda k: wandering(k / FILM_FPS, FILM_PACE)
        )
        camera = stack.enter_context(PictureServer(lambda at_s: wandering(at_s, CAMERA_PACE)))
        show, watch = stack.enter_context(watched_show(Path(name), "ember", is_stamped=False))
        sources = {GRAPH: graph(), FILM: str(film)} | ({CAMERA: camera.address} if has_camera else {})
        inputs = {number: stack.enter_context(input_watch(show, number)) for number in sources}
        eyes = Eyes(show, watch, stack.enter_context(display_watch(show, watch)), inputs)
        eyes.send({f"/vj/input/{number}/source": source for number, source in sources.items()})
        yield eyes, camera


def run(seconds: float = SECONDS, modes: tuple[str, ...] = ("v2v", "vace")) -> dict[str, object]:
    """Play so long; raises AssertionError when the picture does not follow, breaks or does not pick up."""
    figures: dict[str, object] = {}
    with opened(FILM_S, has_camera=True) as (eyes, camera):
        eyes.watch.take()
        began = time.monotonic()
        for mode in modes:
            figures[mode] = play(eyes, mode, seconds / len(modes), camera)
        figures["seconds"] = round(time.monotonic() - began, 1)
        figures["picture"] = sight = eyes.watch.take().figures()
        assert not sight["black_looks"], f"a black picture: {sight}"
        assert eyes.show.state().status.is_streaming
    return figures


MODES: dict[str, Callable[[int], dict[str, float | str]]] = {
    "v2v": lambda number: {"/vj/vace/on": 0, "/vj/input/on": 1, "/vj/input/use": number, "/vj/input/noise/raw": 0.3},
    "vace": lambda number: {
        "/vj/input/on": 0,
        "/vj/vace/on": 1,
        "/vj/vace/input": number,
        "/vj/vace/control": "colour",
        "/vj/vace/scale/raw": 1.0,
    },
}
AMOUNTS = {"v2v": ("/vj/input/noise/raw", NOISES, -1.0), "vace": ("/vj/vace/scale/raw", SCALES, 1.0)}


def play(eyes: Eyes, mode: str, seconds: float, camera: PictureServer) -> dict[str, object]:
    """One mode for so long: amounts and faults first, then one source and the other in turn."""
    began = time.monotonic()
    address, amounts, sign = AMOUNTS[mode]
    eyes.send(MODES[mode](FILM))
    followed = {}
    for amount in amounts:
        eyes.send({address: amount})
        followed[str(amount)] = eyes.look(STRETCH_S, (FILM,))[0]
    rising = [sign * one for one in followed.values()]
    steps = [after - before for before, after in itertools.pairwise(rising)]
    assert min(steps) > -STEP_MARGIN, f"{mode} does not act evenly: {followed}"
    assert sum(steps) > OWN_LESS_OTHER, f"{mode} hardly acts: {followed}"
    found = {"followed_by_amount": followed, "faults": faults(eyes, mode, camera)}
    differences: dict[str, list[float]] = {"graph": [], "film": []}
    for own, other in itertools.cycle(((GRAPH, FILM), (FILM, GRAPH))):
        eyes.send(MODES[mode](own))
        mine, others = eyes.look(STRETCH_S, (own, other))
        differences["graph" if own == GRAPH else "film"].append(round(mine - others, 3))
        if own == FILM and time.monotonic() - began > seconds:
            break
    found["own_less_other"] = {name: {"all": all_, "least": min(all_)} for name, all_ in differences.items()}
    for name, all_ in differences.items():
        assert np.mean(all_) > OWN_LESS_OTHER, f"{mode} follows {name} by {all_} more than the other source"
    return found


def faults(eyes: Eyes, mode: str, camera: PictureServer) -> dict[str, dict[str, float]]:
    """What may become of a source in the middle of a show. Each ends with the source as it was."""
    plain = camera.draw
    large = (SIZE[0] * 2, SIZE[1] * 2)
    eyes.send(MODES[mode](CAMERA))
    before = eyes.look(6.0, (CAMERA,))[0]
    assert before > LEAST_FOLLOWED, f"{mode} does not follow the camera: {before}"
    kinds: dict[str, tuple[Callable[[], None], Callable[[], None]]] = {
        "unplugged": (camera.unplug, camera.plug_in),
        "another size": (
            lambda: vars(camera).update(draw=lambda at_s: wandering(at_s, CAMERA_PACE, large)),
            lambda: vars(camera).update(draw=plain),
        ),
        "another rate": (lambda: vars(camera).update(rate_fps=60.0), lambda: vars(camera).update(rate_fps=25.0)),
        "slow": (lambda: vars(camera).update(rate_fps=3.0), lambda: vars(camera).update(rate_fps=25.0)),
        "corrupt": (lambda: vars(camera).update(is_corrupt=True), lambda: vars(camera).update(is_corrupt=False)),
    }
    return {kind: _fault(eyes, kind, *acts) for kind, acts in kinds.items()}


def _fault(eyes: Eyes, kind: str, begin: Callable[[], None], end: Callable[[], None]) -> dict[str, float]:
    """Let one thing go wrong for a while; the picture moves on, and follows again when it is over."""
    assert not eyes.watch.take().black, f"a black picture before {kind}"
    begin()
    faded_s = _fades_after(eyes, FAULT_S)
    sight = eyes.watch.take()
    end()
    ended = time.monotonic()
    followed = 0.0
    while followed < LEAST_FOLLOWED:
        assert time.monotonic() - ended < 30.0, f"{kind}: the picture did not pick the source up again"
        time.sleep(4.0)
        followed = eyes.alike(CAMERA, time.monotonic_ns() - round(4e9))
    assert not sight.black, f"{kind}: a black picture"
    assert sight.longest_still_s < LONGEST_STILL_S, f"{kind}: a picture that stands still"
    if kind == "unplugged":
        assert faded_s >= HELD_S - 0.2, f"{kind}: fades after {faded_s} s"
    if kind in ("another size", "another rate", "slow"):
        assert faded_s == NEVER, f"{kind}: fades after {faded_s} s"
    return {
        "fades_after_s": faded_s,
        "longest_still_ms": round(1e3 * sight.longest_still_s),
        "followed_again_after_s": round(time.monotonic() - ended, 1),
        "followed_again": round(followed, 3),
    }


def _fades_after(eyes: Eyes, seconds: float) -> float:
    """Seconds until a chunk is seen for which the input has begun to fade, NEVER within so many."""
    began = time.monotonic()
    faded_s = NEVER
    while time.monotonic() - began < seconds:
        status = eyes.show.state().status
        if faded_s == NEVER and status.state == "live" and not status.input_latency_s:
            faded_s = round(time.monotonic() - began, 2)
        time.sleep(0.05)
    return faded_s
