"""Captions say what the clip is, and lexicon classes do not contradict one another."""

import random
from itertools import combinations

import torch

from engine.training.captions.grammar import add_filler, caption, empty_caption, misspell
from engine.training.captions.lexicon import FAMILY_WORDS, FILLERS, NATURAL_PALETTES, PALETTE_WORDS, SPEED_WORDS
from engine.training.clips.families import FAMILIES
from engine.training.clips.palettes import PALETTES
from engine.training.clips.spec import SPEEDS, ClipSpec, random_spec


def test_the_lexicon_has_every_class() -> None:
    assert set(FAMILY_WORDS) == set(FAMILIES) == set(NATURAL_PALETTES)
    assert set(PALETTE_WORDS) == set(PALETTES)
    assert set(SPEED_WORDS) == set(SPEEDS)
    assert all(name == words[0] for table in (FAMILY_WORDS, PALETTE_WORDS) for name, words in table.items())


def test_no_word_means_two_classes_of_one_kind() -> None:
    for table in (FAMILY_WORDS, PALETTE_WORDS, SPEED_WORDS):
        for one, other in combinations(table.values(), 2):
            assert not set(one) & set(other)
    everything = {
        word for table in (FAMILY_WORDS, PALETTE_WORDS, SPEED_WORDS) for words in table.values() for word in words
    }
    assert not everything & set(FILLERS)


def test_captions_tell_the_colour_unless_it_is_natural() -> None:
    generator, dice = torch.Generator().manual_seed(1), random.Random(1)
    for _ in range(500):
        spec = random_spec(generator)
        text = caption(spec, dice)
        assert text.text
        assert text.tells_palette or spec.palette in NATURAL_PALETTES[spec.family]


def test_the_prompt_of_the_acceptance_is_within_the_grammar() -> None:
    dice = random.Random(2)
    spec = ClipSpec("ink", "black", "normal", 1)
    assert "a drop of black ink blooms in clear water" in {caption(spec, dice).text for _ in range(800)}


def test_typing_errors_and_filler_keep_most_of_the_text() -> None:
    dice = random.Random(3)
    assert misspell("red ink", dice) == "red ink"
    assert misspell("kaleidoscope", dice) != "kaleidoscope"
    assert {"blue", "smoke"} <= set(add_filler("blue smoke", dice).split())
    assert not empty_caption(dice).tells_family
