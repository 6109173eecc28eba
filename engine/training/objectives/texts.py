"""Prompts of training: lines of a file, or captions of the grammar; their embeddings, computed once.

The large text encoder is loaded only for prompts that are not on the disk yet, and dropped before training begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, distributed

from engine.model_presets import ModelPreset
from engine.text.kept_embeddings import KeptEmbeddings, fingerprint
from engine.text.prompts import TextEncoder
from engine.text_files import TextFileError, read_text_file
from engine.training.captions.grammar import caption
from engine.training.clips.spec import Variety, random_spec
from engine.training.objective import Draw
from engine.training.objectives.models import TRAINING_MODELS, load_texts
from engine.training.samples import Prompt, encode_prompts

FOLDER = "texts"  # in the run's folder


def read_prompts(file: str) -> tuple[str, ...]:
    """Prompts of a text file, one per line, empty lines skipped, each once; () for no file. Raises ValueError."""
    if not file:
        return ()
    try:
        lines = read_text_file(Path(file)).splitlines()
    except TextFileError as error:
        raise ValueError(f"{file}: {error}") from None
    prompts = tuple(dict.fromkeys(line.strip() for line in lines if line.strip()))
    if not prompts:
        raise ValueError(f"{file}: holds no prompts; write one per line")
    return prompts


def negative_text(written: str) -> str:
    """A negative prompt as settings have it: a text, or the name of a published one ("wan")."""
    file = TRAINING_MODELS / f"negative_{written}.txt"
    return read_text_file(file).strip() if written.isidentifier() and file.is_file() else written


def missing_prompts(preset: ModelPreset, file: str) -> list[str]:
    """What is wrong with a list of prompts, as sentences."""
    if not file and preset.text.kind != "ngram":
        return [f"prompts = '': model {preset.name!r} is trained on a list of prompts; name a text file, one per line"]
    try:
        read_prompts(file)
    except ValueError as error:
        return [f"prompts: {error}"]
    return [] if preset.text.file.exists() else [f"{preset.text.file}: there is no such file (the text encoder)"]


class Texts:
    """Draws prompts and embeds them. Every process makes one."""

    def __init__(self, preset: ModelPreset, file: str, folder: Path, others: tuple[str, ...] = ()) -> None:
        """`others` are prompts besides those of the file: the negative one, the panel's. Raises CheckpointError."""
        self._prompts = read_prompts(file)
        self._late = LateEncoder(preset)
        if preset.text.kind == "ngram":
            self._encoder: TextEncoder = load_texts(preset)
            return
        config = preset.transformer
        identity = f"{fingerprint(preset.text.file)} {config.text_len} {config.text_dim}"
        self._encoder = KeptEmbeddings(self._late, folder / FOLDER, identity, keeps_all=True)
        self._fill((*self._prompts, *others, ""))
        self._late.drop()

    def first(self, count: int) -> tuple[str, ...]:
        """The first prompts of the list; () where there is none."""
        return self._prompts[:count]

    def draw(self, draw: Draw) -> tuple[list[str], Tensor]:
        """As many prompts as the micro-batch has samples, and their embeddings (B, text_len, text_dim)."""
        prompts = [self._one(draw) for _ in range(draw.samples)]
        return prompts, self.embed(prompts)

    def listed(self, count: int, seed: int) -> list[str]:
        """The first `count` prompts; captions where there is no list, the same for the same seed."""
        if self._prompts:
            return list(self._prompts[:count])
        return [self._one(Draw(seed, number, "caption", 0, 0, 1)) for number in range(count)]

    @torch.no_grad()
    def embed(self, prompts: list[str]) -> Tensor:
        """Embeddings (B, text_len, text_dim), float32, on the CPU; as they are live, whatever training computes in."""
        with torch.autocast("cpu", enabled=False):
            rows = torch.stack([self._encoder.encode(prompt).clone() for prompt in prompts])
        self._late.drop()
        return rows

    def embed_blends(self, prompts: Sequence[Prompt]) -> Tensor:
        """Embeddings (B, text_len, text_dim) of one text each or two blended, as two pads on stage are."""
        return encode_prompts(self.embed, prompts)

    def _one(self, draw: Draw) -> str:
        if self._prompts:
            return draw.dice.choice(self._prompts)
        return caption(random_spec(draw.own, Variety()), draw.dice).text

    def _fill(self, prompts: tuple[str, ...]) -> None:
        """Encode what is not on the disk yet: the first process does, the others wait."""
        is_shared = distributed.is_available() and distributed.is_initialized()
        if not is_shared or distributed.get_rank() == 0:
            for prompt in dict.fromkeys(prompts):
                self._encoder.encode(prompt)
        if is_shared:
            distributed.barrier()


class LateEncoder:
    """A text encoder that is loaded when it is first needed."""

    def __init__(self, preset: ModelPreset) -> None:
        self._preset = preset

    def encode(self, text: str) -> Tensor:
        """As the encoder."""
        if self._loaded is None:
            self._loaded = load_texts(self._preset)
        return self._loaded.encode(text)

    _loaded: TextEncoder | None = None

    def drop(self) -> None:
        """Free its memory."""
        self._loaded = None
