"""Stage `bank`: drawn clips as latents on disk, so that the transformer's training never touches pixels.

A clip is its beginning, as a stream starts, and a span from much later; some are blends of two pictures or switch
from one to another. Knows nothing of captions.
"""

import multiprocessing
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from engine.ember.weights import read_autoencoder
from engine.training.clips.drawing import draw_plan
from engine.training.clips.spec import ClipPlan, Variety, plan_from, random_plan
from engine.training.config import BankSettings
from engine.training.run_folder import RunFolder
from engine.training.stage import Job
from engine.vae.latents import frame_count
from engine.vae.tiny_vae import TinyVae

WARM_UP_LATENT_FRAMES = 2  # encoded ahead of the later span and dropped: a stream's memory is not empty there
FAR_FRAMES = (100, 900)  # where the later span begins, in frames: 6 to 56 seconds


class Sharded(Protocol):
    """What the settings of every bank have."""

    name: str  # of the folder
    clips: int
    shard_clips: int
    workers: int


@dataclass(frozen=True)
class Bank:
    """Latents of N clips: `start` (N, F, C, h, w), `far` (N, G, C, h, w), both float16, and what they are."""

    start: Tensor
    far: Tensor
    plans: tuple[ClipPlan, ...]

    def __len__(self) -> int:
        return len(self.plans)


@torch.inference_mode()
def encode_clip(model: TinyVae, plan: ClipPlan, settings: BankSettings, far_from: int) -> tuple[Tensor, Tensor]:
    """Draw and encode both spans of one clip: (F, C, h, w) and (G, C, h, w)."""

    def span(first_frame: int, latent_frames: int) -> Tensor:
        size = (settings.height, settings.width)
        frames = draw_plan(plan, size, first_frame, frame_count(latent_frames, is_start=True))
        with torch.autocast("cpu", torch.bfloat16):
            return model.encode(frames[None])[0][0].half()

    far = span(far_from, settings.far_latent_frames + WARM_UP_LATENT_FRAMES)
    return span(0, settings.latent_frames), far[WARM_UP_LATENT_FRAMES:]


def write_bank(settings: BankSettings, folder: Path) -> None:
    """Fill a folder of its own in `folder` with shards, skipping those already there."""
    fill_bank(settings, folder, write_shard)


def fill_bank(settings: Sharded, folder: Path, write: Callable[[Any, Path, int], None]) -> None:
    """Have every shard of a bank written, `workers` at a time. `write` is a module's own function."""
    (folder / settings.name).mkdir(parents=True, exist_ok=True)
    shards = range(-(-settings.clips // settings.shard_clips))
    # processes of one thread each: drawing is many small operations, which threads would wait for one another in
    with multiprocessing.get_context("spawn").Pool(settings.workers) as pool:
        pool.starmap(write, [(settings, folder, shard) for shard in shards], chunksize=1)


def write_shard(settings: BankSettings, folder: Path, shard: int) -> None:
    """Draw, encode and write one shard, unless it is there."""
    path = folder / settings.name / f"{shard:04d}.pt"
    if path.exists():
        return
    torch.set_num_threads(1)
    model = read_autoencoder(folder)
    generator = torch.Generator().manual_seed(settings.seed * 100_003 + shard)
    count = min(settings.shard_clips, settings.clips - shard * settings.shard_clips)
    plans = [random_plan(generator, Variety().times(settings.variety)) for _ in range(count)]
    offsets = torch.randint(*FAR_FRAMES, (count,), generator=generator).tolist()
    spans = [encode_clip(model, plan, settings, far) for plan, far in zip(plans, offsets, strict=True)]
    start, far = (torch.stack(part) for part in zip(*spans, strict=True))
    partial = path.with_suffix(".partial")
    torch.save({"start": start, "far": far, "plans": [plan.flat() for plan in plans]}, partial)
    partial.replace(path)
    RunFolder(folder / settings.name, "bank").report(
        shard=shard, clips=count, mean=round(float(start.float().mean()), 3), std=_deviation(start)
    )


def _deviation(latents: Tensor) -> str:
    std = latents.float().std(dim=(0, 1, 3, 4))
    return f"{float(std.min()):.2f}..{float(std.max()):.2f}"


def read_bank(folder: Path) -> Bank:
    """Read every whole shard of a bank; raise ValueError if there is none."""
    shards = [torch.load(path, weights_only=True) for path in sorted(folder.glob("*.pt"))]
    if not shards:
        raise ValueError(f"{folder}: holds no bank of clips; make one with `vj train bank`")
    return Bank(
        torch.cat([shard["start"] for shard in shards]),
        torch.cat([shard["far"] for shard in shards]),
        tuple(plan_from(values) for shard in shards for values in shard["plans"]),
    )


STAGE = Job(BankSettings, write_bank)
