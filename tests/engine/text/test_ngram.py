"""The n-gram text encoder: shapes, padding, spelling, the same numbers everywhere."""

import pytest
import torch

from engine.text.ngram import NgramConfig, NgramEncoder, bucket_indices, split_words

SMALL = NgramConfig(text_len=6, text_dim=12, buckets=512, width=16)


@pytest.fixture(scope="module")
def encoder() -> NgramEncoder:
    torch.manual_seed(1)
    return NgramEncoder(SMALL).eval()


def test_rows_past_the_end_are_zero(encoder: NgramEncoder) -> None:
    rows = encoder.encode("black ink blooms")
    assert rows.shape == (6, 12)
    assert (rows[:3].abs().sum(dim=-1) > 0).all()
    assert (rows[3:] == 0).all()
    assert not rows.requires_grad


@pytest.mark.parametrize("text", ["", "   ", "!?", "the of and"])
def test_a_text_without_words_is_all_padding(encoder: NgramEncoder, text: str) -> None:
    assert (encoder.encode(text) == 0).all()


def test_words_are_rows_whatever_the_case_and_the_batch(encoder: NgramEncoder) -> None:
    both = encoder(["Red Smoke", "smoke"])
    torch.testing.assert_close(both[0, 1], both[1, 0])
    torch.testing.assert_close(encoder.encode("RED smoke"), both[0].detach())


def test_a_misspelt_word_stays_near(encoder: NgramEncoder) -> None:
    def distance(one: str, other: str) -> float:
        return float((encoder.encode(one)[0] - encoder.encode(other)[0]).square().sum())

    assert distance("kaleidoscope", "kaleidoscpe") < 0.5 * distance("kaleidoscope", "aurora")


def test_long_texts_are_cut_and_long_words_too(encoder: NgramEncoder) -> None:
    assert split_words("one two three four five six seven eight", 6) == ["one", "two", "three", "four", "five", "six"]
    assert encoder.encode("x" * 5000).shape == (6, 12)


def test_a_long_text_leaves_rows_empty_as_captions_in_training_did() -> None:
    full = NgramEncoder(NgramConfig()).encode("word " * 99)
    assert [bool(row.any()) for row in full] == [True] * 12 + [False] * 4


def test_hashes_are_the_same_on_every_machine() -> None:
    assert bucket_indices("ink", 8192) == [5118, 6487, 5956, 4351, 5715, 3704, 5118]


def test_other_scripts_are_words_too() -> None:
    assert split_words("Чернила в воде, 水墨", 8) == ["чернила", "в", "воде", "水墨"]


def test_impossible_sizes_are_sentences() -> None:
    with pytest.raises(ValueError, match="text_len = 0"):
        NgramConfig(text_len=0)
    with pytest.raises(ValueError, match="buckets = 1"):
        NgramConfig(buckets=1)
