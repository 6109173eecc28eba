"""What a model is asked for when it is examined: captions it has never seen, free sentences, blends and switches.

Each with the family and the palette its words mean, where they mean one.
"""

from __future__ import annotations

import itertools
import random
import tomllib
from dataclasses import dataclass
from pathlib import Path

import torch

from engine.training.captions.grammar import caption
from engine.training.clips.families import FAMILIES
from engine.training.clips.palettes import PALETTES
from engine.training.clips.spec import random_spec

CAPTION_SEED = 90_001  # of no training stage


class AskedError(ValueError):
    """A list of prompts that cannot be used; the text is the sentence for the user."""


@dataclass(frozen=True)
class Asked:
    """A sentence, and what it should show; empty where it says nothing of it."""

    text: str
    family: str = ""
    palette: str = ""


def held_out_captions(count: int, seed: int = CAPTION_SEED) -> list[Asked]:
    """Draw captions of pictures that were never drawn, from a seed no training uses."""
    generator, dice = torch.Generator().manual_seed(seed), random.Random(seed)
    asked = []
    for _ in range(count):
        spec = random_spec(generator)
        told = caption(spec, dice)
        asked.append(
            Asked(told.text, spec.family if told.tells_family else "", spec.palette if told.tells_palette else "")
        )
    return asked


def read_asked(path: Path) -> list[Asked]:
    """Read prompts: a text file, one per line, or TOML with [[prompts]] tables (text, family, palette).

    Raises AskedError with file, entry and what is known.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AskedError(f"{path} cannot be read ({error})") from None
    if path.suffix.lower() != ".toml":
        asked = [Asked(line.strip()) for line in text.splitlines() if line.strip()]
    else:
        try:
            table = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise AskedError(f"{path} is not TOML ({error})") from None
        entries = next((value for value in table.values() if isinstance(value, list)), [])
        asked = [_entry(path, number, entry) for number, entry in enumerate(entries, 1)]
    if not asked:
        raise AskedError(f"{path} holds no prompts: write one per line, or [[prompts]] tables with text and family")
    return asked


def _entry(path: Path, number: int, entry: object) -> Asked:
    if not isinstance(entry, dict) or not isinstance(entry.get("text"), str):
        raise AskedError(f"{path}: prompt {number} has no text")
    family, palette = str(entry.get("family", "")), str(entry.get("palette", entry.get("colour", "")))
    for name, known in ((family, FAMILIES), (palette, PALETTES)):
        if name and name not in known:
            raise AskedError(f"{path}: prompt {number}: {name!r} is unknown; known are {', '.join(known)}")
    return Asked(entry["text"], family, palette)


def pairs(count: int, seed: int = CAPTION_SEED) -> list[tuple[Asked, Asked]]:
    """Choose pairs of different families, each with one palette, for blends and switches."""
    dice = random.Random(seed)
    every = list(itertools.permutations(FAMILIES, 2))
    dice.shuffle(every)
    chosen = [every[index % len(every)] for index in range(count)]
    palettes = list(PALETTES)
    return [(_plain(first, dice.choice(palettes)), _plain(second, dice.choice(palettes))) for first, second in chosen]


def _plain(family: str, palette: str) -> Asked:
    return Asked(f"{palette} {family}", family, palette)
