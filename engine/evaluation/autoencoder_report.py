"""How well an autoencoder gives back drawn clips it was not trained on, by family, sparse light apart."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from engine.evaluation.video_report import Figures
from engine.loading import load_decoder
from engine.model_presets import ModelPreset
from engine.training.clips.drawing import draw_clip
from engine.training.clips.families import FAMILIES
from engine.training.clips.palettes import PALETTES
from engine.training.clips.spec import CONTENT_RATE_HZ, SPEEDS, ClipSpec

HELD_OUT_SEED = 71_003  # of no training stage
FRAMES = 33  # nine latent frames
BEGINS_S = (0.0, 3.0, 11.0)
SPARSE = "particles"
BRIGHTEST = 0.001  # share of a frame's pixels whose mean brightness is its peak


def autoencoder_report(
    preset: ModelPreset, size: tuple[int, int], clips: int, advance: Callable[[int], None]
) -> Figures:
    """PSNR in dB of `clips` clips of each family at (width, height), first frame included, and the light of sparks.

    Raises CheckpointError for a file that does not fit.
    """
    model = load_decoder(preset.decoder, torch.device("cpu"), torch.float32)
    rows: dict[str, float] = {}
    peaks: list[float] = []
    for index, family in enumerate(FAMILIES):
        errors = []
        for number in range(clips):
            wanted = _clip(family, index * clips + number, size)
            with torch.inference_mode():
                latents, _ = model.encode(wanted[None] * 2.0 - 1.0)
                made = (model.decode(latents)[0][0].float() * 0.5 + 0.5).clamp(0.0, 1.0)
            errors.append(psnr(made, wanted))
            if family == SPARSE:
                peaks.append(float((peak(made) / peak(wanted).clamp(min=1e-3)).mean()))
            advance(1)
        rows[family] = sum(errors) / len(errors)
    worst = min(rows, key=lambda name: rows[name])
    return {
        "mean_psnr_db": sum(rows.values()) / len(rows),
        "worst_psnr_db": rows[worst],
        "worst_family": worst,
        "particles_peak_share": sum(peaks) / len(peaks),
        "families": rows,
    }


def _clip(family: str, number: int, size: tuple[int, int]) -> Tensor:
    """Draw a clip in 0..1, (33, 3, H, W); palettes and speeds take turns."""
    palette, speed = list(PALETTES)[number * 5 % len(PALETTES)], list(SPEEDS)[number % len(SPEEDS)]
    first = int(BEGINS_S[number % len(BEGINS_S)] * CONTENT_RATE_HZ)
    width, height = size
    spec = ClipSpec(family, palette, speed, HELD_OUT_SEED + number)
    return draw_clip(spec, height, width, first, FRAMES) * 0.5 + 0.5


def psnr(made: Tensor, wanted: Tensor) -> float:
    """Peak signal-to-noise ratio in dB of values in 0..1."""
    return float(-10.0 * torch.log10(functional.mse_loss(made, wanted).clamp(min=1e-10)))


def peak(frames: Tensor) -> Tensor:
    """Mean brightness (the strongest channel) of the brightest 0.1 % of each frame's pixels: (T,) of (T, 3, H, W)."""
    light = frames.amax(dim=1).flatten(1)
    return light.topk(max(1, round(light.shape[1] * BRIGHTEST)), dim=1).values.mean(dim=1)
