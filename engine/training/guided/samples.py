"""Training samples with a guide: windows of a bank's clips, each in one of its views. Knows nothing of the model."""

from __future__ import annotations

import random
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from engine.training.captions.grammar import empty_caption
from engine.training.clips.spec import ClipPlan
from engine.training.guided.bank import VaceBank
from engine.training.samples import Prompt, describe
from engine.vace.context import join
from engine.vace.mask import MASK_CHANNELS, pack

GAP_SHARE = 0.25  # of the samples: latent frames are missing between sink and window, as later in a stream


@dataclass(frozen=True)
class GuideShares:
    """Of the samples, 0..1. Views are edges, another control, a mask; they are weighed against each other."""

    views: tuple[float, ...] = (0.5, 0.3, 0.2)
    unguided: float = 0.05  # a context that says nothing
    cut: float = 0.12  # the history of another clip
    filler: float = 0.07  # a caption that says nothing


@dataclass(frozen=True)
class GuidedSamples:
    """A batch: target and context (B, W, .., h, w), a reference's context (B, 1, 96, h, w), history (B, H, C, h, w)."""

    target: Tensor
    history: Tensor
    context: Tensor
    reference: Tensor
    prompts: list[Prompt]


def draw_guided(
    bank: VaceBank,
    shares: GuideShares,
    batch: int,
    frames: tuple[int, int, int],
    dice: random.Random,
    captions: int = 0,
) -> GuidedSamples:
    """Draw `batch` samples; `frames` are the latent frames of window, history and sink.

    With `captions` a clip has so many texts; 0 = a new one every time.
    """
    window, history, sink = frames
    clips = torch.tensor([dice.randrange(len(bank)) for _ in range(batch)])
    views = torch.tensor(dice.choices(range(len(shares.views)), shares.views, k=batch))
    places = torch.tensor([_places(bank.target.shape[1], window, sink, dice) for _ in range(batch)])
    rows = torch.arange(batch)[:, None]

    def taken(frames_of_all: Tensor) -> Tensor:
        return frames_of_all[rows, places].float()

    target, inactive, reactive = (
        taken(x) for x in (bank.target[clips], bank.inactive[clips, views], bank.reactive[clips, views])
    )
    mask = taken(bank.masks(clips, views))
    silent = torch.tensor([dice.random() < shares.unguided for _ in range(batch)])
    grey = taken(bank.inactive[clips, 0])  # nothing stays in the first view: what grey looks like
    inactive, reactive = (torch.where(_wide(silent), grey, x) for x in (inactive, reactive))
    mask = torch.where(silent[:, None, None, None], torch.ones(()), mask)
    past = target[:, :history].clone()
    for row in range(batch):
        if dice.random() < shares.cut:
            past[row] = target[(row + 1) % batch, :history]
    return GuidedSamples(
        target,
        past,
        join(inactive, reactive, pack(mask), []),
        _reference_context(bank.reference[clips].float()[:, None]),
        [prompt_of(bank, int(clip), shares.filler, dice, captions) for clip in clips],
    )


def prompt_of(bank: VaceBank, clip: int, filler: float, dice: random.Random, captions: int) -> Prompt:
    """What a sample of this clip is asked with; `filler` is how often that says nothing."""
    if captions:
        return caption_of(bank.plans[clip], clip, dice.randrange(captions))
    return Prompt(empty_caption(dice).text) if dice.random() < filler else describe(bank.plans[clip], dice)


def caption_of(plan: ClipPlan, clip: int, number: int) -> Prompt:
    """One of a clip's own texts, always the same by its number."""
    return describe(plan, random.Random(f"{clip} {number}"))


def _reference_context(latents: Tensor) -> Tensor:
    """Latents (B, 1, C, h, w) as references stand in a context, (B, 1, 96, h, w): zeros for everything else."""
    return functional.pad(latents, (0, 0, 0, 0, 0, latents.shape[2] + MASK_CHANNELS))


def _places(count: int, window: int, sink: int, dice: random.Random) -> list[int]:
    later = 0
    if count > window and dice.random() < GAP_SHARE:
        later = dice.randint(1, count - window)
    return [*range(sink), *range(sink + later, window + later)]


def _wide(rows: Tensor) -> Tensor:
    return rows[:, None, None, None, None]
