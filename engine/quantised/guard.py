"""What each switch for speed does to the latents: streams beside the exact one, made of the same noise.

Two comparisons at chosen chunks. Led: every chunk looks back at the exact stream's history, so the switch alone counts.
Free: the stream looks back at itself, and what is different grows as any stream's differences do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.acceleration import EXACT, Acceleration
from engine.caches.slot_cache import SlotCache
from engine.kernels.choice import Prepared, prepare_model
from engine.latent_anchor import LatentAnchor
from engine.loading import load_text_encoder, load_transformer
from engine.model.block import TextKeysValues
from engine.model_presets import ModelPreset
from engine.noise import latent_frame_noise
from engine.quantised.float8_cache import Float8SlotCache
from engine.sampler import clean_pass, denoise_chunk
from engine.schedule import Schedule
from engine.vae.latents import LATENT_STRIDE

MARKS = (1, 20, 200)  # chunks that are compared
LAST_CHUNKS = 20  # over which the picture's strength and movement are taken
Tell = Callable[[], None]  # a chunk is made


@dataclass(frozen=True)
class Latents:
    """A chunk (1, F, C, h, w), float32 on the CPU: as denoised, and as played, which is held to the colours."""

    denoised: Tensor
    played: Tensor


@dataclass(frozen=True)
class Scene:
    """What all streams are made of."""

    preset: ModelPreset
    prompt: str
    size: tuple[int, int]  # width, height in pixels
    device: torch.device
    dtype: torch.dtype
    seed: int = 0


class GuardStream:
    """One way to compute a stream's latents, with weights of its own; no pixels are made."""

    def __init__(self, scene: Scene, acceleration: Acceleration, seed: int | None = None) -> None:
        """`seed` differs from the scene's for the yardstick."""
        preset, self._seed = scene.preset, scene.seed if seed is None else seed
        self._model, _ = load_transformer(preset, scene.device, scene.dtype)
        latent_size = (scene.size[1] // LATENT_STRIDE, scene.size[0] // LATENT_STRIDE)
        self.prepared: Prepared = prepare_model(self._model, acceleration, latent_size)
        kind = Float8SlotCache if acceleration.attention == "fp8" else SlotCache
        self._cache = kind(self._model.config, *latent_size, device=scene.device, dtype=scene.dtype)
        self._shape = (self._model.config.in_dim, *latent_size)
        self._schedule = Schedule(preset.transformer.timestep_shift)
        steps = preset.stream.warped_steps or self._schedule.warp(preset.stream.steps)
        self._steps = steps if acceleration.steps is None else self._schedule.choose(steps, acceleration.steps)
        self._has_clean_pass = acceleration.clean_pass
        self._anchor = LatentAnchor(preset.stream.anchor)
        rows = load_text_encoder(preset, scene.device, scene.dtype).encode(scene.prompt)
        self._text: list[TextKeysValues] = self._model.encode_text(rows[None].to(scene.device, scene.dtype))
        self._made = 0

    @torch.inference_mode()
    def next_chunk(self, history: Latents | None = None, *, is_wanted: bool = True) -> Latents | None:
        """Make the next chunk. With `history`, the exact one, remember that instead of what was made.

        Such a chunk is not made at all where it is not wanted.
        """
        frames, weight = self._model.config.chunk_frames, first_weight(self._model)
        self._cache.begin_chunk(frames)
        made = None
        if is_wanted or history is None:
            x0, (first, *rest) = None, self._noise(frames)
            steps = (rest, self._steps, self._schedule)
            for step in denoise_chunk(self._model, self._cache, self._text, first, *steps):
                x0 = step.x0
            made = Latents(x0.float().cpu(), self._anchor.hold(x0, self._text).float().cpu())
        if self._has_clean_pass:
            remembered = (history or made).played.to(weight.device, weight.dtype)
            clean_pass(self._model, self._cache, self._text, remembered)
        self._made += 1
        return made

    def _noise(self, frames: int) -> list[Tensor]:
        weight = first_weight(self._model)
        start = self._made * frames
        return [
            torch.stack(
                [
                    torch.from_numpy(latent_frame_noise(self._seed, start + frame, step, self._shape))
                    for frame in range(frames)
                ]
            )[None].to(weight.device, weight.dtype)
            for step in range(len(self._steps))
        ]


def first_weight(model: torch.nn.Module) -> Tensor:
    """A weight that no switch narrows."""
    return model.patch_embedding.weight


def exact_chunks(scene: Scene, count: int, tell: Tell) -> list[Latents]:
    """The exact stream's chunks."""
    return list(_chunks(GuardStream(scene, EXACT), count, tell))


def compare(
    scene: Scene, acceleration: Acceleration, exact: Sequence[Latents], marks: Sequence[int], tell: Tell
) -> dict[str, object]:
    """Figures of one way beside the exact stream, by chunk (1 = the first); ready for JSON."""
    way = GuardStream(scene, acceleration)
    free = list(_chunks(way, len(exact), tell))
    figures: dict[str, object] = {
        "switches": list(acceleration.words),
        "notes": list(way.prepared.notes),
        "free": {str(mark): distance(free[mark - 1].played, exact[mark - 1].played) for mark in marks},
        "last_chunks": liveliness(free, exact),
    }
    if acceleration.clean_pass:  # without one there is no history to give it
        figures["led"] = _led(scene, acceleration, exact, marks, tell)
    return figures


def another_seed(scene: Scene, exact: Sequence[Latents], marks: Sequence[int], tell: Tell) -> dict[str, object]:
    """The yardstick: the exact path from other noise, as far off as two streams of a prompt can be."""
    other = list(_chunks(GuardStream(scene, EXACT, scene.seed + 1), len(exact), tell))
    return {
        "free": {str(mark): distance(other[mark - 1].played, exact[mark - 1].played) for mark in marks},
        "last_chunks": liveliness(other, exact),
    }


def distance(made: Tensor, exact: Tensor) -> dict[str, float | None]:
    """Relative error (of norms), and PSNR in dB against the exact latents' span; None where nothing differs."""
    difference = made.double() - exact.double()
    rmse = difference.square().mean().sqrt().item()
    span = (exact.max() - exact.min()).item()
    return {
        "relative_error": round((difference.norm() / exact.double().norm()).item(), 6),
        "psnr_db": round(20 * math.log10(span / rmse), 2) if rmse else None,
    }


def liveliness(made: Sequence[Latents], exact: Sequence[Latents]) -> dict[str, float]:
    """Spread and movement (from latent frame to frame) of the last chunks, in parts of the exact stream's."""
    mine, theirs = (torch.cat([chunk.played for chunk in chunks[-LAST_CHUNKS:]], dim=1) for chunks in (made, exact))
    return {
        "spread": round((mine.std() / theirs.std()).item(), 4),
        "movement": round((mine.diff(dim=1).abs().mean() / theirs.diff(dim=1).abs().mean()).item(), 4),
    }


def _led(
    scene: Scene, acceleration: Acceleration, exact: Sequence[Latents], marks: Sequence[int], tell: Tell
) -> dict[str, dict[str, float | None]]:
    way, figures = GuardStream(scene, acceleration), {}
    for number, history in enumerate(exact, start=1):
        made = way.next_chunk(history, is_wanted=number in marks)
        if number in marks:
            figures[str(number)] = distance(made.denoised, history.denoised)
        tell()
    return figures


def _chunks(stream: GuardStream, count: int, tell: Tell) -> Iterator[Latents]:
    for _ in range(count):
        yield stream.next_chunk()
        tell()
