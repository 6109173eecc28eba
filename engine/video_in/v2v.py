"""Video to video (V2V): a chunk begins with the frames of an input under noise, not with noise alone.

The recipe keeps one sigma: frames are mixed with the noise of a table entry, and the model is told that entry.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.params import ChunkParams
from engine.schedule import PUBLISHED_STEPS, Schedule, renoise
from engine.vae.frame_encoding import encode_live, to_pixels
from engine.vae.latents import EncoderState, StreamingEncoder
from engine.video_in.given import ChunkInputs, GivenFrames

FULL_MOTION = 0.2  # RMS difference of successive frames, of values in [-1, 1], that counts as all motion there is
MOTION_REACH = 0.3  # noise that full motion adds where `input_motion` is 1
MOTION_FRAMES = 8.0  # time constant of the motion that is heard
MOTION_STRIDE = 4  # pixels between those that are looked at
UPSTREAM_STEP_BACK = 100  # how much less noise the upstream recipe tells than it mixes


@dataclass
class V2VState:
    """What one stream carries of the input it is painted over. Emptied by a hard cut, and while nothing is."""

    encoder: EncoderState | None = None
    input_number: int = 0  # whose frames the encoder has seen; 0 = none
    last_frame: np.ndarray | None = None  # every `MOTION_STRIDE`th pixel of it, in [-1, 1]
    motion: float = 0.0  # 0..1, smoothed over chunks

    def forget(self) -> None:
        """Begin anew with the next frame that is given."""
        self.encoder, self.input_number, self.last_frame, self.motion = None, 0, None, 0.0


@dataclass(frozen=True)
class Underpainting:
    """What a chunk is painted over, and from which noise on."""

    latents: Tensor  # (1, F, C, h, w) of the input, at the transformer's scale
    sigma: float  # share of noise that is mixed in
    timesteps: tuple[float, ...]  # warped, falling; none = the input itself is shown

    def under(self, noise: Tensor) -> Tensor:
        """What the first step begins with: `noise` is (1, F, C, h, w); it alone at sigma 1, bit for bit."""
        return renoise(self.latents, noise, self.sigma)


class VideoToVideo:
    """Encodes the input of a chunk. One for all streams: what each carries is handed in."""

    def __init__(self, encoder: StreamingEncoder, schedule: Schedule, device: torch.device, dtype: torch.dtype) -> None:
        self.notice = ""  # why the newest chunk is not painted over an input as it is asked to be; empty when it is
        self._encoder = encoder
        self._schedule = schedule
        self._device, self._dtype = device, dtype

    def begin_chunk(
        self, params: ChunkParams, inputs: ChunkInputs, state: V2VState, own_steps: tuple[float, ...]
    ) -> Underpainting | None:
        """What the chunk is painted over; None = nothing, as V2V is off or its input has nothing to give.

        `own_steps` are those of the model, warped. Raises ValueError for frames of another number or size.
        """
        given = inputs.of(params.input_number) if params.input_on else None
        is_missed = params.input_on and given is None
        self.notice = f"input {params.input_number} gives no picture to paint over" if is_missed else ""
        if given is None:
            state.forget()
            return None
        if state.input_number != params.input_number:
            state.forget()
        state.input_number = params.input_number
        pixels = to_pixels(given.pixels, self._device, self._dtype)
        latents, state.encoder = encode_live(self._encoder, pixels, state.encoder, is_start=inputs.is_start)
        noise = noise_of(params, given, state)
        if params.input_recipe == "upstream":
            return Underpainting(latents, noise, upstream_steps(noise, params.input_steps))
        sigma, timesteps = consistent_steps(self._schedule, noise, own_steps, params.input_steps)
        return Underpainting(latents, sigma, timesteps)


def noise_of(params: ChunkParams, given: GivenFrames, state: V2VState) -> float:
    """Share of noise 0..1: what the hand says, moved by the input's motion; all of it as a lost input has faded.

    noise + input_motion * MOTION_REACH * motion, motion = RMS difference of successive frames / FULL_MOTION.
    """
    noise = params.input_noise
    if params.input_motion != 0.0:
        noise += params.input_motion * MOTION_REACH * follow_motion(given, state)
    else:
        state.last_frame, state.motion = None, 0.0
    return 1.0 - given.strength * (1.0 - min(1.0, max(0.0, noise)))


def follow_motion(given: GivenFrames, state: V2VState) -> float:
    """How much moves in the frames that are given, 0..1, smoothed over MOTION_FRAMES frames."""
    frames = given.pixels[:, ::MOTION_STRIDE, ::MOTION_STRIDE, :3].astype(np.float32) / 127.5 - 1.0
    before = frames[:1] if state.last_frame is None else state.last_frame[None]
    seen = np.concatenate([before, frames])
    state.last_frame = frames[-1]
    rms = math.sqrt(float(np.square(np.diff(seen, axis=0)).mean()))
    share = 1.0 - math.exp(-len(frames) / MOTION_FRAMES)
    state.motion += share * (min(1.0, rms / FULL_MOTION) - state.motion)
    return state.motion


def consistent_steps(
    schedule: Schedule, noise: float, own_steps: tuple[float, ...], count: int
) -> tuple[float, tuple[float, ...]]:
    """Sigma and `count` timesteps: the table's entry nearest to the noise, then the last of the model's own below it.

    Fewer where fewer are below; none, and sigma 0, where no noise is nearer than the least there is.
    """
    first = schedule.nearest(noise)
    sigma = schedule.sigma(first)
    if noise < sigma / 2:
        return 0.0, ()
    below = [step for step in own_steps if step < first]
    # the last ones: a step just below the first would begin anew, and the picture would jump as the noise is moved
    return sigma, (first, *below[max(0, len(below) - count + 1) :])


def upstream_steps(noise: float, count: int) -> tuple[float, ...]:
    """Timesteps as others take them: the first is told a hundred less than is mixed, the rest are not warped."""
    return float(max(0, int(1000 * noise) - UPSTREAM_STEP_BACK)), *map(float, PUBLISHED_STEPS[1:count])
