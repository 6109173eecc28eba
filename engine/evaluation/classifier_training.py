"""Stage `classifier`: the network that judges what a model has learnt, on clips in palettes no model is trained with.

Its own seed, its own palettes, blurred and noisy pictures; families blended with soft labels. Never a reward.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from engine.evaluation.classifier import LOOKED_AT, SIZE, FamilyClassifier, write_classifier
from engine.training.clips.drawing import draw_plan
from engine.training.clips.families import FAMILIES
from engine.training.clips.palettes import EXAM_PALETTES, PALETTES, Stops
from engine.training.clips.spec import PLAIN, ClipPlan, Variety, random_plan, random_spec
from engine.training.objective import Draw, MicroLoss, Objective
from engine.training.stage import Stage
from engine.training.trainer.settings import OptimiserSettings, TrainerSettings

LATEST_FRAME = 900  # clips are looked at anywhere in their first minute
FAMILY_INDEX = {name: index for index, name in enumerate(FAMILIES)}
PALETTE_INDEX = {name: index for index, name in enumerate(PALETTES)}
EXAM_SEED, TRAINING_SEED = 70_001, 80_000_001
NO_SWITCH = Variety(switch=0.0, blend=0.2)
EXAM_VARIETY = Variety(switch=0.0, blend=0.0)


@dataclass(frozen=True)
class ClassifierSettings:
    """Stage `classifier`: how pictures are spoilt before they are shown, and how long the exam is."""

    blur: float = 0.5  # share of the pictures that are softened
    noise: float = 0.03  # largest deviation of noise, 0..1
    light: float = 0.08  # largest change of brightness and of contrast
    hue: float = 0.05  # largest change of one stop of a palette, 0..1
    clips: int = 8000  # different ones that are trained on, 47 kB of memory each
    exam_clips: int = 1000

    def __post_init__(self) -> None:
        """Refuse shares and changes that leave no picture."""
        for name, value in (("blur", self.blur), ("noise", self.noise), ("light", self.light), ("hue", self.hue)):
            if not 0.0 <= value <= 1.0:
                raise ValueError(f"{name} = {value:g} must lie in 0..1")
        for name, count in (("clips", self.clips), ("exam_clips", self.exam_clips)):
            if count < 1:
                raise ValueError(f"{name} = {count} must be at least 1")


@dataclass(frozen=True)
class Labels:
    """Shares of the classes, (B, families) and (B, palettes); rows sum to one."""

    families: Tensor
    palettes: Tensor


def draw_windows(plans: list[ClipPlan], firsts: list[int], palettes: dict[str, Stops], *, doubled: bool) -> Tensor:
    """Draw what the network looks at, at its size or, better, at twice that: (B, 9, 54, 96) in 0..1."""
    height, width = (2 * SIZE[0], 2 * SIZE[1]) if doubled else SIZE
    rows = [
        torch.cat([draw_plan(plan, (height, width), first + offset, 1, palettes) for offset in LOOKED_AT], 1)
        for plan, first in zip(plans, firsts, strict=True)
    ]
    clips = torch.cat(rows) * 0.5 + 0.5
    return functional.avg_pool2d(clips, 2) if doubled else clips


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Drawing is many small operations, in which threads wait for one another longer than they compute."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def labels_of(plans: list[ClipPlan]) -> Labels:
    """What the plans show, blends by their shares."""
    families = torch.zeros(len(plans), len(FAMILIES))
    palettes = torch.zeros(len(plans), len(PALETTES))
    for row, plan in enumerate(plans):
        share = plan.share if plan.second is not None else 0.0
        for spec, part in ((plan.first, 1.0 - share), (plan.second, share)):
            if spec is not None:
                families[row, FAMILY_INDEX[spec.family]] += part
                palettes[row, PALETTE_INDEX[spec.palette]] += part
    return Labels(families, palettes)


@dataclass
class ClassifierObjective:
    """Cross-entropy of both answers, on clips drawn once and spoilt anew each time."""

    settings: ClassifierSettings
    trained: Mapping[str, nn.Module] = field(default_factory=lambda: {"classifier": FamilyClassifier()})
    frozen: Mapping[str, nn.Module] = field(default_factory=dict)
    _drawn: dict[int, tuple[ClipPlan, Tensor]] = field(default_factory=dict)

    def parts(self, step: int) -> tuple[str, ...]:
        """The network alone."""
        return ("classifier",)

    def loss(self, part: str, step: int, draw: Draw) -> MicroLoss:
        """Take clips, spoil them and ask for family and palette."""
        numbers = torch.randint(self.settings.clips, (draw.samples,), generator=draw.own).tolist()
        plans, pictures = zip(*(self._clip(number) for number in numbers), strict=True)
        labels = labels_of(list(plans))
        net = self.trained["classifier"]
        device = next(net.parameters()).device
        families, colours = net(self._spoil(torch.cat(pictures).float() / 255.0, draw.own).to(device))
        family_loss = functional.cross_entropy(families, labels.families.to(device), reduction="sum")
        palette_loss = functional.cross_entropy(colours, labels.palettes.to(device), reduction="sum")
        figures = {
            "family_loss": family_loss.item() / len(plans),
            "palette_loss": palette_loss.item() / len(plans),
            "family_accuracy": _agreement(families.cpu(), labels.families),
            "palette_accuracy": _agreement(colours.cpu(), labels.palettes),
        }
        return MicroLoss(family_loss + palette_loss, float(len(plans)), figures)

    def _clip(self, number: int) -> tuple[ClipPlan, Tensor]:
        """Clip `number` of those trained on, the same whenever it is drawn: (1, 9, 54, 96) uint8."""
        if number not in self._drawn:
            generator = torch.Generator().manual_seed(TRAINING_SEED + number)
            plan = random_plan(generator, NO_SWITCH)
            first = int(torch.randint(LATEST_FRAME, (), generator=generator))
            palettes = self._bent_palettes(generator)
            with _one_thread():
                window = draw_windows([plan], [first], palettes, doubled=number % 2 == 0)
            self._drawn[number] = plan, (window * 255.0).round().byte()
        return self._drawn[number]

    def _bent_palettes(self, generator: torch.Generator) -> dict[str, Stops]:
        """The exam's palettes, each stop a little off, so that names stand for more than one choice of colours."""
        bend = (torch.rand(4, 3, generator=generator) * 2.0 - 1.0) * self.settings.hue * 255.0
        bent = {}
        for name, stops in EXAM_PALETTES.items():
            values = (torch.tensor(stops) + bend).clamp(0.0, 255.0).round().int().tolist()
            bent[name] = tuple(tuple(stop) for stop in values)
        return bent

    def _spoil(self, pictures: Tensor, generator: torch.Generator) -> Tensor:
        """Mirror, soften, lighten and add noise, as models do."""
        draws = torch.rand(len(pictures), 5, generator=generator)[:, :, None, None, None]
        pictures = torch.where(draws[:, 4] < 0.5, pictures.flip(3), pictures)
        soft = functional.avg_pool2d(pictures, 3, 1, 1, count_include_pad=False)
        pictures = torch.where(draws[:, 0] < self.settings.blur, soft, pictures)
        light, gain = ((draws[:, index] * 2.0 - 1.0) * self.settings.light for index in (1, 2))
        pictures = (pictures - 0.5) * (1.0 + gain) + 0.5 + light
        noise = torch.randn(pictures.shape, generator=generator) * draws[:, 3] * self.settings.noise
        return (pictures + noise).clamp(0.0, 1.0)


def _agreement(logits: Tensor, shares: Tensor) -> float:
    return float((logits.argmax(-1) == shares.argmax(-1)).float().mean())


@torch.inference_mode()
def examine(net: FamilyClassifier, clips: int, seed: int = EXAM_SEED) -> dict[str, float]:
    """Accuracies on clips it was not trained on, by single looks.

    Plain pictures, as models are asked for them, in the exam's palettes and in those that models are trained with;
    and pictures with every camera, finish, ground and event there is, in the exam's.
    """
    net.eval()
    generator = torch.Generator().manual_seed(seed)
    results: dict[str, float] = {"clips": float(clips)}
    exams = {"held_out": (EXAM_PALETTES, PLAIN), "models_palettes": (PALETTES, PLAIN)}
    for name, (palettes, variety) in (exams | {"varied": (EXAM_PALETTES, EXAM_VARIETY)}).items():
        hits = torch.zeros(2)
        for start in range(0, clips, 50):
            plans = [ClipPlan(random_spec(generator, variety)) for _ in range(min(50, clips - start))]
            firsts = torch.randint(LATEST_FRAME, (len(plans),), generator=generator).tolist()
            with _one_thread():
                windows = draw_windows(plans, firsts, palettes, doubled=True)
            families, colours = net(windows)
            labels = labels_of(plans)
            hits[0] += _agreement(families, labels.families) * len(plans)
            hits[1] += _agreement(colours, labels.palettes) * len(plans)
        results[f"{name}_family"], results[f"{name}_palette"] = ((hits / clips).mul(1e4).round() / 1e4).tolist()
    return results


def _export(objective: Objective, weights: Mapping[str, Mapping[str, Tensor]], folder: Path) -> None:
    net = FamilyClassifier()
    net.load_state_dict(dict(weights["classifier"]))
    clips = objective.settings.exam_clips if isinstance(objective, ClassifierObjective) else 1
    write_classifier(folder / "classifier.safetensors", net.state_dict(), examine(net, clips))


def build(settings: ClassifierSettings, folder: Path) -> ClassifierObjective:
    """Make the objective; nothing is read."""
    torch.manual_seed(EXAM_SEED)
    return ClassifierObjective(settings)


STAGE = Stage(
    ClassifierSettings,
    build,
    trainer=TrainerSettings(
        steps=2600,
        batch=48,
        micro_batch=48,
        seed=TRAINING_SEED,
        clip_norm=1.0,
        warm_up_steps=50,
        hold=0.5,
        rate_floor=0.02,
        ema=0.995,
        dtype="float32",
        save_every_steps=1000,
        report_every_steps=20,
    ),
    optimisers={"classifier": OptimiserSettings(rate=0.002, beta1=0.9, beta2=0.99)},
    export=_export,
)
