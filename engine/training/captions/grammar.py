"""Captions of clips: drawn from the lexicon's words in a short or a long form. Knows nothing of pixels."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from engine.training.captions.lexicon import FAMILY_WORDS, FILLERS, NATURAL_PALETTES, PALETTE_WORDS, SPEED_WORDS
from engine.training.captions.manner_words import (
    CAMERA_WORDS,
    EVENT_WORDS,
    FINISH_WORDS,
    GROUND_WORDS,
    MIRROR_WORDS,
    MOODS,
    SECTOR_WORDS,
)
from engine.training.captions.slips import add_filler, inflect, misspell
from engine.training.captions.templates import (
    INK_TEMPLATES,
    LONG_INK_TEMPLATES,
    LONG_TEMPLATES,
    PLACED_TEMPLATES,
    SCENES,
    TEMPLATES,
)
from engine.training.clips.spec import ClipPlan, ClipSpec

PLAIN_SHARE = 0.35  # how often the class's own name is used
LONG_SHARE = 0.12
MANNER_SHARE = 0.7  # of the clips that have something of the kind: how often it is told, each by itself
STILL_SHARE = 0.05  # how often a camera that stands is told
MOOD_SHARE = 0.12


@dataclass(frozen=True)
class Caption:
    """A caption, and which of the clip's three classes its words tell."""

    text: str
    tells_family: bool = False
    tells_palette: bool = False
    tells_speed: bool = False


def _synonym(words: tuple[str, ...], dice: random.Random) -> str:
    return words[0] if dice.random() < PLAIN_SHARE else dice.choice(words)


def manner(spec: ClipSpec, dice: random.Random) -> str:
    """Tell how a clip is shown: some of what it has of camera, ground, finish, event, mirrors, sectors and mood."""
    told: list[tuple[str, ...]] = []
    if spec.camera != "still":
        told.append(CAMERA_WORDS[spec.camera])
    told += [GROUND_WORDS[spec.ground], FINISH_WORDS[spec.finish], EVENT_WORDS[spec.event], MIRROR_WORDS[spec.mirror]]
    told.append(SECTOR_WORDS.get(spec.sectors, ()))
    chosen = [dice.choice(words) for words in told if words and dice.random() < MANNER_SHARE]
    if spec.camera == "still" and dice.random() < STILL_SHARE:
        chosen.append(dice.choice(CAMERA_WORDS["still"]))
    moods = [mood for mood in MOODS if spec.speed in mood.speeds and spec.palette in mood.palettes]
    if moods and dice.random() < MOOD_SHARE:
        chosen.append(dice.choice(dice.choice(moods).words))
    dice.shuffle(chosen)
    return ", ".join(chosen)


def _template(spec: ClipSpec, is_long: bool, has_manner: bool, dice: random.Random) -> str:
    """Choose a template. Colour is left out only where the clip has one that is natural for its family."""
    is_ink = spec.family == "ink" and dice.random() < 0.4
    if is_long:
        return dice.choice(LONG_INK_TEMPLATES if is_ink else LONG_TEMPLATES)
    if has_manner:
        return dice.choice(PLACED_TEMPLATES)
    if is_ink:
        return dice.choice(INK_TEMPLATES)
    template = dice.choice(TEMPLATES)
    natural = spec.palette in NATURAL_PALETTES[spec.family]
    if "{palette}" not in template and not natural:
        return "{palette} {family}"
    if natural and dice.random() < 0.3:
        return dice.choice(("{family}", "{speed} {family}", "{family}, {speed}"))
    if dice.random() < 0.04:
        return dice.choice(("{palette}", "{speed} {palette} colours"))
    return template


def caption(spec: ClipSpec, dice: random.Random, long_share: float = LONG_SHARE) -> Caption:
    """Describe a picture, in the long form with probability `long_share`."""
    is_long = dice.random() < long_share
    shown = manner(spec, dice)
    template = _template(spec, is_long, bool(shown), dice)
    text = template.format(
        family=_synonym(FAMILY_WORDS[spec.family], dice),
        palette=_synonym(PALETTE_WORDS[spec.palette], dice),
        palette2=_synonym(PALETTE_WORDS[spec.palette], dice),
        speed=_synonym(SPEED_WORDS[spec.speed], dice),
        manner=shown,
        scene=" ".join(dice.sample(SCENES, dice.randint(2, 4))),
    )
    if not shown:
        text = text.replace(", .", ".").replace(", ,", ",").replace(",  ", ", ")
    if dice.random() < 0.3:
        text = add_filler(text, dice)
    if dice.random() < 0.1:
        text = inflect(text, dice)
    if dice.random() < 0.2:
        text = misspell(text, dice)
    tells_family = "{family}" in template or template in (*INK_TEMPLATES, *LONG_INK_TEMPLATES)
    return Caption(text, tells_family, "{palette}" in template, "{speed}" in template)


def captions_of(plan: ClipPlan, dice: random.Random) -> tuple[Caption, ...]:
    """Describe a clip: one caption, or one for each of the two pictures that it blends or switches between."""
    pictures: Sequence[ClipSpec] = (plan.first,) if plan.second is None else (plan.first, plan.second)
    return tuple(caption(spec, dice) for spec in pictures)


def empty_caption(dice: random.Random) -> Caption:
    """Return a caption that asks for nothing: the picture should go on as it is."""
    if dice.random() < 0.4:
        return Caption("")
    return Caption(" ".join(dice.choice(FILLERS) for _ in range(dice.randint(1, 5))))
