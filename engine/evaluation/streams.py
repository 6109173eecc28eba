"""A model's own streams, made for being measured: prompts, blends and switches, without a clock or a file."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from engine.chunk_source import ChunkSource, SourceChoice, load_files, load_source
from engine.params import ChunkParams
from engine.rendering.offline_stream import FRAMES_PER_LATENT, Length, play
from engine.rendering.plan import Cue, RenderPlan

Advance = Callable[[int], None]


@dataclass(frozen=True)
class PromptAt:
    """What is asked for from a frame on: texts, and their shares where there are several."""

    texts: tuple[str, ...]
    shares: tuple[float, ...] = (1.0,)
    frame: int = 0


class Streams:
    """Streams of one loaded model, one after the other. One thread owns it; close it."""

    def __init__(self, choice: SourceChoice, tell: Callable[[str], None], params: ChunkParams | None = None) -> None:
        """Load the model and the LoRAs of the parameters all streams are played with. Raises SourceError."""
        self._params = params or ChunkParams()
        chunk_latents = self._params.chunk_frames
        self._source: ChunkSource = load_source(choice, tell)
        load_files(self._source, self._params)
        self.chunk_frames = FRAMES_PER_LATENT * chunk_latents
        self.first_boundary = self.chunk_frames - (FRAMES_PER_LATENT - 1)

    @property
    def name(self) -> str:
        """The model's name."""
        return self._source.model_name

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self._source.width, self._source.height

    @property
    def rate_hz(self) -> float:
        """Frames of content per second."""
        return self._source.rate_fps

    def frames(self, prompts: Sequence[PromptAt], seed: int, frames: int) -> Iterator[np.ndarray]:
        """Yield parts (T, H, W, 3) uint8 of a fresh stream, `frames` in all. The same words give the same bits.

        Raises ArithmeticError when the model makes NaN.
        """
        cues = []
        for prompt in prompts:
            params = self._params.with_prompts(prompt.texts, prompt.shares)
            cues.append(Cue(prompt.frame / self.rate_hz, dataclasses.replace(params, seed=seed)))
        for part in play(self._source, RenderPlan(tuple(cues), seed=seed), Length(frames=frames)):
            yield part[..., :3]

    def clip(self, prompts: Sequence[PromptAt], seed: int, frames: int, advance: Advance) -> np.ndarray:
        """Make a whole stream, (frames, H, W, 3) uint8."""
        parts = []
        for part in self.frames(prompts, seed, frames):
            advance(len(part))
            parts.append(part)
        return np.concatenate(parts)

    def close(self) -> None:
        """Let go of the model."""
        self._source.close()
