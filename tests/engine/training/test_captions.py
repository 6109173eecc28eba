"""Captions say what the clip is, and lexicon classes do not contradict one another."""

import random
import re
from itertools import combinations

import torch

from engine.text.ngram import split_words
from engine.training.captions.grammar import caption, captions_of, empty_caption, manner
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
from engine.training.captions.slips import add_filler, misspell
from engine.training.captions.templates import SCENES
from engine.training.clips.families import FAMILIES
from engine.training.clips.palettes import PALETTES
from engine.training.clips.spec import (
    CAMERAS,
    EVENTS,
    FINISHES,
    GROUNDS,
    MIRRORS,
    SECTORS,
    SPEEDS,
    ClipPlan,
    ClipSpec,
    Variety,
    random_spec,
)


def test_the_lexicon_has_every_class() -> None:
    assert set(FAMILY_WORDS) == set(FAMILIES) == set(NATURAL_PALETTES)
    assert set(PALETTE_WORDS) == set(PALETTES)
    assert set(SPEED_WORDS) == set(SPEEDS)
    assert all(name == words[0] for table in (FAMILY_WORDS, PALETTE_WORDS) for name, words in table.items())


def test_the_manner_words_have_every_variation() -> None:
    assert tuple(CAMERA_WORDS) == CAMERAS
    assert tuple(GROUND_WORDS) == GROUNDS
    assert tuple(FINISH_WORDS) == FINISHES
    assert tuple(EVENT_WORDS) == EVENTS
    assert tuple(MIRROR_WORDS) == MIRRORS
    assert tuple(SECTOR_WORDS) == tuple(range(SECTORS[0], SECTORS[1] + 1))
    assert {name for mood in MOODS for name in mood.palettes} == set(PALETTES)
    assert {name for mood in MOODS for name in mood.speeds} == set(SPEEDS)


def test_every_word_means_one_thing_and_there_are_many() -> None:
    tables = (FAMILY_WORDS, PALETTE_WORDS, SPEED_WORDS, CAMERA_WORDS, GROUND_WORDS, FINISH_WORDS, EVENT_WORDS)
    classes = [entries for table in (*tables, MIRROR_WORDS, SECTOR_WORDS) for entries in table.values()]
    classes += [mood.words for mood in MOODS] + [FILLERS]
    assert all(len(set(entries)) == len(entries) for entries in classes)
    for one, other in combinations(classes, 2):
        assert not set(one) & set(other)
    assert sum(map(len, classes)) >= 1000


def test_scenes_say_nothing() -> None:
    known = {word for table in (FAMILY_WORDS, PALETTE_WORDS, SPEED_WORDS) for words in table.values() for word in words}
    for scene in SCENES:
        assert not known & set(re.findall(r"[a-z]+", scene.lower()))


def test_captions_tell_the_colour_unless_it_is_natural() -> None:
    generator, dice = torch.Generator().manual_seed(1), random.Random(1)
    for _ in range(500):
        spec = random_spec(generator, Variety())
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


def test_long_captions_begin_with_what_they_ask_for() -> None:
    dice = random.Random(4)
    spec = ClipSpec("thaw", "ice", "slow", 1, camera="drift", finish="gloss")
    texts = [caption(spec, dice, long_share=1.0).text for _ in range(60)]
    assert sum(len(text.split()) for text in texts) / len(texts) > 22
    heard = [" ".join(split_words(text, 12)) for text in texts]
    told = {word for word in FAMILY_WORDS["thaw"] if " " not in word}
    assert sum(bool(told & set(text.split())) for text in heard) > 25
    assert all("{" not in text and ", ." not in text and ", ," not in text for text in texts)


def test_what_a_clip_has_is_told_and_nothing_else() -> None:
    dice = random.Random(5)
    plain = ClipSpec("cells", "red", "fast", 1)
    varied = ClipSpec("blobs", "red", "fast", 1, camera="in", ground="white", finish="matte", event="burst")
    told = {word for _ in range(200) for word in manner(varied, dice).split(", ")}
    for words in (CAMERA_WORDS["in"], GROUND_WORDS["white"], FINISH_WORDS["matte"], EVENT_WORDS["burst"]):
        assert set(words) & told
    others = {word for table in (GROUND_WORDS, FINISH_WORDS, EVENT_WORDS) for words in table.values() for word in words}
    assert not others & {word for _ in range(200) for word in manner(plain, dice).split(", ")}


def test_two_pictures_have_two_captions() -> None:
    first, second = ClipSpec("ink", "black", "slow", 1), ClipSpec("fire", "red", "fast", 2)
    assert len(captions_of(ClipPlan(first), random.Random(1))) == 1
    assert len(captions_of(ClipPlan(first, second, share=0.5), random.Random(1))) == 2
