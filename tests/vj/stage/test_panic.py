"""The panic row: the newest setting wins, and its keys do what they say."""

from __future__ import annotations

import pytest

from vj.stage.panic import BLACKOUT, FALLBACK, FREEZE, LEVEL, PanicRow

START = {BLACKOUT: False, FREEZE: False, FALLBACK: False, LEVEL: 1.0}


def held(row: PanicRow) -> dict[str, object]:
    return {address: value for address, (value, _) in row.settings.items()}


def test_the_newest_setting_wins_whoever_made_it():
    row = PanicRow()
    assert row.merge({BLACKOUT: (True, 10)})
    assert not row.merge({BLACKOUT: (False, 9)})
    assert held(row)[BLACKOUT] is True
    assert row.merge({BLACKOUT: (False, 11), LEVEL: (0.25, 5)}) == {BLACKOUT: (False, 11), LEVEL: (0.25, 5)}
    assert held(row) == START | {LEVEL: 0.25}


def test_what_the_row_does_not_hold_is_left_out():
    row = PanicRow()
    assert row.merge({"/vj/seed/value": (3, 10)}) == {}


@pytest.mark.parametrize(("key", "address"), [("B", BLACKOUT), ("F", FREEZE), ("L", FALLBACK)])
def test_a_key_turns_its_switch_over(key: str, address: str):
    row = PanicRow()
    assert row.press(key, 10, START)
    assert row.settings[address] == (True, 10)
    assert row.press(key, 20, START | {address: True})
    assert row.settings[address] == (False, 20)


def test_level_goes_by_steps_and_stays_in_its_range():
    row = PanicRow()
    assert row.press("-", 10, START)
    assert row.settings[LEVEL] == (0.9, 10)
    assert row.press("+", 11, START | {LEVEL: 0.95})
    assert row.settings[LEVEL] == (1.0, 11)
    assert row.press("-", 12, START | {LEVEL: 0.04})
    assert row.settings[LEVEL] == (0.0, 12)


def test_reset_gives_the_picture_back_and_other_keys_are_not_ours():
    row = PanicRow()
    row.merge(dict.fromkeys((BLACKOUT, FREEZE, FALLBACK), (True, 1)) | {LEVEL: (0.0, 1)})
    assert not row.press("N", 5, held(row))
    assert row.press("R", 5, held(row))
    assert held(row) == START
