"""Training samples of the transformer: windows of a bank's clips, with gaps, foreign histories and captions.

Knows nothing of the model.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.model.config import ModelConfig
from engine.text.prompts import blend
from engine.training.bank import Bank
from engine.training.captions.grammar import caption, empty_caption
from engine.training.clips.spec import ClipPlan
from engine.vae.latents import FRAMES_PER_LATENT

NEAR_GAPS = (1, 3)  # latent frames missing between sink and window, as after the first chunks have left
NEAR_SHARE, FAR_SHARE = 0.2, 0.35  # of the samples; the rest is the beginning of a stream
SINK_CUT_SHARE = 0.1  # of the samples: only the sink is another clip's, as long after a prompt has changed


@dataclass(frozen=True)
class Prompt:
    """What a sample is asked with: one text, or two blended by `share` of the second, as two pads on stage are."""

    text: str
    second: str = ""
    share: float = 0.0


@dataclass(frozen=True)
class SampleShares:
    """Of the samples, 0..1: the history of another clip; a caption that says nothing."""

    cut_share: float = 0.12
    filler_share: float = 0.07


@dataclass(frozen=True)
class Samples:
    """A batch: `history` (B, 6.., C, h, w) is what is looked back at, `target` (B, 9, C, h, w) what is made.

    `counts` (B, 9) is 1 where a target frame can be told from its history, else 0.
    """

    history: Tensor
    target: Tensor
    counts: Tensor
    prompts: list[Prompt]


def encode_prompts(embed: Callable[[list[str]], Tensor], prompts: Sequence[Prompt], mode: str = "linear") -> Tensor:
    """Encode prompts to (B, text_len, text_dim), blended in a mode of `engine.text.prompts.BLENDS`."""
    rows = embed([prompt.text for prompt in prompts])
    blended = [row for row, prompt in enumerate(prompts) if prompt.share > 0.0]
    if not blended:
        return rows
    seconds = embed([prompts[row].second for row in blended])
    mixed = [
        blend((rows[row], second), (1.0 - prompts[row].share, prompts[row].share), mode)
        for row, second in zip(blended, seconds, strict=True)
    ]
    return rows.index_copy(0, torch.tensor(blended), torch.stack(mixed))


def _window(bank: Bank, index: int, sink: int, window: int, dice: random.Random) -> tuple[Tensor, int]:
    """Return one window (F, C, h, w) and how many latent frames at its start are followed by a gap (0 = none)."""
    start = bank.start[index].float()  # autocast joins no float16 on CPUs
    if bank.plans[index].switch_frame:  # the whole of it, or it is no switch
        return start[:window], 0
    kind = dice.random()
    if kind < NEAR_SHARE:
        later = sink + dice.randint(*NEAR_GAPS)
        return torch.cat((start[:sink], start[later : later + window - sink])), sink
    if kind < NEAR_SHARE + FAR_SHARE:
        return torch.cat((start[:sink], bank.far[index].float())), sink
    return start[:window], 0


def describe(plan: ClipPlan, dice: random.Random) -> Prompt:
    """Describe a clip; of a switch, what it switches to."""
    if plan.second is None:
        return Prompt(caption(plan.first, dice).text)
    if plan.switch_frame:
        return Prompt(caption(plan.second, dice).text)
    return Prompt(caption(plan.first, dice).text, caption(plan.second, dice).text, plan.share)


def draw_samples(
    bank: Bank, shares: SampleShares, batch: int, config: ModelConfig, chunk_frames: int, dice: random.Random
) -> Samples:
    """Draw `batch` samples for chunks of `chunk_frames`."""
    sink, window = config.sink_frames, config.window_frames
    chosen = [dice.randrange(len(bank)) for _ in range(batch)]
    drawn = [_window(bank, index, sink, window, dice) for index in chosen]
    target = torch.stack([frames for frames, _ in drawn])
    counts = torch.ones(len(chosen), window)
    for row, (_, gap) in enumerate(drawn):
        if gap:  # what follows a gap cannot be told from the sink alone
            counts[row, gap : gap + chunk_frames] = 0.0
    history = target[:, : window - chunk_frames].clone()
    prompts = []
    for row, index in enumerate(chosen):
        plan = bank.plans[index]
        says_nothing = dice.random() < shares.filler_share and not plan.switch_frame
        prompts.append(Prompt(empty_caption(dice).text) if says_nothing else describe(plan, dice))
        if plan.switch_frame:  # the text is the second picture's; what is before it counts for nothing
            counts[row, : 1 + (plan.switch_frame - 1) // FRAMES_PER_LATENT] = 0.0
            continue
        if says_nothing:  # go on with what is there; a first chunk of nothing in particular cannot be told
            counts[row, :chunk_frames] = 0.0
            continue
        foreign = (row + 1) % len(chosen)
        kind = dice.random()
        if kind < shares.cut_share:
            history[row] = target[foreign, : window - chunk_frames]
            counts[row] = 1.0  # a new beginning everywhere, after a gap too
        elif kind < shares.cut_share + SINK_CUT_SHARE:
            history[row, :sink] = target[foreign, :sink]
    return Samples(history, target, counts, prompts)
