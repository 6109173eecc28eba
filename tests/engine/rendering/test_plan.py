"""Plans refuse what cannot be played."""

from __future__ import annotations

import math

import pytest

from engine.params import ChunkParams
from engine.rendering.plan import Cue, RenderPlan, plan_for_prompt

PARAMS = ChunkParams()


@pytest.mark.parametrize("at_s", [-0.1, math.nan, math.inf])
def test_a_cue_lies_at_a_time(at_s: float) -> None:
    with pytest.raises(ValueError, match="cannot lie at"):
        Cue(at_s, PARAMS)


def test_cues_are_there_and_in_order() -> None:
    with pytest.raises(ValueError, match="at least one cue"):
        RenderPlan(())
    with pytest.raises(ValueError, match="in order"):
        RenderPlan((Cue(2.0, PARAMS), Cue(1.0, PARAMS)))


def test_a_seed_reaches_every_cue_and_texts_are_named_once() -> None:
    one, two = (plan_for_prompt(text, 0).cues[0].params for text in ("one", "two"))
    plan = RenderPlan((Cue(0.0, one), Cue(1.0, two), Cue(2.0, one))).with_seed(9)
    assert [cue.params.seed for cue in plan.cues] == [9, 9, 9]
    assert plan.texts == ("one", "", "two")
