"""What a prompt is said to lack, and how the built-in rules make it longer."""

from __future__ import annotations

import pytest

from engine.model_presets import load_preset
from vj.words.extender import extend_prompt
from vj.words.hints import prompt_hints
from vj.words.lexicon import words_of
from vj.words.themes import THEMES

LONG = extend_prompt("a red fox in a snowy forest", 80)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("violet smoke drifting slowly", ("no setting", "4 words")),
        ("ink in slow motion", ("no setting", "4 words")),
        ("portrait of a woman, dramatic light", ("no setting", "6 words")),
        ("neon city at night, cinematic", ("no subject", "5 words")),
        ("forest", ("no subject", "1 word:")),
        ("rain on a wet window", ("5 words",)),
        ("black ink blooming in milk", ("5 words",)),
        ("a dancer on a stage; cut to the crowd", ("“cut to”", "9 words")),
        ("un chat dans une forêt sous la neige", ("8 words",)),  # rules about English words are not asked
        ("一只红狐狸在雪林里", ()),
        ("", ()),
        (LONG, ()),
    ],
)
def test_a_prompt_is_told_what_it_lacks_and_nothing_else(text: str, said: tuple[str, ...]):
    hints = prompt_hints(text, 80)
    assert len(hints) == len(said), hints
    assert all(hint.startswith(start) for hint, start in zip(hints, said, strict=True)), hints


def test_a_model_of_short_texts_is_left_alone():
    assert load_preset("ember").text.caption_words == 0
    assert prompt_hints("forest", 0) == ()


def test_a_longer_text_keeps_the_words_and_is_as_long_as_asked():
    for text in ("violet smoke drifting slowly", "a robot", "bananas", "two swans on a lake at dusk, wide shot", "海"):
        for words in (40, 80, 120):
            longer = extend_prompt(text, words)
            assert longer.startswith(text)
            assert 0.8 * words <= len(words_of(longer)) <= 1.25 * words
    assert prompt_hints(extend_prompt("violet smoke drifting slowly", 80), 80) == ()


def test_the_same_text_and_seed_give_the_same_words():
    one, other = (extend_prompt("a robot", 80, seed) for seed in (1, 2))
    assert one == extend_prompt("a robot", 80, 1)
    assert one == extend_prompt("  a   robot ", 80, 1)
    assert one != other
    # written down: another machine must give the same
    assert extend_prompt("a robot", 30).split(". ")[1].startswith("The setting is a large bare stage")


def test_what_a_text_names_is_not_named_again():
    text = "a swan on a lake, lit by moonlight, filmed with a drone"
    longer = extend_prompt(text, 80)
    for theme in THEMES:
        assert not any(sentence in longer for sentence in (*theme.places, *theme.lights))
    assert "camera" not in longer.removeprefix(text)
    assert extend_prompt(LONG, 80) == LONG, "long enough"
