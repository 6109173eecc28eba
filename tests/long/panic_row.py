"""The panic row with the generator dead: from the sending of a key, a note or an OSC message until it is seen.

The engine is killed whenever it is started, so that nothing comes but what is already there; then the panels are
killed too, and the output's own keys are left. The display's memory is read every millisecond; a swap is one refresh.
"""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.servers import JackServer
from tests.servers.midi_box import MidiBox
from tests.servers.stamp_watch import DARKEST, StampWatch
from tests.servers.timed_vj import read_swaps
from tests.servers.watched_show import WatchedShow, watched_show
from tests.servers.x_keys import XKeys

TIMES = 20
FRAME_NS = 1e9 / 60.0
WITHIN_FRAMES = 2
SWAP_NS = 500_000  # a swap is noted so much before or after the picture lies in the display's memory
LOOKING_MS = 2.0  # what looking adds
LIMIT_NS = 2_000_000_000  # longer than any path takes
LOOK_S = 0.001
STILL_NS = 200_000_000  # without a change the picture counts as held
BRIGHT = 240  # of 255: the white of the stamps lies above, at nine tenths of the level below
REST_S = (0.11, 0.19)  # between two presses: any moment between two refreshes
BLACKOUT, FREEZE, LEVEL, RESET = ("/vj/output/" + name for name in ("blackout", "freeze", "level", "reset"))
NOTES = {BLACKOUT: 46, FREEZE: 52, RESET: 54}  # of the mapping file for any controller
LEVEL_CC = 7
KEYS = {BLACKOUT: "b", FREEZE: "f", RESET: "r"}

Send = Callable[[bool], None]  # on or off


@dataclass(frozen=True)
class Shown:
    """One press: sent, and seen on the display."""

    sent_ns: int
    seen_ns: int


def run(times: int = TIMES) -> dict[str, object]:
    """Measure everything; raises AssertionError when it takes longer than two display frames."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        jack = stack.enter_context(JackServer(folder))
        os.environ.update(jack.env)
        swaps = folder / "swaps.bin"
        show, watch = stack.enter_context(watched_show(folder, env=jack.env, timed=swaps))
        figures = measure(show, watch, swaps, times)
    judge(figures)
    return figures


def measure(show: WatchedShow, watch: StampWatch, swaps: Path, times: int) -> dict[str, object]:
    """Press everything so often from everywhere; the environment must name the JACK server."""
    box = MidiBox("panic box")
    presses: dict[str, list[Shown]] = {}
    with XKeys(show.display.name) as keys, generator_held_dead(show):
        row = PanicRow(show, watch, keys, box)
        with contextlib.closing(_Unplugged(box)):  # JACK waits two minutes for a client that was killed
            row.settle()
            for source in ("key", "midi", "osc"):
                presses |= row.play(source, times)
            moving = row.changes_a_second()
        os.kill(show.vj.process.pid, signal.SIGKILL)
        show.vj.process.wait()
        time.sleep(1.0)
        presses |= row.play("key, panels dead", times)
    time.sleep(0.5)
    moments = read_swaps(swaps)
    return {
        "moved_a_second": round(moving, 1),
        "refreshes_a_second": round(float((len(moments) - 1) * 1e9 / (moments[-1] - moments[0])), 1),
        "presses": {name: figures_of(shown, moments) for name, shown in presses.items()},
        "machine_load": round(os.getloadavg()[0], 1),
    }


def judge(figures: dict[str, object]) -> None:
    """Raise AssertionError with what is late more often than one time in twenty.

    Late is more than two refreshes that were really shown and more than their time: a machine without a free core
    shows fewer of them, a key makes one more.
    """
    limit_ms = WITHIN_FRAMES * FRAME_NS * 1e-6 + LOOKING_MS
    late = {
        name: row
        for name, row in figures["presses"].items()
        if row["frames_p95"] > WITHIN_FRAMES and row["ms_p95"] > limit_ms
    }
    assert not late, f"{late}: {figures}"


def figures_of(presses: list[Shown], swaps: np.ndarray) -> dict[str, float]:
    """Milliseconds, and refreshes counted: 1 = the first one after the sending shows it."""
    ms = [(p.seen_ns - p.sent_ns) * 1e-6 for p in presses]
    frames = [int(np.searchsorted(swaps, p.seen_ns + SWAP_NS) - np.searchsorted(swaps, p.sent_ns)) for p in presses]
    named = {"times": len(presses)}
    for unit, values, digits in (("ms", ms, 1), ("frames", frames, 0)):
        p50, p95 = np.percentile(values, [50, 95])
        for name, value in (("p50", p50), ("p95", p95), ("max", max(values))):
            named[f"{unit}_{name}"] = round(float(value), digits)
    return named


@contextlib.contextmanager
def generator_held_dead(show: WatchedShow) -> Iterator[None]:
    """Kill the engine, and every one that is started after it before it has made a chunk."""
    is_over = threading.Event()

    def reap() -> None:
        while not is_over.wait(0.05):
            for process_id in show.engine_ids():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process_id, signal.SIGKILL)

    thread = threading.Thread(target=reap, name="reaper", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


class PanicRow:
    """Hands on keyboard, controller and network, and eyes on the display."""

    def __init__(self, show: WatchedShow, watch: StampWatch, keys: XKeys, box: MidiBox) -> None:
        self._show, self._watch, self._keys, self._box = show, watch, keys, box
        self._rng = np.random.default_rng(6)

    def settle(self) -> None:
        """Wait until the generator is given up for a while and the controller is found; its fader takes the level."""
        time.sleep(4.0)
        for value in (0, 127):
            self._box.send(0xB0, LEVEL_CC, value)
            time.sleep(0.1)

    def play(self, source: str, times: int) -> dict[str, list[Shown]]:
        """Measure blackout, freeze and level from one place, on and off."""
        return {
            f"{name} {way} by {source}": shown
            for name, address, sees in (
                ("blackout", BLACKOUT, self._see_black),
                ("freeze", FREEZE, self._see_still),
                ("level", LEVEL, self._see_dim),
            )
            for way, shown in self._toggle(self._sender(source, address), sees, times).items()
        } | {f"reset by {source}": self._reset(source, times)}

    def _toggle(
        self, send: Send, sees: Callable[[bool, int], int], times: int, ways: tuple[str, str] = ("on", "off")
    ) -> dict[str, list[Shown]]:
        found: dict[str, list[Shown]] = {way: [] for way in ways}
        for _ in range(times):
            for way, is_on in zip(ways, (True, False), strict=True):
                self._rest()
                sent_ns = time.monotonic_ns()
                send(is_on)
                found[way].append(Shown(sent_ns, sees(is_on, sent_ns)))
        return found

    def _reset(self, source: str, times: int) -> list[Shown]:
        """From black."""
        found = []
        for _ in range(times):
            self._rest()
            self._keys.press(KEYS[BLACKOUT])
            self._see_black(True, time.monotonic_ns())
            self._rest()
            sent_ns = time.monotonic_ns()
            self._sender(source, RESET)(True)
            found.append(Shown(sent_ns, self._see_black(False, sent_ns)))
        return found

    def _sender(self, source: str, address: str) -> Send:
        if source.startswith("key"):
            if address == LEVEL:
                return lambda is_on: self._keys.press("minus" if is_on else "equal")
            return lambda is_on: self._keys.press(KEYS[address])
        if source == "midi":
            if address == LEVEL:
                return lambda is_on: self._box.send(0xB0, LEVEL_CC, 64 if is_on else 127)
            return lambda is_on: self._box.send(0x90, NOTES[address], 127)
        if address == LEVEL:
            return lambda is_on: self._show.send(address, 0.5 if is_on else 1.0)
        return lambda is_on: self._show.send(address, int(is_on))

    def _rest(self) -> None:
        time.sleep(self._rng.uniform(*REST_S))

    # -- eyes ----------------------------------------------------------------------------------------------------

    def _see_black(self, is_on: bool, sent_ns: int) -> int:
        return self._see(lambda picture: (picture.max() <= DARKEST) == is_on, sent_ns)

    def _see_dim(self, is_on: bool, sent_ns: int) -> int:
        return self._see(lambda picture: (picture.max() < BRIGHT) == is_on, sent_ns)

    def _see_still(self, is_on: bool, sent_ns: int) -> int:
        """When the picture changed last and should have changed again, or when it changes."""
        last = self._watch.picture().astype(np.int16)
        if not is_on:
            return self._see(lambda picture: np.abs(picture - last).max() > 1, sent_ns)
        changed_ns = sent_ns
        while (now_ns := time.monotonic_ns()) - changed_ns < STILL_NS:
            assert now_ns - sent_ns < LIMIT_NS, "the picture moved on"
            picture = self._watch.picture().astype(np.int16)
            if np.abs(picture - last).max() > 1:
                last, changed_ns = picture, now_ns
            time.sleep(LOOK_S)
        return changed_ns + int(FRAME_NS)

    def _see(self, is_so: Callable[[np.ndarray], bool], sent_ns: int) -> int:
        while not is_so(self._watch.picture()):
            assert time.monotonic_ns() - sent_ns < LIMIT_NS, f"it was not seen: {self._show.vj.output()[-1000:]}"
            time.sleep(LOOK_S)
        return time.monotonic_ns()

    def changes_a_second(self) -> float:
        """How often the picture that plays now differs from the one before."""
        began, changes, last = time.monotonic(), 0, self._watch.picture()
        while time.monotonic() - began < 1.0:
            time.sleep(LOOK_S)
            picture = self._watch.picture()
            changes += not np.array_equal(picture, last)
            last = picture
        return changes / (time.monotonic() - began)


class _Unplugged:
    def __init__(self, box: MidiBox) -> None:
        self.close = box.unplug
