"""What a chunk is denoised from, and in which steps: noise alone, or the frames of an input under noise."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from engine.model.step_lists import steps_of
from engine.noise import ChunkNoise
from engine.params import ChunkParams
from engine.schedule import Schedule
from engine.stream_state import StreamState
from engine.video_in.given import ChunkInputs
from engine.video_in.v2v import VideoToVideo


@dataclass(frozen=True)
class ChunkStart:
    """As `denoise_chunk` takes it. With no timesteps the latents are the chunk."""

    latents: Tensor  # (1, F, C, h, w)
    renoises: list[Tensor]  # one fewer than timesteps, or more
    timesteps: tuple[float, ...]


class ChunkStarts:
    """Makes them, in text mode and V2V. Belongs to the generator's thread."""

    def __init__(
        self,
        noise: ChunkNoise,
        schedule: Schedule,
        timesteps: tuple[float, ...],
        v2v: VideoToVideo,
        *,
        most_steps: int | None = None,
    ) -> None:
        """`timesteps` are the model's own, warped, 0..1000, falling; no chunk has more than `most_steps`."""
        self._most_steps = most_steps
        self._noise = noise
        self._schedule = schedule
        self._timesteps = timesteps
        self._v2v = v2v

    def next(self, params: ChunkParams, inputs: ChunkInputs, state: StreamState, latent_frames: int) -> ChunkStart:
        """The start of a stream's next chunk of `latent_frames`."""
        below = self._v2v.begin_chunk(params, inputs, state.v2v, self._steps_of(params.input_step_list))
        steps = below.timesteps if below else self._text_steps(params)
        if self._most_steps is not None and steps:
            steps = self._schedule.choose(steps, self._most_steps)
        first, *renoises = self._noise.take(params, state.latent_frames, latent_frames, max(1, len(steps)))
        return ChunkStart(below.under(first) if below else first, renoises, steps)

    def _text_steps(self, params: ChunkParams) -> tuple[float, ...]:
        return self._schedule.choose(self._steps_of(params.step_list), params.denoising_steps)

    def _steps_of(self, name: str) -> tuple[float, ...]:
        """A list of `STEP_LISTS`, warped."""
        listed = steps_of(name)
        return self._schedule.warp(listed) if listed else self._timesteps
