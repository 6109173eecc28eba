"""Deck cuts on a real display: the engine in its own process, the output window, and a witness at its pixels.

The test pattern's lamp goes on and off with each new stream: what is judged is its light against the clock's beat.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import QRect
from PyQt6.QtGui import QGuiApplication

from engine.chunk_source import SourceChoice
from tests.servers.xvfb import XDisplay
from tests.vj.tempo.beat_stage import BPM, SIZE, BeatStage, SeenCut
from vj.commands import CommandQueue
from vj.conductor import Conductor
from vj.controls import Controls
from vj.generator_thread import GeneratorThread
from vj.output.continuity import Continuity, Scene
from vj.output.decks import DeckReader
from vj.output.frame_reader import Picture
from vj.output.params import OutputParams
from vj.parameters import ParameterStore
from vj.presets.decks import Decks
from vj.presets.repertoire import Repertoire
from vj.presets.transitions import Transitions
from vj.tempo.tempo import Tempo

READY_S = 60.0
LATE_REFRESH_NS = 50_000_000


class WatchedDecks(DeckReader):
    """Notes when the display refreshed, and when it cut to another deck."""

    def __init__(self, path: Path, deck_path: Path) -> None:
        super().__init__(path, deck_path)
        self.refreshed: deque[int] = deque(maxlen=4000)
        self.switches: list[int] = []

    def picture_at(self, now_ns: int) -> Picture | None:
        self.refreshed.append(now_ns)
        before = self.cut_ns
        picture = super().picture_at(now_ns)
        if self.cut_ns != before:
            self.switches.append(now_ns)
        return picture


class WatchedScenes(Continuity):
    """Notes how long a picture stood, and black ones."""

    def __init__(self, reader: DeckReader) -> None:
        super().__init__(reader)
        self.stillest_ns = 0  # refreshes that came late, on a machine that is busy, taken off
        self.black = 0  # refreshes of a black picture
        self._last: list[object] = []
        self._moved_ns = self._refreshed_ns = 0

    def scene_at(self, now_ns: int, params: OutputParams) -> Scene:
        scene = super().scene_at(now_ns, params)
        gap_ns, self._refreshed_ns = now_ns - self._refreshed_ns, now_ns
        pictures = [(layer.picture, layer.share, layer.zoom) for layer in scene.layers]
        seen = [(p.first.stream_id, p.first.index, round(p.share, 4), share, zoom) for p, share, zoom in pictures]
        if seen != self._last or not seen:
            self._last, self._moved_ns = seen, now_ns
        elif gap_ns > LATE_REFRESH_NS:
            self._moved_ns += gap_ns
        self.stillest_ns = max(self.stillest_ns, now_ns - self._moved_ns)
        self.black += bool(pictures) and not any(p.first.pixels[..., :3].any() for p, _, _ in pictures)
        return scene


class DeckStage(BeatStage):
    """A show without panels, with two decks. Each press cuts to the free one, armed before with the other look."""

    cut_address = "/vj/deck/cut"

    def __init__(self, display: XDisplay, model: str, quantise: str, looks: tuple[str, str]) -> None:
        self._has_lamp = model.startswith("test-pattern")
        self._looks = looks
        self.told: list[str] = []
        self.controls = Controls(ParameterStore(), CommandQueue())
        self.controls.set_many({"/vj/clock/bpm": BPM, "/vj/clock/quantise": quantise}, "test")
        self.conductor = Conductor()
        status = lambda: self.generator.status  # noqa: E731
        self.tempo = Tempo(self.controls, self.conductor, status, lambda: self.reader.status)
        transitions = Transitions(self.controls, self.tempo.clock.beat_at)
        self.repertoire = Repertoire(self.controls, self.tempo.clock, transitions, self.told.append)
        self.decks = Decks(
            self.controls, self.repertoire.shelf, self.repertoire.locked_groups, status, self.told.append
        )
        self.conductor.add(self.decks)
        self.generator = GeneratorThread(
            self.controls.store,
            self.controls.commands,
            SourceChoice(model, (256, 144)),
            armed=lambda: self.decks.armed,
        )
        self.reader = WatchedDecks(self.generator.ring_path, self.generator.deck_ring_path)
        self.decks.show_on(self.reader.order, str(self.generator.ring_path))
        self.begin_watching(display)

    def _cut_once(self) -> SeenCut | None:
        look = self._looks[len(self.reader.switches) % 2]
        self.decks.arm(look)
        if not self.until(lambda: self.decks.status.is_ready):
            return None
        time.sleep(random.Random(len(self.reader.switches)).uniform(0.0, 0.5))
        seen = super()._cut_once()
        self.until(lambda: self.decks.armed is None)
        return seen

    def watch(self, hand: Callable[[], None]) -> None:
        """Play while a hand does something on a thread of its own."""
        self.window.show_on(QGuiApplication.primaryScreen(), QRect(0, 0, *SIZE))
        self.generator.start()
        self.conductor.start()
        thread = threading.Thread(target=hand)
        thread.start()
        while thread.is_alive():
            QGuiApplication.processEvents()
            time.sleep(0.0005)

    def scene_source(self) -> WatchedScenes:
        return WatchedScenes(self.reader)

    def seen_figures(self) -> dict[str, object]:
        """What else was seen besides the cuts."""
        return {"stillest_ms": round(self.scenes.stillest_ns / 1e6, 1), "black": self.scenes.black}

    def until(self, condition: object) -> bool:
        end_s = time.monotonic() + READY_S
        while not condition():
            if time.monotonic() > end_s:
                return False
            time.sleep(0.005)
        return True
