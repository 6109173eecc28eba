"""Quantised cuts on a real display: the engine in its own process, the output window, and a witness at its pixels.

What is judged is the light of the test pattern's lamp in the memory of the X display against the clock's beat.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from PyQt6.QtCore import QRect
from PyQt6.QtGui import QGuiApplication

from engine.chunk_source import SourceChoice
from tests.servers.xvfb import XDisplay
from tests.vj.tempo.lamp import LampWitness
from vj.commands import CommandQueue
from vj.conductor import Conductor
from vj.controls import Controls
from vj.generator_thread import GeneratorThread
from vj.output.continuity import Continuity
from vj.output.frame_reader import FrameReader, Picture
from vj.output.output_window import OutputWindow
from vj.output.params import OutputParams
from vj.output.shared_scenes import SharedScenes
from vj.parameters import ParameterStore
from vj.tempo.tempo import Tempo

FRAME_NS = 1_000_000_000 // 60
SIZE = (320, 180)
BPM = 120.0
CONTENT_FPS = 16.0
SETTLE_S = 2.0


@dataclass(frozen=True)
class SeenCut:
    """One quantised cut as it was asked for and as it was seen; times on time.monotonic_ns()."""

    pressed_ns: int
    beat_ns: int
    seen_ns: int
    switched_ns: int  # the refresh at which the frame reader went over to the new stream
    refreshes_ns: tuple[int, ...]  # of the display around the beat
    slowest_share: float  # of the content rate, between the press and the beat

    @property
    def error_ms(self) -> float:
        """Light minus beat."""
        return (self.seen_ns - self.beat_ns) / 1e6

    @property
    def switch_error_ms(self) -> float:
        """The reader's switch minus beat: what remains when the witness itself was late."""
        return (self.switched_ns - self.beat_ns) / 1e6

    @property
    def late_refresh_ms(self) -> float:
        """How much longer than a frame the display took between the refreshes around the light."""
        first, last = min(self.beat_ns, self.seen_ns) - FRAME_NS, max(self.beat_ns, self.seen_ns) + FRAME_NS
        gaps = [b - a for a, b in pairwise(self.refreshes_ns) if b >= first and a <= last]
        return max(0.0, (max(gaps, default=0) - FRAME_NS) / 1e6)

    @property
    def is_on_beat(self) -> bool:
        """Whether the light came within one frame of the beat, whatever kept the display."""
        return abs(self.error_ms) <= FRAME_NS / 1e6

    @property
    def is_on_beat_for_the_display(self) -> bool:
        """The same, with a refresh that came late taken off: a machine that is busy, not the instrument."""
        late_ms = FRAME_NS / 1e6 + self.late_refresh_ms
        return min(abs(self.error_ms), abs(self.switch_error_ms)) <= late_ms


class WatchedReader(FrameReader):
    """Notes when the display refreshed."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.refreshed: deque[int] = deque(maxlen=4000)
        self.switches: list[int] = []

    def picture_at(self, now_ns: int) -> Picture | None:
        self.refreshed.append(now_ns)
        before = self.status.switched_ns
        picture = super().picture_at(now_ns)
        if self.status.switched_ns != before:
            self.switches.append(now_ns)
        return picture


class BeatStage:
    """A show without panels. Built, run and ended on the GUI thread; presses come from another."""

    cut_address = "/vj/cut/hard"

    def __init__(self, display: XDisplay, model: str, quantise: str) -> None:
        self._has_lamp = model.startswith("test-pattern")
        self.controls = Controls(ParameterStore(), CommandQueue())
        self.controls.set_many({"/vj/clock/bpm": BPM, "/vj/clock/quantise": quantise}, "test")
        choice = SourceChoice(model, (256, 144))
        self.generator = GeneratorThread(self.controls.store, self.controls.commands, choice)
        self.reader = WatchedReader(self.generator.ring_path)
        self.conductor = Conductor()
        self.tempo = Tempo(self.controls, self.conductor, lambda: self.generator.status, lambda: self.reader.status)
        self.begin_watching(display)

    def begin_watching(self, display: XDisplay) -> None:
        """Make the window that shows what the reader plays, and note what is seen on it."""
        self.scenes = self.scene_source()
        self.window = OutputWindow(SharedScenes(self.scenes).view(), OutputParams)
        self.window.frameSwapped.connect(self._note_swap)
        self._swapped: list[int] = []  # when a new stream's first picture had been handed to the display
        self._witness = LampWitness(display.framebuffer)

    def scene_source(self) -> Continuity:
        """Decide what is drawn."""
        return Continuity(self.reader)

    def play(self, cuts: int, seed: int) -> list[SeenCut]:
        """Press so many cuts at odd moments; return how they were seen. Runs the GUI's events meanwhile."""
        self.window.show_on(QGuiApplication.primaryScreen(), QRect(0, 0, *SIZE))
        self.generator.start()
        self.conductor.start()
        seen: list[SeenCut] = []
        problems: list[str] = []
        hand = threading.Thread(target=self._press, args=(cuts, seed, seen, problems))
        hand.start()
        while hand.is_alive():
            QGuiApplication.processEvents()
            time.sleep(0.0005)
        assert not problems, problems
        return seen

    def end(self) -> None:
        """Leave nothing behind."""
        self.conductor.stop()
        self.generator.stop()
        self.window.end()
        self.reader.close()
        self._witness.stop()
        QGuiApplication.processEvents()

    def _lights(self) -> list[int]:
        """When another stream was seen: by the witness where there is a lamp, else when its first picture was shown."""
        return self._witness.lights if self._has_lamp else self._swapped

    def _note_swap(self) -> None:
        if len(self._swapped) < len(self.reader.switches):
            self._swapped.append(time.monotonic_ns())

    def _press(self, cuts: int, seed: int, seen: list[SeenCut], problems: list[str]) -> None:
        moments = random.Random(seed)
        if not _wait(lambda: self.reader.status.is_streaming and self.generator.status.cut_s > 0, 60.0):
            problems.append(f"nothing streams: {self.generator.failures}")
            return
        time.sleep(SETTLE_S)
        for _ in range(cuts):
            time.sleep(moments.uniform(0.3, 1.3))
            cut = self._cut_once()
            if cut is None:
                problems.append(f"a cut was not seen: {self.generator.failures}, {self.controls.commands.last_refusal}")
                return
            seen.append(cut)

    def _cut_once(self) -> SeenCut | None:
        lit_before, pressed_ns = len(self._lights()), time.monotonic_ns()
        self.controls.trigger(self.cut_address, "test")
        beat_ns, slowest_fps = 0, 1e9
        end_ns = pressed_ns + 40_000_000_000
        while len(self._lights()) == lit_before or time.monotonic_ns() < beat_ns + 100_000_000:
            for waiting in self.tempo.quantiser.pending:
                beat_ns = waiting.lands_ns
            slowest_fps = min(slowest_fps, self.reader.status.playback_fps)
            if time.monotonic_ns() > end_ns:
                return None
            time.sleep(0.005)
        around = tuple(at for at in list(self.reader.refreshed) if abs(at - beat_ns) < 200_000_000)
        switched_ns = self.reader.status.switched_ns
        return SeenCut(pressed_ns, beat_ns, self._lights()[lit_before], switched_ns, around, slowest_fps / CONTENT_FPS)


def _wait(until: object, timeout_s: float) -> bool:
    end_s = time.monotonic() + timeout_s
    while not until():
        if time.monotonic() > end_s:
            return False
        time.sleep(0.02)
    return True
