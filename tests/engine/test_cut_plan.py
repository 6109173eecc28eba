"""When a dated cut is begun and when the old stream is filled up before it."""

import pytest

from engine.cut_plan import MARGIN_S, CutPlan


def test_a_chunk_of_three_latent_frames_is_a_stream_that_can_be_shown():
    plan = CutPlan.of(answer_s=0.4, busy_s=0.5, first_frames=9)
    assert plan.need_s == pytest.approx(0.4 + MARGIN_S)
    assert plan.lead_s == pytest.approx(0.9 + MARGIN_S)


def test_a_first_frame_alone_is_none():
    assert CutPlan.of(answer_s=0.1, busy_s=0.2, first_frames=1).need_s == pytest.approx(0.3 + MARGIN_S)


def test_the_old_stream_is_filled_at_the_last_chance_and_only_if_it_would_run_out():
    plan = CutPlan(busy_s=0.5, need_s=0.5)
    assert plan.must_fill(left_s=1.4, buffered_s=0.6)
    assert not plan.must_fill(left_s=1.4, buffered_s=1.5)
    assert not plan.must_fill(left_s=1.6, buffered_s=0.6), "there will be another chance"
    assert not plan.must_fill(left_s=0.9, buffered_s=0.1), "the cut would be late"
