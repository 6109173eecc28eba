"""A plan played by a source without a clock: exactly so many frames, cues at the first chunk they can reach.

Knows nothing of files, options or live streams.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.chunk import Chunk
from engine.chunk_source import ChunkSource
from engine.params import ChunkParams
from engine.rendering.plan import Cue, RenderPlan

FRAMES_PER_LATENT = 4  # the first latent frame of a stream is one frame
CUE_SLACK_FRAMES = 1e-6  # seconds times rate is not exact


@dataclass(frozen=True)
class Length:
    """How much to make: so many frames, or so many latent frames. Exactly one of the two is given."""

    frames: int | None = None
    latent_frames: int | None = None

    @property
    def expected_frames(self) -> int:
        """Frames of an uncut stream of this length; hard cuts make fewer of the same latent frames."""
        if self.frames is not None:
            return self.frames
        assert self.latent_frames is not None, "a length counts one or the other"
        return 1 + FRAMES_PER_LATENT * (self.latent_frames - 1)


def play(source: ChunkSource, plan: RenderPlan, length: Length) -> Iterator[np.ndarray]:
    """Yield frames (T, H, W, 4) uint8 RGBA from a fresh stream until the length is made, never more.

    A cue holds from the first chunk whose first frame is at or after it, and waits until its texts are encoded.
    Raises ArithmeticError when the model makes NaN.
    """
    source.hard_cut()  # a source that has played before begins anew
    cues = list(plan.cues)
    params = cues[0].params
    made = made_latents = 0
    while (room := _room(length, made, made_latents)) > 0:
        while cues and cues[0].at_s * source.rate_fps <= made + CUE_SLACK_FRAMES:
            params = _take_cue(source, cues.pop(0), is_start=made == 0)
        chunk = source.generate_chunk(params)
        frames = chunk.frames[: room if length.frames is not None else _frames_of_latents(chunk, room)]
        made += len(frames)
        made_latents += _latents_of(chunk)
        yield frames


def _take_cue(source: ChunkSource, cue: Cue, is_start: bool) -> ChunkParams:
    if cue.hard_cut and not is_start:
        source.hard_cut()
    elif cue.soft_cut and not is_start:
        source.soft_cut()
    for text in cue.params.prompt_texts:  # known already, unless the plan has more texts than the prompt book keeps
        source.prompts.encode_now(text)
    return cue.params


def _room(length: Length, made: int, made_latents: int) -> int:
    """Frames, or latent frames, still to be made."""
    if length.frames is not None:
        return length.frames - made
    assert length.latent_frames is not None, "a length counts one or the other"
    return length.latent_frames - made_latents


def _latents_of(chunk: Chunk) -> int:
    return -(-len(chunk.frames) // FRAMES_PER_LATENT)


def _frames_of_latents(chunk: Chunk, latents: int) -> int:
    return FRAMES_PER_LATENT * latents - (FRAMES_PER_LATENT - 1 if chunk.first_frame == 0 else 0)
