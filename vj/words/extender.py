"""A longer text out of a short one, by rule: setting, light, detail, motion and camera that suit its words.

Deterministic: the same text, length and seed give the same words on any machine. What the text names already stays.
"""

from __future__ import annotations

import hashlib
import random

from vj.words.lexicon import names_camera, names_light, names_place, words_of
from vj.words.themes import ANYTHING, CAMERAS, FINISHES, THEMES, Theme

LONG_ENOUGH_SHARE = 0.9  # of the words wanted: a text that has as many is left as it is


def extend_prompt(text: str, target_words: int, seed: int = 0) -> str:
    """Return the text with sentences added until it has about `target_words`; the text itself comes first, unchanged.

    A text that is long enough, or empty, comes back as it is.
    """
    text = " ".join(text.split())
    words = words_of(text)
    if not words or len(words) >= LONG_ENOUGH_SHARE * target_words:
        return text
    # hash() differs from run to run
    chance = random.Random(hashlib.sha256(f"{seed}:{text}".encode()).digest())
    sentences = [_sentence(text)]
    for added in _additions(text, words, _theme_of(words), chance):
        if len(words_of(" ".join(sentences))) >= LONG_ENOUGH_SHARE * target_words:
            break
        sentences.append(added)
    return " ".join(sentences)


def _additions(text: str, words: list[str], theme: Theme, chance: random.Random) -> list[str]:
    """Sentences in the order in which they matter, each kind only where the text says nothing of it."""
    details = chance.sample(theme.details, len(theme.details))
    added = [] if names_place(text, words) else [chance.choice(theme.places)]
    added += [] if names_light(words) else [chance.choice(theme.lights)]
    added.append(details.pop())
    added.append(chance.choice(theme.motions))
    added += [] if names_camera(words) else [chance.choice(CAMERAS)]
    rest = [sentence for sentence in ANYTHING.details if theme is not ANYTHING]
    return [*added, *details, chance.choice(FINISHES), *chance.sample(rest, len(rest))]


def _theme_of(words: list[str]) -> Theme:
    for word in words:
        for theme in THEMES:
            if word in theme.words:
                return theme
    return ANYTHING


def _sentence(text: str) -> str:
    """The text as a sentence: its own words, closed by a full stop."""
    return text if text[-1] in ".!?…。" else f"{text.rstrip(' ,;:')}."
