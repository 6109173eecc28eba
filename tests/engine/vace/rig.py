"""What the tests of guidance stand on: numbered frames as inputs, encoders that tell what they were shown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine.model.config import ModelConfig
from engine.params import ChunkParams
from engine.vace.guidance import VaceGuidance
from engine.vace.references import ReferenceBook
from engine.vae.latents import FRAMES_PER_LATENT, LATENT_CHANNELS, frame_count
from engine.video_in.given import ChunkInputs, GivenFrames, VideoInput

CPU = torch.device("cpu")
WIDTH, HEIGHT = 32, 16
LATENT_SIZE = (HEIGHT // 8, WIDTH // 8)
GUIDED = ModelConfig(
    dim=48, ffn_dim=64, num_heads=4, num_layers=2, freq_dim=16, text_dim=8, text_len=4, vace_layers=(0, 1)
)


def numbered(first: int, count: int) -> np.ndarray:
    """Frames (T, H, W, 4) uint8 that carry their numbers, from `first` on, in red and green."""
    frames = np.zeros((count, HEIGHT, WIDTH, 4), np.uint8)
    numbers = np.arange(first, first + count)
    frames[..., 0], frames[..., 1] = (numbers % 256)[:, None, None], (numbers // 256)[:, None, None]
    frames[..., 2], frames[..., 3] = 200, 255
    return frames


class NumberEncoder:
    """Latents hold the numbers of the four frames they stand for, and how many frames the encoder saw before."""

    def __init__(self) -> None:
        self.frames = 0  # encoded so far, by all streams

    def encode(self, frames: Tensor, state: int | None) -> tuple[Tensor, int]:
        """As `StreamingEncoder.encode`; mid grey is number -1."""
        count = frames.shape[1]
        self.frames += count
        first = 1 if state is None else 0
        assert count >= 1 and (count - first) % FRAMES_PER_LATENT == 0, (count, state)
        bytes_ = ((frames[0, :, :, 0, 0].double() + 1.0) * 127.5).round()
        numbers = torch.where(bytes_[:, 2] == 200, bytes_[:, 0] + 256 * bytes_[:, 1], -1.0)
        groups = [numbers[:1].repeat(FRAMES_PER_LATENT)] * first + list(numbers[first:].reshape(-1, FRAMES_PER_LATENT))
        latents = torch.zeros(1, len(groups), LATENT_CHANNELS, *LATENT_SIZE, dtype=frames.dtype)
        for place, group in enumerate(groups):
            latents[0, place, :FRAMES_PER_LATENT] = group.to(frames.dtype)[:, None, None]
        return latents, (state or 0) + count


class NumberedInput:
    """Gives the frames that follow those it gave last, as a camera does."""

    def __init__(self, first: int = 0) -> None:
        self.next = first
        self.strength: float | None = 1.0  # None = it has gone

    def take(self, frames: int, *, is_start: bool) -> GivenFrames | None:
        """As `VideoInput.take`."""
        given = GivenFrames(numbered(self.next, frames), (0,) * frames, self.strength or 0.0)
        self.next += frames
        return None if self.strength is None else given

    def beside(self) -> NumberedInput:
        """As `VideoInput.beside`."""
        return NumberedInput(self.next)


class PictureInput:
    """Gives one picture (H, W, 4) for ever."""

    def __init__(self, pixels: np.ndarray) -> None:
        self.pixels = pixels

    def take(self, frames: int, *, is_start: bool) -> GivenFrames:
        """As `VideoInput.take`."""
        return GivenFrames(np.repeat(self.pixels[None], frames, axis=0), (0,) * frames)

    def beside(self) -> PictureInput:
        """As `VideoInput.beside`."""
        return self


def guidance(encoder: object, book: ReferenceBook | None = None, config: ModelConfig = GUIDED) -> VaceGuidance:
    """A guidance for pictures of WIDTH x HEIGHT."""
    return VaceGuidance(
        config, encoder, book or ReferenceBook(), latent_size=LATENT_SIZE, device=CPU, dtype=torch.float32
    )


def inputs_of(latents: int, *, is_start: bool, **by_name: VideoInput) -> ChunkInputs:
    """Inputs of a chunk: `one`, `two`, `three` are inputs 1 to 3."""
    numbers = {number: by_name[name] for number, name in enumerate(("one", "two", "three"), start=1) if name in by_name}
    return ChunkInputs(numbers, frame_count(latents, is_start), is_start=is_start)


def params_of(**values: object) -> ChunkParams:
    """Parameters with VACE on and the control as it is; no control input unless asked for."""
    return ChunkParams(**{"vace_on": True, "vace_control": "none", "vace_input": 1} | values)


def with_references(*files: Path | str, roles: tuple[str, ...] = (), **values: object) -> ChunkParams:
    """The same with these pictures on the first pads, switched on."""
    pads = 4
    return params_of(
        reference_files=(*map(str, files), *[""] * (pads - len(files))),
        reference_switches=(*[True] * len(files), *[False] * (pads - len(files))),
        reference_roles=(*roles, *["reference"] * (pads - len(roles))),
        **values,
    )


def numbers_in(latents: Tensor) -> list[list[int]]:
    """Numbers of the frames each of latents (F, 16, h, w) stands for; -1 = mid grey."""
    return [[int(n) for n in latent[:FRAMES_PER_LATENT, 0, 0]] for latent in latents]
