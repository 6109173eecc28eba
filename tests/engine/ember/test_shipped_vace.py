"""The shipped VACE branch: a stream follows the video it is given and not another, and more at a greater strength."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from engine.generator import Generator
from engine.generator_loading import load_generator
from engine.model_presets import load_preset
from engine.params import ChunkParams
from engine.training.guided.figures import draw_shades
from engine.video_in.given import GivenFrames

SMALL = (160, 96)  # width, height
CHUNKS = 3
FRAMES = 12 * CHUNKS - 3
SEEDS = (1, 5)  # of figures that wander, no path twice
GRID = (32, 18)


class GivenClip:
    """A clip as an input, each frame once."""

    def __init__(self, pixels: np.ndarray) -> None:
        """(T, H, W, 4) uint8."""
        self._pixels = pixels

    def take(self, frames: int, *, is_start: bool) -> GivenFrames:
        """The next frames."""
        now, self._pixels = self._pixels[:frames], self._pixels[frames:]
        return GivenFrames(now, (0,) * frames)

    def beside(self) -> GivenClip:
        """What is left of the clip."""
        return GivenClip(self._pixels)


@pytest.fixture(scope="module")
def ember() -> Iterator[Generator]:
    """ember as it ships, small."""
    generator = load_generator(load_preset("ember"), width=SMALL[0], height=SMALL[1], device="cpu", dtype="float32")
    yield generator
    generator.close()


def _clip(seed: int) -> np.ndarray:
    shades = draw_shades(np.random.default_rng(seed), (SMALL[1], SMALL[0]), FRAMES)
    grey = np.rint(255.0 * shades).astype(np.uint8)
    return np.stack([grey, grey, grey, np.full_like(grey, 255)], axis=-1)


def _stream(ember: Generator, clip: np.ndarray, scale: float, control: str = "edges") -> np.ndarray:
    params = ChunkParams().with_prompts(("blue plasma",))
    params = dataclasses.replace(params, seed=3, vace_on=True, vace_scale=scale, vace_control=control)
    ember.hard_cut()
    ember.connect_inputs({1: GivenClip(clip)})
    return np.concatenate([ember.generate_chunk(params).frames for _ in range(CHUNKS)])


def _edges(frames: np.ndarray) -> np.ndarray:
    """Where a clip has edges, (T, 18, 32), without what stands still."""
    maps = []
    for frame in frames:
        grey = cv2.GaussianBlur(cv2.cvtColor(frame, cv2.COLOR_RGBA2GRAY).astype(np.float32), (0, 0), 1.0)
        strength = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
        maps.append(cv2.resize(strength, GRID, interpolation=cv2.INTER_AREA))
    return np.stack(maps) - np.mean(maps, axis=0)


def _likeness(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(_edges(one).ravel(), _edges(other).ravel())[0, 1])


def test_a_stream_follows_its_own_control_and_not_another(ember: Generator) -> None:
    clips = [_clip(seed) for seed in SEEDS]
    streams = [_stream(ember, clip, 1.0) for clip in clips]
    for own, other in ((0, 1), (1, 0)):
        assert _likeness(streams[own], clips[own]) - _likeness(streams[own], clips[other]) > 0.3


def test_the_strength_acts_in_one_direction(ember: Generator) -> None:
    clip = _clip(SEEDS[1])
    likeness = [_likeness(_stream(ember, clip, scale), clip) for scale in (0.0, 0.5, 1.0)]
    assert likeness == sorted(likeness)
    assert likeness[-1] > likeness[0] + 0.2


@pytest.mark.parametrize("control", ["luma", "colour"])
def test_brightness_and_colours_are_followed_too(ember: Generator, control: str) -> None:
    clip = _clip(SEEDS[1])
    assert _likeness(_stream(ember, clip, 1.0, control), clip) > 0.3
