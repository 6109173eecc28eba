"""Noise by counter: the same on every device, chunk size and thread count, so that a seed repeats on stage."""

from __future__ import annotations

import math
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.params import ChunkParams
from engine.reward_forcing.noise_order import PublishedNoise


def latent_frame_noise(seed: int, latent_frame: int, step: int, shape: tuple[int, ...]) -> np.ndarray:
    """N(0, 1) float32 of `shape` (C, H, W) for one latent frame since the last hard cut and one denoising step.

    Philox keyed by the seed; frame and step stand in the high words of its counter, so that draws never overlap.
    """
    bits = np.random.Philox(key=seed, counter=[0, 0, step, latent_frame])
    return np.random.Generator(bits).standard_normal(shape, dtype=np.float32)


def morph_noise(first: Tensor, second: Tensor, share: float) -> Tensor:
    """cos(share pi / 2) first + sin(share pi / 2) second: N(0, 1) all the way for independent N(0, 1)."""
    if share <= 0.0:
        return first
    return math.cos(share * math.pi / 2) * first + math.sin(share * math.pi / 2) * second


@dataclass(frozen=True)
class _Request:
    seed: int
    first_frame: int
    frames: int
    steps: int


class NoiseSource:
    """Makes a chunk's noise on the CPU, one chunk ahead on a thread of its own. Used by the generator's thread only."""

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self._shape = shape  # (C, H, W) of a latent frame
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="noise")
        self._ahead: tuple[_Request, Future[np.ndarray]] | None = None

    def take(self, seed: int, first_frame: int, frames: int, steps: int) -> list[Tensor]:
        """Noise of a chunk: `steps` tensors (1, F, C, H, W) float32, one to start from, the others to re-noise with.

        The next chunk's noise is begun at once; it is thrown away if the next request is another.
        """
        request = _Request(seed, first_frame, frames, steps)
        made = self._ahead[1].result() if self._ahead and self._ahead[0] == request else self._make(request)
        follower = _Request(seed, first_frame + frames, frames, steps)
        self._ahead = (follower, self._pool.submit(self._make, follower))
        return [torch.from_numpy(made[step])[None] for step in range(steps)]

    def close(self) -> None:
        """End the thread."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _make(self, request: _Request) -> np.ndarray:
        frames = range(request.first_frame, request.first_frame + request.frames)
        return np.stack(
            [
                np.stack([latent_frame_noise(request.seed, frame, step, self._shape) for frame in frames])
                for step in range(request.steps)
            ]
        )  # (steps, F, C, H, W)


class ChunkNoise:
    """The noise a chunk is made of, on the device: of one seed, on the way to a second one, or in the published order.

    Used by the generator's thread only.
    """

    def __init__(self, shape: tuple[int, int, int], device: torch.device, dtype: torch.dtype) -> None:
        self._shape, self._device, self._dtype = shape, device, dtype
        self._first = NoiseSource(shape)
        self._second = NoiseSource(shape)  # what the seed is morphed towards; idle until then
        self._published: PublishedNoise | None = None  # instead of both, where a clip is to be compared

    def follow(self, published: PublishedNoise, chunk_frames: int) -> None:
        """Take all later noise from there."""
        published.attach(self._device, self._shape, chunk_frames)
        self._published = published

    def take(self, params: ChunkParams, first_frame: int, frames: int, steps: int) -> list[Tensor]:
        """`steps` tensors (1, F, C, h, w): one to start from, the others to re-noise with."""
        if self._published is not None:
            return [noise.to(self._dtype) for noise in self._published.take(frames, steps)]
        noises = self._first.take(params.seed, first_frame, frames, steps)
        if params.seed_morph > 0.0:
            towards = self._second.take(params.second_seed, first_frame, frames, steps)
            pairs = zip(noises, towards, strict=True)
            noises = [morph_noise(first, second, params.seed_morph) for first, second in pairs]
        return [self._placed(noise) for noise in noises]

    def _placed(self, noise: Tensor) -> Tensor:
        if self._device.type != "cuda":
            return noise.to(self._device, self._dtype)
        # from page-locked memory, and rounded on the device: nothing waits for the copy
        return noise.pin_memory().to(self._device, non_blocking=True).to(self._dtype)

    def close(self) -> None:
        """End the threads."""
        self._first.close()
        self._second.close()
