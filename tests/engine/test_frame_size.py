"""Sizes people write: read, or refused with what to write instead."""

from __future__ import annotations

import pytest

from engine.frame_size import parse_size


@pytest.mark.parametrize(
    ("text", "size"), [("256x144", (256, 144)), (" 832 X 480 ", (832, 480)), ("16×2048", (16, 2048))]
)
def test_a_size_is_width_and_height(text: str, size: tuple[int, int]) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("854x480", "the nearest are 848x480 and 864x480"),
        ("100x100", "the nearest are 96x96 and 112x112"),
        ("0x0", "impossible: sizes go from 16x16 to 2048x2048"),
        ("99999x99999", "impossible"),
        ("256", "is not WIDTHxHEIGHT"),
        ("-256x144", "is not WIDTHxHEIGHT"),
        ("", "is not WIDTHxHEIGHT"),
    ],
)
def test_what_no_model_can_make_is_refused_with_a_way_out(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match="size") as refusal:
        parse_size(text)
    assert complaint in str(refusal.value)
