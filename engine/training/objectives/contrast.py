"""Stage `contrast`: the small text-frame model, on single frames of drawn clips and their captions.

Contrastive as CLIP (arXiv:2103.00020). Its file is the reward `contrast`; the classifier of `vj evaluate` is another.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.rewards.contrast import ContrastConfig, ContrastModel, write_contrast
from engine.training.captions.grammar import caption
from engine.training.clips.drawing import draw_clip
from engine.training.clips.spec import CLIP_FRAMES, ClipSpec, Variety, random_spec
from engine.training.objective import Draw, MicroLoss
from engine.training.stage import Stage, Weights
from engine.training.trainer.settings import OptimiserSettings, TrainerSettings

MOST_SCALE = 4.6052  # log 100, CLIP's bound
CALIBRATION_CLIPS = 192
CALIBRATION_SEED = 977  # far from any run's


@dataclass(frozen=True)
class ContrastSettings:
    """Settings of `contrast`: the model's sizes and the frames it sees."""

    width: int = 96
    height: int = 64
    widths: tuple[int, ...] = (24, 48, 96, 128)
    embedding: int = 96
    buckets: int = 8192
    text_width: int = 64
    text_len: int = 24
    seed: int = 11  # of the fresh weights

    def __post_init__(self) -> None:
        self.model()

    def model(self) -> ContrastConfig:
        """Sizes of the model. Raises ValueError for impossible ones."""
        sizes = (self.height, self.width, self.widths, self.embedding, self.buckets, self.text_width, self.text_len)
        return ContrastConfig(*sizes)


class ContrastObjective:
    """Frames towards their own captions and away from those of the others in the micro-batch."""

    def __init__(self, model: ContrastModel) -> None:
        self.trained: Mapping[str, nn.Module] = {"contrast": model}
        self.frozen: Mapping[str, nn.Module] = {}
        self.config = model.config

    def parts(self, step: int) -> tuple[str, ...]:
        """As `Objective.parts`."""
        return ("contrast",)

    def loss(self, part: str, step: int, draw: Draw) -> MicroLoss:
        """As `Objective.loss`; a micro-batch is what a frame is told apart from, so it should be large."""
        model = self.trained["contrast"]
        specs, pictures, captions = draw_pairs(draw.samples, self.config, draw.own, draw.dice)
        seen, read = model(pictures.to(next(model.parameters()).device), captions)
        logits = model.logit_scale.clamp(max=MOST_SCALE).exp() * (seen.float() @ read.float().t())
        losses = contrastive_losses(logits, are_alike(specs).to(logits.device))
        hits = (logits.detach().argmax(dim=1) == torch.arange(len(specs), device=logits.device)).float()
        return MicroLoss(losses.sum(), float(len(specs)), {"top1": float(hits.mean())})


def draw_pairs(
    count: int, config: ContrastConfig, generator: torch.Generator, dice: random.Random
) -> tuple[list[ClipSpec], Tensor, list[str]]:
    """Clips, one frame of each (N, 3, H, W) in 0..1, and a caption of each."""
    specs = [random_spec(generator, Variety()) for _ in range(count)]
    places = torch.randint(CLIP_FRAMES, (count,), generator=generator).tolist()
    size = (config.height, config.width)
    frames = [draw_clip(spec, *size, place, 1)[0] for spec, place in zip(specs, places, strict=True)]
    return specs, torch.stack(frames) * 0.5 + 0.5, [caption(spec, dice).text for spec in specs]


def are_alike(specs: list[ClipSpec]) -> Tensor:
    """Pairs (N, N) of different clips that one frame does not tell apart: same family and palette."""
    alike = [[i != j and (a.family, a.palette) == (b.family, b.palette) for j, b in enumerate(specs)]
             for i, a in enumerate(specs)]  # fmt: skip
    return torch.tensor(alike)


def contrastive_losses(logits: Tensor, alike: Tensor) -> Tensor:
    """Mean of both cross entropies per pair (N,); `alike` pairs are no negatives."""
    kept = logits.masked_fill(alike, float("-inf"))
    own = torch.arange(len(kept), device=kept.device)
    across = (functional.cross_entropy(x, own, reduction="none") for x in (kept, kept.t()))
    return 0.5 * sum(across)


@torch.no_grad()
def calibrate(model: ContrastModel) -> None:
    """Write down what clips with their own captions score, so that the reward is in deviations from that."""
    generator, dice = torch.Generator().manual_seed(CALIBRATION_SEED), random.Random(CALIBRATION_SEED)
    _, pictures, captions = draw_pairs(CALIBRATION_CLIPS, model.config, generator, dice)
    cosine = (model.look(pictures) * model.read(captions)).sum(dim=-1)
    model.middle.fill_(cosine.mean())
    model.spread.fill_(cosine.std().clamp(min=1e-3))


def export(objective: ContrastObjective, weights: Mapping[str, Weights], folder: Path) -> None:
    """As `Stage.export`: contrast.safetensors, calibrated."""
    model = ContrastModel(objective.config)
    model.load_state_dict(dict(weights["contrast"]))
    calibrate(model)
    write_contrast(model, folder)


def build(settings: ContrastSettings, folder: Path) -> ContrastObjective:
    """As `Stage.build`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        return ContrastObjective(ContrastModel(settings.model()))


STAGE = Stage(
    ContrastSettings,
    build,
    trainer=TrainerSettings(
        steps=4000, batch=64, micro_batch=64, clip_norm=1.0, ema=0.99, hold=0.5, warm_up_steps=50, dtype="float32",
        save_every_steps=500, report_every_steps=20, best="contrast.top1",
    ),
    optimisers={"contrast": OptimiserSettings(rate=2e-3, beta1=0.9, beta2=0.98, weight_decay=0.02)},
    export=export,
)  # fmt: skip
