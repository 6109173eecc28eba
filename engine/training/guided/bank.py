"""Stage `vace-bank`: drawn clips with what guides them, as latents on disk, so that `vace` never touches pixels.

A clip has three views: its edges, another control, a mask; and one frame as a reference. Knows nothing of captions.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine.loading import load_decoder
from engine.training.bank import fill_bank
from engine.training.clips.spec import ClipPlan, plan_from
from engine.training.guided.sources import Known, draw_source
from engine.training.guided.views import View, edges_view, masked_view, other_view
from engine.training.objectives.models import model_preset
from engine.training.run_folder import RunFolder
from engine.training.stage import Job
from engine.vace.mask import stream_places
from engine.vae.latents import StreamingEncoder, frame_count

VIEWS = (edges_view, other_view, masked_view)


@dataclass(frozen=True)
class VaceBankSettings:
    """Stage `vace-bank`."""

    name: str = "vace-bank"  # of the folder
    model: str = "ember"  # whose autoencoder encodes
    clips: int = 1800
    width: int = 160
    height: int = 96
    families: tuple[str, ...] = ()  # the model was trained on; empty = all there are
    palettes: tuple[str, ...] = ()  # likewise
    variety: float = 0.0  # times how often a picture is anything but plain
    latent_frames: int = 10  # of each clip, from its beginning
    shard_clips: int = 100
    seed: int = 100  # of the first clip; the others follow
    workers: int = 2  # processes of one thread each


@dataclass(frozen=True)
class VaceBank:
    """N clips of F latent frames, V views each, latents float16."""

    target: Tensor  # (N, F, C, h, w)
    inactive: Tensor  # (N, V, F, C, h, w): what stays
    reactive: Tensor  # (N, V, F, C, h, w): what guides where it is made anew
    mask: Tensor  # (N, V, F, H, W / 8) uint8, eight pixels a byte; 1 = made anew
    reference: Tensor  # (N, C, h, w): one frame by itself
    plans: tuple[ClipPlan, ...]

    def __len__(self) -> int:
        return len(self.plans)

    def masks(self, clips: Tensor, views: Tensor) -> Tensor:
        """Masks (B, F, H, W) float32 of these clips in these views."""
        packed = self.mask[clips, views].numpy()
        return torch.from_numpy(np.unpackbits(packed, axis=-1)).float()


def write_bank(settings: VaceBankSettings, folder: Path) -> None:
    """Fill a folder of its own in `folder` with shards, skipping those already there."""
    fill_bank(settings, folder, write_shard)


def write_shard(settings: VaceBankSettings, folder: Path, shard: int) -> None:
    """Draw, encode and write one shard, unless it is there."""
    path = folder / settings.name / f"{shard:04d}.pt"
    if path.exists():
        return
    torch.set_num_threads(1)
    encoder = load_decoder(model_preset(settings.model).decoder, torch.device("cpu"), torch.float32)
    first = shard * settings.shard_clips
    count = min(settings.shard_clips, settings.clips - first)
    frames = frame_count(settings.latent_frames, is_start=True)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        grey = encoder.encode(torch.zeros(1, frames, 3, settings.height, settings.width), None)[0][0].half()
    clips = [_clip(settings, encoder, grey, settings.seed + first + number) for number in range(count)]
    columns = {name: torch.stack([clip[name] for clip in clips]) for name in clips[0] if name != "plan"}
    partial = path.with_suffix(".partial")
    torch.save({**columns, "plans": [clip["plan"] for clip in clips]}, partial)
    partial.replace(path)
    RunFolder(folder / settings.name, "vace-bank").report(shard=shard, clips=count)


def _clip(settings: VaceBankSettings, encoder: StreamingEncoder, grey: Tensor, seed: int) -> dict:
    rng = np.random.default_rng((seed, 1))
    count = frame_count(settings.latent_frames, is_start=True)
    known = Known(settings.families, settings.palettes, settings.variety)
    source = draw_source(seed, (settings.height, settings.width), count, known)
    pixels = source.frames.permute(0, 2, 3, 1).add(1.0).mul(127.5).round().clamp(0, 255).to(torch.uint8).numpy()
    views = [make(pixels, rng) for make in VIEWS]
    reference = source.frames[int(rng.integers(count))]
    masked = [view for view in views if not view.mask.all()]
    spans = [source.frames, *(_reactive(view) for view in views), *(_inactive(view, source.frames) for view in masked)]
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        z = encoder.encode(torch.stack(spans), None)[0].half()
        still = encoder.encode(reference[None, None], None)[0][0, 0].half()
    kept = iter(z[1 + len(views) :])
    inactive = torch.stack([grey if view.mask.all() else next(kept) for view in views])
    masks = np.stack([view.mask[stream_places(count, is_start=True)] for view in views])
    return {
        "target": z[0],
        "inactive": inactive,
        "reactive": z[1 : 1 + len(views)],
        "mask": torch.from_numpy(np.packbits(masks, axis=-1)),
        "reference": still,
        "plan": source.plan.flat(),
    }


def _inactive(view: View, frames: Tensor) -> Tensor:
    """Frames with grey where they are made anew."""
    return frames * torch.from_numpy(~view.mask)[:, None]


def _reactive(view: View) -> Tensor:
    """The control with grey where the frames stay."""
    mask = torch.from_numpy(view.mask)[:, None]
    if view.control is None:
        return torch.zeros(1, 3, 1, 1) * mask
    return (torch.from_numpy(view.control).permute(0, 3, 1, 2).float() / 127.5 - 1.0) * mask


def read_vace_bank(folder: Path) -> VaceBank:
    """Read every whole shard of a bank; raise ValueError if there is none."""
    shards = [torch.load(path, weights_only=True) for path in sorted(folder.glob("*.pt"))]
    if not shards:
        raise ValueError(f"{folder}: holds no guided clips; make them with `vj train vace-bank`")
    names = ("target", "inactive", "reactive", "mask", "reference")
    plans = tuple(plan_from(values) for shard in shards for values in shard["plans"])
    return VaceBank(*(torch.cat([shard[name] for shard in shards]) for name in names), plans)


STAGE = Job(VaceBankSettings, write_bank)
