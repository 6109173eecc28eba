"""Noise in the order in which the published program draws it, so that its clips can be compared frame by frame.

One generator, seeded once per run: per prompt the whole clip's first noise at once, all samples together, then chunk
by chunk what each step re-noises with. Numbers depend on the device; a seed repeats no other way than in this order.
"""

from __future__ import annotations

import torch
from torch import Tensor

PUBLISHED_DTYPE = torch.bfloat16  # it draws in the type it computes in


class PublishedNoise:
    """The noise of a run of clips of one length. Used by the generator's thread only.

    Samples of one prompt are slices of the same draws: they are rendered one after the other, each drawing all of them.
    """

    def __init__(self, seed: int, samples: int, latent_frames: int, given_frames: int = 0) -> None:
        """`latent_frames` are made per clip, after `given_frames` latent frames that are given."""
        self._seed = seed
        self._samples = samples
        self._needed = latent_frames
        self._given = given_frames
        self._generator: torch.Generator | None = None

    def attach(self, device: torch.device, shape: tuple[int, int, int], chunk_frames: int) -> None:
        """Before the first clip: the device to draw on, (C, h, w) of a latent frame, latent frames per chunk."""
        self._device, self._shape = device, shape
        chunks = -(-(self._given + self._needed) // chunk_frames)
        self._frames = chunks * chunk_frames - self._given
        self._generator = torch.Generator(device).manual_seed(self._seed)
        self._prompt_start = self._generator.get_state()

    @property
    def latent_frames(self) -> int:
        """Latent frames drawn per clip: whole chunks."""
        return self._frames

    def begin_clip(self, sample: int) -> None:
        """Draw the first noise of a clip; sample 0 begins the next prompt. Every clip before it must be drawn whole."""
        assert self._generator is not None, "attach first"
        if sample == 0:
            self._prompt_start = self._generator.get_state()
        else:
            self._generator.set_state(self._prompt_start)
        self._sample = sample
        self._first = self._draw(self._frames)
        self._taken = 0

    def take(self, frames: int, steps: int) -> list[Tensor]:
        """Noise of the next chunk: `steps` tensors (1, F, C, h, w), one to start from, the others to re-noise with."""
        start = self._first[:, self._taken : self._taken + frames]
        self._taken += frames
        if start.shape[1] < frames:
            raise ValueError(f"{self._taken} latent frames are asked for, noise was drawn for {self._frames}")
        return [start, *(self._draw(frames) for _ in range(steps - 1))]

    def _draw(self, frames: int) -> Tensor:
        """This sample's part (1, F, C, h, w) of what is drawn for all samples together."""
        shape = (self._samples, frames, *self._shape)
        drawn = torch.randn(shape, generator=self._generator, device=self._device, dtype=PUBLISHED_DTYPE)
        return drawn[self._sample : self._sample + 1]
