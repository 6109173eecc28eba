"""A plan played by a source without a clock: exactly so many frames, cues at the first chunk they can reach.

Knows nothing of files, options or live streams.
"""

from __future__ import annotations

import sys
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
    """How much to make: so many frames, or so many latent frames; with neither it never ends."""

    frames: int | None = None
    latent_frames: int | None = None

    @property
    def is_endless(self) -> bool:
        """Whether only the user ends it."""
        return self.frames is None and self.latent_frames is None

    def expected_frames(self, *, goes_on: bool = False) -> int | None:
        """Frames of an uncut stream of this length, None without end. `goes_on` after given frames.

        Hard cuts make fewer of the same latent frames.
        """
        if self.latent_frames is None:
            return self.frames
        return FRAMES_PER_LATENT * self.latent_frames - (0 if goes_on else FRAMES_PER_LATENT - 1)

    def needed_latents(self, *, goes_on: bool = False) -> int | None:
        """Latent frames an uncut stream makes for it, None without end."""
        if self.frames is None:
            return self.latent_frames
        return -(-(self.frames if goes_on else self.frames + FRAMES_PER_LATENT - 1) // FRAMES_PER_LATENT)


@dataclass(frozen=True)
class Beginning:
    """What a stream goes on from instead of beginning with nothing."""

    frames: np.ndarray  # (T, H, W, 4) uint8 of the source's size, T = 1 + 4k
    is_shown: bool = False  # whether they are part of what is made, as the model sees them

    @property
    def latent_frames(self) -> int:
        """Latent frames they are encoded to."""
        return 1 + (len(self.frames) - 1) // FRAMES_PER_LATENT


def play(
    source: ChunkSource, plan: RenderPlan, length: Length, beginning: Beginning | None = None
) -> Iterator[np.ndarray]:
    """Yield frames (T, H, W, 4) uint8 RGBA from a fresh stream until the length is made, never more.

    What it begins with does not count as made. A cue holds from the first chunk whose first frame is at or
    after it, and waits until its texts are encoded. Raises ArithmeticError when the model makes NaN.
    """
    source.hard_cut()  # a source that has played before begins anew
    cues = list(plan.cues)
    params = cues[0].params
    made = made_latents = 0
    if beginning is not None:
        given = source.begin_with_frames(beginning.frames, _take_cue(source, cues[0], is_start=True))
        if beginning.is_shown:
            yield from (chunk.frames for chunk in given)
    while (room := _room(length, made, made_latents)) > 0:
        while cues and cues[0].at_s * source.rate_fps <= made + CUE_SLACK_FRAMES:
            params = _take_cue(source, cues.pop(0), is_start=made == 0)
        chunk = source.generate_chunk(params)
        frames = chunk.frames[: room if length.latent_frames is None else _frames_of_latents(chunk, room)]
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
    if length.latent_frames is not None:
        return length.latent_frames - made_latents
    return sys.maxsize


def _latents_of(chunk: Chunk) -> int:
    return -(-len(chunk.frames) // FRAMES_PER_LATENT)


def _frames_of_latents(chunk: Chunk, latents: int) -> int:
    return FRAMES_PER_LATENT * latents - (FRAMES_PER_LATENT - 1 if chunk.first_frame == 0 else 0)
