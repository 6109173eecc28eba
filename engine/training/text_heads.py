"""Stage `text`: the n-gram encoder, pre-trained to tell family, palette and speed from captions.

The heads are training's own and are not shipped. Knows nothing of pixels.
"""

import random
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.ember.weights import read_text_encoder, write_text_encoder
from engine.text.ngram import NgramConfig, NgramEncoder
from engine.training.captions.grammar import Caption, caption
from engine.training.clips.families import FAMILIES
from engine.training.clips.palettes import PALETTES
from engine.training.clips.spec import SPEEDS, ClipSpec, Variety, random_spec
from engine.training.config import TextSettings
from engine.training.run_folder import RunFolder
from engine.training.stage import Job

CLASSES: dict[str, tuple[str, ...]] = {
    "family": tuple(FAMILIES),
    "palette": tuple(PALETTES),
    "speed": tuple(SPEEDS),
}
UNTOLD = -1
SHIPPED, FILE = Path(__file__).parents[1] / "ember", "text.safetensors"


class CaptionHeads(nn.Module):
    """One classifier per question; each looks for the words it needs by attention."""

    def __init__(self, text_dim: int) -> None:
        super().__init__()
        self.attention = nn.Linear(text_dim, len(CLASSES))
        self.classifiers = nn.ModuleList(nn.Linear(text_dim, len(names)) for names in CLASSES.values())

    def forward(self, rows: Tensor) -> list[Tensor]:
        """Classify prompts (B, text_len, text_dim); return logits (B, classes) in the order of CLASSES."""
        empty = rows.abs().sum(dim=-1, keepdim=True) == 0
        weights = self.attention(rows).masked_fill(empty, -30.0).softmax(dim=1)  # (B, text_len, 3)
        pooled = torch.einsum("blc,bld->cbd", weights, rows)
        return [head(x) for head, x in zip(self.classifiers, pooled, strict=True)]


def labels(spec: ClipSpec, text: Caption) -> tuple[int, int, int]:
    """Return the class numbers of a clip in the order of CLASSES, UNTOLD where the caption does not say."""
    told = (text.tells_family, text.tells_palette, text.tells_speed)
    names = (spec.family, spec.palette, spec.speed)
    pairs = zip(told, names, CLASSES.values(), strict=True)
    return tuple(known.index(name) if is_told else UNTOLD for is_told, name, known in pairs)


def _batch(size: int, generator: torch.Generator, dice: random.Random) -> tuple[list[str], Tensor]:
    specs = [random_spec(generator, Variety()) for _ in range(size)]
    captions = [caption(spec, dice) for spec in specs]
    wanted = [labels(spec, text) for spec, text in zip(specs, captions, strict=True)]
    return [text.text for text in captions], torch.tensor(wanted)


@torch.no_grad()
def measure_text(encoder: NgramEncoder, heads: CaptionHeads, count: int = 400) -> dict[str, float]:
    """Return the share of right answers per question on fresh captions."""
    texts, wanted = _batch(count, torch.Generator().manual_seed(99), random.Random(99))
    answers = heads(encoder(texts))
    result = {}
    for index, name in enumerate(CLASSES):
        told = wanted[:, index] != UNTOLD
        right = answers[index].argmax(dim=-1)[told] == wanted[told, index]
        result[name] = round(float(right.float().mean()), 3)
    return result


def train_text(settings: TextSettings, folder: Path) -> NgramEncoder:
    """Train the encoder with its heads for `settings.steps` steps; about a minute, so it does not resume."""
    torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    run = RunFolder(folder, "text")
    encoder = _first_weights(settings)
    heads = CaptionHeads(encoder.config.text_dim)
    generator, dice = torch.Generator().manual_seed(settings.seed), random.Random(settings.seed)
    parameters = [*encoder.parameters(), *heads.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=settings.rate, betas=(0.9, 0.98), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, settings.rate, settings.steps, pct_start=0.1)
    for step in range(1, settings.steps + 1):
        texts, wanted = _batch(settings.batch, generator, dice)
        answers = heads(encoder(texts))
        loss = sum(
            functional.cross_entropy(logits, wanted[:, index], ignore_index=UNTOLD)
            for index, logits in enumerate(answers)
        )
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 250 == 0 or step == settings.steps:
            run.report(step=step, loss=round(float(loss.detach()), 4), **measure_text(encoder, heads))
    torch.save(heads.state_dict(), folder / "text_heads.pt")
    return encoder.eval()


def _first_weights(settings: TextSettings) -> NgramEncoder:
    if not settings.start_from:
        return NgramEncoder(NgramConfig())
    return read_text_encoder(SHIPPED if settings.start_from == "ember" else Path(settings.start_from)).train()


def _missing(settings: TextSettings, folder: Path) -> list[str]:
    if settings.start_from in ("", "ember") or (Path(settings.start_from) / FILE).is_file():
        return []
    return [f"start_from = {settings.start_from!r}: no {FILE} is there"]


def _run(settings: TextSettings, folder: Path) -> None:
    write_text_encoder(train_text(settings, folder), folder)


STAGE = Job(TextSettings, _run, _missing)
