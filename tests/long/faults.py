"""What breaks behind the output, one thing after the other: each has its named outcome, and the picture goes on.

The faults of an engine are a stamped test pattern's; servers are really killed, memory and disk are really full. What
panels do that are gone is panels_gone.py.
"""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from engine.video_in.input_ring import InputRing, ring_name
from tests.servers import JackServer, PulseServer
from tests.servers.process import wait_until
from tests.servers.stamp_watch import StampWatch
from tests.servers.watched_show import LONGEST_STILL_S, WatchedShow, watched_show
from vj.presets.repertoire import AUTOSAVE_EVERY_S
from vj.presets.show_file import ShowState, show_text
from vj.written_files import write_text

PATTERN = "test-pattern+stamp"
FROM_CHUNK = 9  # the seventh second
ENGINE_FAULTS = {  # what it does, the words of the sentence told, and how long it is watched
    "the engine hangs": ("hang=9", "hung for", 22.0),
    "the engine makes NaN": ("nan=9-12", "not numbers", 14.0),
    "the engine ends itself": ("die=9", "started again", 14.0),
    "black chunks": ("black=9-12", "black pictures", 14.0),
    "frozen chunks": ("frozen=9-12", "stands still", 14.0),
    "chunks ten times as late": ("slow=9-10", "the stream is late", 26.0),
    "a chunk of the wrong size": ("wrongsize=9-10", "a chunk", 14.0),
}
ORDINARY = ("vj: the engine logs", "vj: OSC", "vj: the show is on")  # what is said without any fault
STORM_MESSAGES = 20_000
SETTLED_S = 20.0
SHARED_MEMORY = Path("/dev/shm")
SMALL_SIZE = ("--size", "256x144")  # whose frames are known to be few before the engine has begun
ROOM_MIB, NO_ROOM_MIB = 60, 1  # of a memory folder: for a run and little more; for nothing
DISK_MIB = 1
CAMERA_RATE_FPS = 25.0
CAMERA_S = 20.0  # within which its pictures come


def run(only: str = "") -> dict[str, object]:
    """Break everything, or what has `only` in its name; raises AssertionError with all that went wrong."""
    figures: dict[str, object] = {}
    for name, (fault, told, seconds) in ENGINE_FAULTS.items():
        if only in name:
            figures[name] = engine_fault(fault, told, seconds)
    if any(only in name for name in LIVE_FAULTS):
        figures |= live_faults(only)
    for name, breaks in FULL_PLACES.items():
        if only in name:
            figures[name] = breaks()
    wrong = {name: found["wrong"] for name, found in figures.items() if found["wrong"]}
    assert not wrong, f"{wrong}: {figures}"
    return figures


def engine_fault(fault: str, told: str, seconds: float) -> dict[str, object]:
    """Play a test pattern that goes wrong."""
    with _folder() as folder, watched_show(folder, f"{PATTERN}:{fault}") as (show, watch):
        return observe(show, watch, told, lambda: time.sleep(seconds))


def observe(show: WatchedShow, watch: StampWatch, told: str, breaks: Callable[[], object]) -> dict[str, object]:
    """Break it, watch until the stream plays again, and say what was seen, told and wrong."""
    panels, written = show.vj, len(show.vj.output())
    watch.take()
    breaks()
    wrong = []
    try:
        show.wait_live(SETTLED_S)
    except TimeoutError:
        wrong.append("the stream is not back")
    time.sleep(1.0)
    sight = watch.take()
    news = show.vj.output()[written if show.vj is panels else 0 :].strip().splitlines()
    if told and not any(told in line for line in news):
        wrong.append(f"nobody told {told!r}")
    if sight.black:
        wrong.append(f"{len(sight.black)} looks at black")
    if sight.torn:
        wrong.append(f"{len(sight.torn)} torn frames")
    if sight.longest_still_s > LONGEST_STILL_S:
        wrong.append(f"still for {sight.longest_still_s:.2f} s (who looked stood for {sight.longest_blind_s:.2f} s)")
    if "Traceback" in show.vj.output():
        wrong.append("a traceback")
    outcome = [line for line in news if line.startswith("vj: ") and not line.startswith(ORDINARY)]
    bad_chunks = show.state().bad_chunks
    load = round(os.getloadavg()[0], 1)
    return {**sight.figures(), "bad_chunks": bad_chunks, "told": outcome[:6], "wrong": wrong, "load": load}


# -- a show with everything plugged in --------------------------------------------------------------------------------


def live_faults(only: str) -> dict[str, object]:
    """Break what surrounds one running show, one thing after the other."""
    figures = {}
    with _folder() as folder, contextlib.ExitStack() as stack:
        jack, pulse = stack.enter_context(JackServer(folder)), stack.enter_context(PulseServer(folder))
        os.environ.update(jack.env)
        show, watch = stack.enter_context(watched_show(folder, PATTERN, env=jack.env | pulse.env))
        everything = _Everything(show, jack, pulse)
        for name, (breaks, told) in LIVE_FAULTS.items():
            if only in name:
                figures[name] = observe(show, watch, told, lambda breaks=breaks: breaks(everything))
    return figures


class _Everything:
    """What can be broken around a running show."""

    def __init__(self, show: WatchedShow, jack: JackServer, pulse: PulseServer) -> None:
        self.show, self.jack, self.pulse = show, jack, pulse

    def storm(self) -> None:
        """More messages than any controller sends, on all notes and controls."""
        from tests.servers.midi_box import MidiBox

        box = MidiBox("storm box")
        time.sleep(3.0)  # until it is found
        before = self.show.values()
        for k in range(STORM_MESSAGES):
            box.send(0xB0 | k % 16, k % 100, k * 37 % 128)
            if k % 100 == 0:
                time.sleep(0.02)
        time.sleep(2.0)
        assert self.show.values() != before, "nobody heard the storm"
        self.show.send("/vj/output/reset", 1)
        box.unplug()
        time.sleep(2.0)

    def lose_controller(self) -> None:
        """A controller is unplugged in the middle of a move, and plugged in again."""
        from tests.servers.midi_box import MidiBox

        for _ in range(2):
            box = MidiBox("loose box")
            time.sleep(3.0)
            for value in range(0, 100, 5):
                box.send(0xB0, 1, value)
            box.unplug()
            time.sleep(2.0)

    def lose_midi(self) -> None:
        """The MIDI server dies with a controller on it."""
        from tests.servers.midi_box import MidiBox

        box = MidiBox("last box")
        time.sleep(3.0)
        self.jack.stop()
        time.sleep(4.0)
        box.unplug()

    def lose_sound(self) -> None:
        """The sound server dies while it is listened to."""
        self.show.send("/vj/audio/device", "pulse")
        time.sleep(4.0)
        self.pulse.stop()
        time.sleep(5.0)

    def lose_capture(self) -> None:
        """A camera is pulled out and put back; then its process is killed while it captures."""
        from tests.servers.picture_server import PictureServer

        def draw(at_s: float) -> np.ndarray:
            return np.full((144, 256, 3), int(20 * at_s) % 200, np.uint8)

        ring = self.show.run_folder / ring_name(1)
        with PictureServer(draw, CAMERA_RATE_FPS) as camera:
            self.show.send("/vj/input/1/source", camera.address)
            self.show.send("/vj/input/on", 1)
            wait_until(ring.is_file, "the camera's pictures", CAMERA_S)
            time.sleep(2.0)
            camera.unplug()
            time.sleep(4.0)
            camera.plug_in()
            wait_until(lambda: _is_fresh(ring), "the camera's pictures again", CAMERA_S)
            os.kill(InputRing.attach(ring).writer_id, signal.SIGKILL)
            wait_until(lambda: _is_fresh(ring), "a new process's pictures", CAMERA_S)
            self.show.send("/vj/input/on", 0)
            self.show.send("/vj/input/1/source", "")
            time.sleep(1.0)


def _is_fresh(path: Path) -> bool:
    """Whether a living process has just written a picture."""
    try:
        ring = InputRing.attach(path)
    except (OSError, ValueError):
        return False
    arrived_ns = ring.arrived_ns(ring.written)
    is_fresh = arrived_ns is not None and time.monotonic_ns() - arrived_ns < 500_000_000
    return is_fresh and Path(f"/proc/{ring.writer_id}").exists()


LIVE_FAULTS: dict[str, tuple[Callable[[_Everything], None], str]] = {
    "a capture device vanishing": (_Everything.lose_capture, "input 1: "),
    "a storm of MIDI": (_Everything.storm, ""),
    "a MIDI controller vanishing": (_Everything.lose_controller, "the controller loose box"),
    "the MIDI server vanishing": (_Everything.lose_midi, "the controller last box"),
    "the sound server vanishing": (_Everything.lose_sound, "sound: "),
}


# -- files and places ------------------------------------------------------------------------------------------------


def corrupt_look() -> dict[str, object]:
    """A look is broken off in the middle and loaded by panels that take the place of dead ones, beside the output."""
    with _folder() as folder:
        look = folder / "tour" / "looks" / "mine.toml"
        write_text(look.parents[1] / "show.toml", show_text(ShowState(name="tour", slots=("mine",))))
        write_text(look, '[values]\n"/vj/effect/hue" = 10.0\n')
        with watched_show(folder, PATTERN, words=("--show", str(look.parents[1]))) as (show, watch):

            def spoil() -> None:
                look.write_bytes(b'[values\n"/vj/effect/hue" = \xff\xfe "red')
                show.send("/vj/look/1/recall", 1)  # as it was read before
                time.sleep(1.0)
                os.kill(show.vj.process.pid, signal.SIGKILL)
                show.vj.process.wait()
                show.replace_panels()
                show.send("/vj/look/1/recall", 1)
                time.sleep(2.0)

            return observe(show, watch, "mine.toml", spoil)


def full_memory() -> dict[str, object]:
    """The memory folder takes the run but, once filled, no further ring: the engine is killed and must come back."""
    small = {SHARED_MEMORY: ROOM_MIB}
    with _folder() as folder, watched_show(folder, PATTERN, words=SMALL_SIZE, small=small) as (show, watch):

        def fill() -> None:
            _fill(show.root / "dev/shm/filled")
            victim = show.engine_id()
            assert victim is not None
            os.kill(victim, signal.SIGKILL)
            time.sleep(6.0)

        assert show.run_folder.parent == SHARED_MEMORY, "the run is not where the room was"
        return observe(show, watch, "the frames go through", fill)


def no_memory() -> dict[str, object]:
    """The memory folder has no room from the start: the run lies elsewhere, and is watched there."""
    small = {SHARED_MEMORY: NO_ROOM_MIB}
    with _folder() as folder, watched_show(folder, PATTERN, words=SMALL_SIZE, small=small) as (show, watch):
        assert show.run_folder.parent != SHARED_MEMORY
        return observe(show, watch, "", lambda: time.sleep(6.0))


def full_disk() -> dict[str, object]:
    """The disk of the autosave fills up while the show plays, and is free again: first it is told, then saved."""
    with _folder() as folder:
        place = folder / "vj" / "autosave"
        place.mkdir(parents=True)
        with watched_show(folder, PATTERN, small={place: DISK_MIB}) as (show, watch):
            inside = show.root / place.relative_to("/")

            def fill() -> None:
                _fill(inside / "filled")
                show.send("/vj/effect/hue", 0.7)
                time.sleep(2.5 * AUTOSAVE_EVERY_S)
                (inside / "filled").unlink()
                time.sleep(2.5 * AUTOSAVE_EVERY_S)
                saved = "".join(path.read_text("utf-8") for path in inside.glob("*.toml"))
                assert "/vj/effect/hue" in saved, "it is not saved when there is room again"

            return observe(show, watch, "autosave", fill)


FULL_PLACES: dict[str, Callable[[], dict[str, object]]] = {
    "a corrupt look loaded live": corrupt_look,
    "shared memory exhausted at the start": no_memory,
    "shared memory exhausted later": full_memory,
    "the disk of the autosave full": full_disk,
}


def _fill(path: Path) -> None:
    """Take all the room there is."""
    room = os.statvfs(path.parent)
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, room.f_bavail * room.f_frsize))


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)
