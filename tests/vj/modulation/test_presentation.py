"""Chunk-clocked values are modulated for the moment at which they will be seen, with a real engine process."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from engine.chunk_source import SourceChoice
from engine.messages import Command, GeneratorStatus
from engine.parameter import Value
from engine.test_pattern import colour_of
from vj.commands import CommandQueue
from vj.controls import Controls
from vj.generator_thread import GeneratorThread
from vj.modulation.bank import ModulationBank
from vj.modulation.presentation import seen_at_ns
from vj.output.frame_reader import FrameReader
from vj.output.playback import PlaybackStatus
from vj.parameters import ParameterStore
from vj.sound.features import SILENCE

SECOND_NS = 1_000_000_000
PERIOD_S = 4.0  # two bars at 120 BPM
SETTLE_S, MEASURED_S = 3.0, 6.0
PLAYING = PlaybackStatus(is_streaming=True, buffered_frames=8, playback_fps=16.0, rate_fps=16.0)


def beat_at(at_ns: int) -> float:
    return at_ns * 120 / 60e9


def seconds(generator: GeneratorStatus, chunk_frames: int = 3, pending: tuple[Command, ...] = ()) -> float:
    now_ns = 100 * SECOND_NS
    return (seen_at_ns(now_ns, generator, PLAYING, chunk_frames, pending) - now_ns) / SECOND_NS


def test_what_is_buffered_plays_first():
    assert seconds(GeneratorStatus(chunk_s=0.1)) == pytest.approx(8 / 16 + 0.375)
    assert seconds(GeneratorStatus(chunk_s=0.1), chunk_frames=1) == pytest.approx(8 / 16 + 0.125)
    assert seconds(GeneratorStatus(chunk_s=2.0)) == pytest.approx(2.0 + 0.375), "it must be made first"


def test_a_chunk_in_the_making_has_its_values_already():
    making = GeneratorStatus(chunk_s=0.4, making_since_ns=round(99.9 * SECOND_NS), making_frames=12)
    assert seconds(making) == pytest.approx(8 / 16 + 12 / 16 + 0.375)


def test_a_hard_cut_passes_the_buffer():
    ready = GeneratorStatus(chunk_s=0.3, cut_s=0.7)
    assert seconds(ready, pending=(Command(1, "cut/hard"),)) == pytest.approx(0.3 + 0.375)
    soon = Command(1, "cut/hard", at_ns=round(100.6 * SECOND_NS))
    assert seconds(ready, pending=(soon,)) == pytest.approx(0.6 + 0.375)
    later = Command(1, "cut/hard", at_ns=103 * SECOND_NS)
    assert seconds(ready, pending=(later, Command(2, "prompt/text"))) == pytest.approx(8 / 16 + 0.375)


def purest(first: int, other: int) -> str:
    """A text whose colour has much of one channel and little of another."""
    return max((f"colour {k}" for k in range(2000)), key=lambda t: colour_of(t)[first] - colour_of(t)[other])


class Show:
    """An engine, what is shown of it, and a wave over the weight of the second of two prompts."""

    def __init__(self, model: str, folder: Path) -> None:
        self.hands = Controls(ParameterStore(), CommandQueue())
        self.bank = ModulationBank(self.hands.store.snapshot, beat_at, lambda: SILENCE)
        choice = SourceChoice(model, (64, 48))
        self.engine = GeneratorThread(
            self.hands.store, self.hands.commands, choice, log_folder=folder, modulate=self._modulate
        )
        self.reader = FrameReader(self.engine.ring_path)
        self._texts = (purest(0, 2), purest(2, 0))
        wave = {"on": True, "target": "/vj/prompt/2/weight", "shape": "triangle", "period": "2 bars", "depth": 1.0}
        values = {f"/vj/mod/1/{name}": value for name, value in wave.items()}
        for pad, text in enumerate(self._texts, start=1):
            values[f"/vj/prompt/{pad}/text"] = text
        self.hands.set_many(values, "test")

    def _modulate(self, values: Mapping[str, Value], status: GeneratorStatus) -> Mapping[str, Value]:
        chunk_frames = int(values["/vj/model/chunk"])
        at_ns = seen_at_ns(time.monotonic_ns(), status, self.reader.status, chunk_frames)
        return self.bank.effective(values, at_ns)

    def watch(self) -> np.ndarray:
        """Play; return (refreshes, 2): seconds, and the weight the picture shows."""
        self.engine.start()
        seen, end_s = [], None
        while end_s is None or time.monotonic() < end_s:
            now_ns = time.monotonic_ns()
            picture = self.reader.picture_at(now_ns)
            if picture is not None:
                end_s = end_s or now_ns / SECOND_NS + SETTLE_S + MEASURED_S
                frame = picture.second if picture.share >= 0.5 else picture.first
                seen.append((now_ns / SECOND_NS, self._weight(frame.pixels)))
            time.sleep(1 / 60)
        self.engine.stop()
        self.reader.close()
        rows = np.array(seen)
        return rows[rows[:, 0] > rows[-1, 0] - MEASURED_S]

    def _weight(self, pixels: np.ndarray) -> float:
        """Solve the blend's colour for the second pad's weight; the first one's is 1."""
        (red1, _, blue1), (red2, _, blue2) = (colour_of(text) for text in self._texts)
        red, _, blue = pixels[8:, :, :3].mean(axis=(0, 1))
        return (red1 * blue - red * blue1) / (red * blue2 - red2 * blue)


def test_a_wave_over_a_weight_is_seen_in_time(tmp_path: Path):
    """With a fast engine and one that hardly keeps up.

    Evaluated for now instead, the wave is seen 0.65 s late with the fast one and 1.5 s late with the other.
    """
    shows = [Show(model, tmp_path) for model in ("test-pattern", "test-pattern@19")]
    with ThreadPoolExecutor() as both:
        watched = list(both.map(Show.watch, shows))
    for seen in watched:
        lags_s = np.arange(-PERIOD_S / 2, PERIOD_S / 2, 0.02)
        waves = 1 - np.abs(2 * ((seen[:, :1] - lags_s) / PERIOD_S % 1) - 1)
        errors = np.sqrt(((waves - seen[:, 1:]) ** 2).mean(axis=0))
        assert abs(lags_s[errors.argmin()]) < 0.25
        assert errors.min() < 0.2, "no more than steps of a chunk's length leave"
