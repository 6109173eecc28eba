"""The committed free sentences: each says one family and one palette in trained words, and is no caption."""

import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from engine.text.ngram import split_words
from engine.training.captions.lexicon import FAMILY_WORDS, FILLERS, PALETTE_WORDS, SPEED_WORDS
from engine.training.captions.templates import INK_TEMPLATES, TEMPLATES

HEARD_BY_EMBER = 12  # words
FILE = tomllib.loads((Path(__file__).parents[2] / "data" / "free_prompts.toml").read_text(encoding="utf-8"))
PROMPTS = FILE["prompts"]


def told(table: dict[str, tuple[str, ...]], text: str) -> set[str]:
    """The classes whose words stand in the part of a text that ember hears."""
    plain = f" {' '.join(re.findall(r'[a-z0-9]+', text.lower()))} "
    heard = set(split_words(text, HEARD_BY_EMBER))
    return {
        name
        for name, entries in table.items()
        if any(f" {entry} " in plain and set(split_words(entry, HEARD_BY_EMBER)) <= heard for entry in entries)
    }


@pytest.mark.parametrize("prompt", PROMPTS, ids=lambda prompt: prompt["text"][:40])
def test_a_free_sentence_says_one_family_and_one_palette(prompt: dict[str, str]) -> None:
    assert told(FAMILY_WORDS, prompt["text"]) == {prompt["family"]}
    assert told(PALETTE_WORDS, prompt["text"]) == {prompt["palette"]}


def test_the_free_sentences_cover_every_class_and_follow_no_template() -> None:
    assert len({prompt["text"] for prompt in PROMPTS}) == 80
    assert min(Counter(prompt["family"] for prompt in PROMPTS).values()) >= 4
    assert {prompt["family"] for prompt in PROMPTS} == set(FAMILY_WORDS)
    assert {prompt["palette"] for prompt in PROMPTS} == set(PALETTE_WORDS)
    slots = {
        name: "(" + "|".join(re.escape(entry) for entries in table.values() for entry in entries) + ")"
        for name, table in (("family", FAMILY_WORDS), ("palette", PALETTE_WORDS), ("speed", SPEED_WORDS))
    }
    slots["palette2"] = slots["palette"]
    patterns = [re.compile(template.format(**slots)) for template in (*TEMPLATES, *INK_TEMPLATES)]
    assert patterns[1].fullmatch("crimson lava lamp")
    assert [prompt["text"] for prompt in PROMPTS if any(p.fullmatch(prompt["text"]) for p in patterns)] == []
    assert min(len(prompt["text"].split()) for prompt in PROMPTS) >= 5


def test_sentences_without_a_known_word_have_none() -> None:
    known = {
        word
        for table in (FAMILY_WORDS, PALETTE_WORDS, SPEED_WORDS)
        for entries in table.values()
        for entry in entries
        for word in split_words(entry, HEARD_BY_EMBER)
    }
    known |= set(FILLERS)
    for prompt in FILE["unknown"]:
        assert not known & set(split_words(prompt["text"], 99)), prompt["text"]
