"""What breaks behind the output, one thing after the other: each has its named outcome, and the picture goes on.

The faults of an engine are a stamped test pattern's; servers are really killed, and memory is really full.
"""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.servers import JackServer, PulseServer
from tests.servers.stamp_watch import StampWatch
from tests.servers.watched_show import LONGEST_STILL_S, WatchedShow, watched_show
from vj.presets.show_file import ShowState, show_text
from vj.written_files import write_text

PATTERN = "test-pattern+stamp"
FROM_CHUNK = 9  # the seventh second
ENGINE_FAULTS = {  # what it does, the words of the sentence told, and how long it is watched
    "the engine hangs": ("hang=9", "hung for", 22.0),
    "the engine makes NaN": ("nan=9-12", "not numbers", 14.0),
    "the engine ends itself": ("die=9", "started again", 14.0),
    "black chunks": ("black=9-12", "", 14.0),  # the state counts them
    "frozen chunks": ("frozen=9-12", "", 14.0),
    "chunks ten times as late": ("slow=9-10", "", 26.0),
    "a chunk of the wrong size": ("wrongsize=9-10", "a chunk", 14.0),
}
STORM_MESSAGES = 20_000
SETTLED_S = 20.0
SMALL_MIB = 120  # of a memory folder: room for a run, little more


def run(only: str = "") -> dict[str, object]:
    """Break everything, or what has `only` in its name; raises AssertionError with all that went wrong."""
    figures: dict[str, object] = {}
    for name, (fault, told, seconds) in ENGINE_FAULTS.items():
        if only in name:
            figures[name] = engine_fault(fault, told, seconds)
    if any(only in name for name in LIVE_FAULTS):
        figures |= live_faults(only)
    if only in (name := "shared memory full at the start and later"):
        figures[name] = full_memory()
    wrong = {name: found["wrong"] for name, found in figures.items() if found["wrong"]}
    assert not wrong, f"{wrong}: {figures}"
    return figures


def engine_fault(fault: str, told: str, seconds: float) -> dict[str, object]:
    """Play a test pattern that goes wrong."""
    with _folder() as folder, watched_show(folder, f"{PATTERN}:{fault}") as (show, watch):
        return observe(show, watch, told, lambda: time.sleep(seconds))


def observe(show: WatchedShow, watch: StampWatch, told: str, breaks: Callable[[], object]) -> dict[str, object]:
    """Break it, watch until the stream plays again, and say what was seen, told and wrong."""
    written = len(show.vj.output())
    watch.take()
    breaks()
    wrong = []
    try:
        show.wait_live(SETTLED_S)
    except TimeoutError:
        wrong.append("the stream is not back")
    time.sleep(1.0)
    sight = watch.take()
    news = show.vj.output()[written:].strip().splitlines()
    if told and not any(told in line for line in news):
        wrong.append(f"nobody told {told!r}")
    if sight.black:
        wrong.append(f"{len(sight.black)} looks at black")
    if sight.torn:
        wrong.append(f"{len(sight.torn)} torn frames")
    if sight.longest_still_s > LONGEST_STILL_S:
        wrong.append(f"still for {sight.longest_still_s:.2f} s")
    if "Traceback" in show.vj.output():
        wrong.append("a traceback")
    bad_chunks = show.state().bad_chunks
    return {**sight.figures(), "bad_chunks": bad_chunks, "told": news[:6], "wrong": wrong, "load": os.getloadavg()[0]}


# -- a show with everything plugged in --------------------------------------------------------------------------------


def live_faults(only: str) -> dict[str, object]:
    """Break what surrounds one running show, one thing after the other."""
    figures = {}
    with _folder() as folder, contextlib.ExitStack() as stack:
        jack, pulse = stack.enter_context(JackServer(folder)), stack.enter_context(PulseServer(folder))
        look = folder / "tour" / "looks" / "mine.toml"
        write_text(look.parents[1] / "show.toml", show_text(ShowState(name="tour", slots=("mine",))))
        write_text(look, '[values]\n"/vj/effect/hue" = 10.0\n')
        os.environ.update(jack.env)
        words = ("--show", str(look.parents[1]))
        show, watch = stack.enter_context(watched_show(folder, PATTERN, words=words, env=jack.env | pulse.env))
        everything = _Everything(show, jack, pulse, look)
        for name, (breaks, told) in LIVE_FAULTS.items():
            if only in name:
                figures[name] = observe(show, watch, told, lambda breaks=breaks: breaks(everything))
    return figures


class _Everything:
    """What can be broken around a running show."""

    def __init__(self, show: WatchedShow, jack: JackServer, pulse: PulseServer, look: Path) -> None:
        self.show, self.jack, self.pulse, self.look = show, jack, pulse, look

    def storm(self) -> None:
        """More messages than any controller sends, on all notes and controls."""
        from tests.servers.midi_box import MidiBox

        box = MidiBox("storm box")
        time.sleep(3.0)  # until it is found
        for k in range(STORM_MESSAGES):
            box.send(0xB0 | k % 16, k % 100, k * 37 % 128)
            if k % 100 == 0:
                time.sleep(0.02)
        time.sleep(2.0)
        box.unplug()
        for address, value in (("/vj/output/blackout", 0), ("/vj/output/freeze", 0), ("/vj/output/level", 1.0)):
            self.show.send(address, value)

    def lose_midi(self) -> None:
        """The MIDI server dies."""
        self.jack.stop()
        time.sleep(4.0)

    def lose_sound(self) -> None:
        """The sound server dies while it is listened to."""
        self.show.send("/vj/audio/device", "pulse")
        time.sleep(4.0)
        self.pulse.stop()
        time.sleep(5.0)

    def spoil_look(self) -> None:
        """A look's file is broken off in the middle, then recalled: what was read of it before is played."""
        self.look.write_bytes(b'[values\n"/vj/effect/hue" = \xff\xfe "red')
        time.sleep(1.0)
        self.show.send("/vj/look/1/recall", 1)
        time.sleep(2.0)

    def kill_panels(self) -> None:
        """The panels die, and are started anew."""
        os.kill(self.show.vj.process.pid, signal.SIGKILL)
        self.show.vj.process.wait()
        time.sleep(5.0)
        self.show.replace_panels()

    def stop_panels(self) -> None:
        """The panels hang, and others take their place."""
        os.kill(self.show.vj.process.pid, signal.SIGSTOP)
        time.sleep(6.0)
        self.show.replace_panels()


LIVE_FAULTS: dict[str, tuple[Callable[[_Everything], None], str]] = {
    "a corrupt look recalled": (_Everything.spoil_look, ""),
    "a storm of MIDI": (_Everything.storm, ""),
    "the MIDI server vanishes": (_Everything.lose_midi, ""),
    "the sound server vanishes": (_Everything.lose_sound, ""),
    "the panels killed": (_Everything.kill_panels, ""),
    "the panels stopped": (_Everything.stop_panels, ""),
}


def full_memory() -> dict[str, object]:
    """The memory folder takes the run but, once filled, no further ring: the engine is killed and must come back."""
    with _folder() as folder, watched_show(folder, PATTERN, memory_mib=SMALL_MIB) as (show, watch):

        def fill() -> None:
            filled = show.root / "dev/shm/filled"
            room = os.statvfs(filled.parent)
            with filled.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, max(1, room.f_bavail * room.f_frsize))
            victim = show.engine_id()
            assert victim is not None
            os.kill(victim, signal.SIGKILL)
            time.sleep(6.0)

        return observe(show, watch, "", fill)


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)
