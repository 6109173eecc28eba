"""Captions of clips: drawn from the lexicon's words, with filler and typing errors. Knows nothing of pixels."""

import random
from dataclasses import dataclass

from engine.training.captions.lexicon import (
    FAMILY_WORDS,
    FILLERS,
    INK_TEMPLATES,
    NATURAL_PALETTES,
    PALETTE_WORDS,
    SPEED_WORDS,
    TEMPLATES,
)
from engine.training.clips.spec import ClipSpec

PLAIN_SHARE = 0.35  # how often the class's own name is used
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Caption:
    """A caption, and which of the clip's three classes its words tell."""

    text: str
    tells_family: bool = False
    tells_palette: bool = False
    tells_speed: bool = False


def _synonym(words: tuple[str, ...], dice: random.Random) -> str:
    return words[0] if dice.random() < PLAIN_SHARE else dice.choice(words)


def misspell(text: str, dice: random.Random) -> str:
    """Make one typing error in one longer word: a letter lost, doubled, replaced or swapped."""
    words = text.split()
    long = [index for index, word in enumerate(words) if len(word) >= 4]
    if not long:
        return text
    chosen = dice.choice(long)
    word = words[chosen]
    at = dice.randrange(1, len(word) - 1)
    words[chosen] = dice.choice(
        (
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
            word[:at] + dice.choice(_ALPHABET) + word[at + 1 :],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        )
    )
    return " ".join(words)


def add_filler(text: str, dice: random.Random) -> str:
    """Put one to four words that mean nothing before, after or into the caption."""
    words = text.split()
    for _ in range(dice.randint(1, 4)):
        words.insert(dice.randint(0, len(words)), dice.choice(FILLERS))
    return " ".join(words)


def _inflect(text: str, dice: random.Random) -> str:
    words = text.split()
    chosen = dice.randrange(len(words))
    words[chosen] += dice.choice(("s", "ish", "y", "ed", "ing"))
    return " ".join(words)


def caption(spec: ClipSpec, dice: random.Random) -> Caption:
    """Describe a clip. Colour is left out only where the clip has one that is natural for its family."""
    template = dice.choice(TEMPLATES)
    if spec.family == "ink" and dice.random() < 0.4:
        template = dice.choice(INK_TEMPLATES)
    natural = spec.palette in NATURAL_PALETTES[spec.family]
    if "{palette}" not in template and not natural:
        template = "{palette} {family}"
    elif natural and dice.random() < 0.3:
        template = dice.choice(("{family}", "{speed} {family}", "{family}, {speed}"))
    elif dice.random() < 0.04:
        template = dice.choice(("{palette}", "{speed} {palette} colours"))
    text = template.format(
        family=_synonym(FAMILY_WORDS[spec.family], dice),
        palette=_synonym(PALETTE_WORDS[spec.palette], dice),
        palette2=_synonym(PALETTE_WORDS[spec.palette], dice),
        speed=_synonym(SPEED_WORDS[spec.speed], dice),
    )
    if dice.random() < 0.3:
        text = add_filler(text, dice)
    if dice.random() < 0.1:
        text = _inflect(text, dice)
    if dice.random() < 0.2:
        text = misspell(text, dice)
    tells_family = "{family}" in template or template in INK_TEMPLATES
    return Caption(text, tells_family, "{palette}" in template, "{speed}" in template)


def empty_caption(dice: random.Random) -> Caption:
    """Return a caption that asks for nothing: the picture should go on as it is."""
    if dice.random() < 0.4:
        return Caption("")
    return Caption(" ".join(dice.choice(FILLERS) for _ in range(dice.randint(1, 5))))
