"""Timelines spelled out: what changes when, how fades mix, what a render and a live run get."""

import pytest

from engine.params import PROMPT_PADS
from vj.presets.prompt_mixing import PADS, text_address, weight_address
from vj.presets.timeline import (
    CHUNK_S,
    Timeline,
    TimelineCue,
    timeline_plan,
    timeline_steps,
)


def prompts(*pads: tuple[str, float]) -> dict[str, object]:
    values: dict[str, object] = {}
    for n in PADS:
        text, weight = pads[n - 1] if n <= len(pads) else ("", 0.0)
        values |= {text_address(n): text, weight_address(n): weight}
    return values


def texts(*words: str) -> tuple[str, ...]:
    return (*words, *[""] * (PROMPT_PADS - len(words)))


def shown(params) -> dict[str, float]:
    pairs = zip(params.prompt_texts, params.prompt_weights, strict=True)
    return {text: pytest.approx(weight) for text, weight in pairs if weight}


def test_cues_change_what_they_name_and_the_rest_goes_on():
    timeline = Timeline(
        "t",
        (
            TimelineCue(0.0, {text_address(1): "a", weight_address(2): 0.5}),
            TimelineCue(5.0, {text_address(2): "b"}, cut="hard"),
            TimelineCue(6.0, {}, cut="soft"),
        ),
        length=9.0,
        seed=3,
    )
    plan = timeline_plan(timeline)
    assert [cue.at_s for cue in plan.cues] == [0.0, 5.0, 6.0]
    assert [(cue.hard_cut, cue.soft_cut) for cue in plan.cues] == [(False, False), (True, False), (False, True)]
    assert plan.cues[2].params.prompt_texts == texts("a", "b")
    assert [cue.params.seed for cue in plan.cues] == [3, 3, 3]
    assert (plan.seed, plan.length_s) == (3, 9.0)


def test_a_fade_lays_texts_side_by_side_over_chunks():
    timeline = Timeline(
        "t",
        (
            TimelineCue(0.0, prompts(("a", 1.0))),
            TimelineCue(3.0, prompts(("b", 0.75), ("c", 0.25)), fade_chunks=4, fade_blend="spherical"),
        ),
    )
    cues = timeline_plan(timeline).cues
    assert [cue.at_s for cue in cues] == [0.0, *(3.0 + k * CHUNK_S for k in range(4))]
    assert [shown(cue.params) for cue in cues] == [
        {"a": 1.0},
        {"a": 0.75, "b": 0.1875, "c": 0.0625},
        {"a": 0.5, "b": 0.375, "c": 0.125},
        {"a": 0.25, "b": 0.5625, "c": 0.1875},
        {"b": 0.75, "c": 0.25},
    ]
    assert [cue.params.blend_mode for cue in cues] == ["linear", "spherical", "spherical", "spherical", "linear"]
    assert {cue.params.prompt_texts for cue in cues[1:4]} == {texts("a", "b", "c")}
    assert cues[-1].params.prompt_texts == texts("b", "c")


def test_a_fade_in_seconds_takes_the_chunks_that_fit():
    cues = (TimelineCue(0.0, prompts(("a", 1.0))), TimelineCue(3.0, prompts(("b", 1.0)), fade=3.0))
    assert len(timeline_steps(Timeline("t", cues))) == 1 + 4
    assert len(timeline_steps(Timeline("t", cues), chunk_s=0.25)) == 1 + 12


def test_numbers_glide_and_the_rest_jumps():
    start = {"/vj/sink/decay": 1.0, "/vj/seed/value": 1, weight_address(1): 1.0}
    end = {"/vj/sink/decay": 0.5, "/vj/seed/value": 9}
    steps = timeline_steps(Timeline("t", (TimelineCue(0.0, start), TimelineCue(1.0, end, fade=4 * CHUNK_S))))
    assert [step.changes.get("/vj/sink/decay") for step in steps] == [1.0, 0.875, 0.75, 0.625, 0.5]
    assert [step.changes.get("/vj/seed/value") for step in steps] == [1, 9, None, None, None]
    assert not any(text_address(1) in step.changes for step in steps)


def test_the_next_cue_goes_on_from_where_a_fade_is_and_still_ends_where_it_says():
    cues = (
        TimelineCue(0.0, prompts(("a", 1.0))),
        TimelineCue(1.0, prompts(("b", 1.0)), fade_chunks=8),
        TimelineCue(1.0 + 4 * CHUNK_S, prompts(("c", 1.0)), fade_chunks=2),
    )
    played = [shown(cue.params) for cue in timeline_plan(Timeline("t", cues)).cues]
    assert played[4] == {"a": 0.5, "b": 0.5}
    assert played[5] == {"a": 0.25, "b": 0.25, "c": 0.5}
    assert played[6] == {"c": 1.0}
    assert len(played) == 7


def test_a_cue_without_a_fade_ends_one_at_once():
    cues = (
        TimelineCue(0.0, prompts(("a", 1.0))),
        TimelineCue(1.0, prompts(("b", 1.0)), fade_chunks=8),
        TimelineCue(2.0, {"/vj/seed/value": 4}),
    )
    last = timeline_plan(Timeline("t", cues)).cues[-1]
    assert (last.at_s, shown(last.params), last.params.seed) == (2.0, {"b": 1.0}, 4)


def test_more_texts_than_pads_keep_the_heaviest():
    words = "abcdefghijklmnop"
    assert len(words) == PROMPT_PADS
    before = prompts(*((word, 1.0 - k / 20) for k, word in enumerate(words)))
    cues = (TimelineCue(0.0, before), TimelineCue(1.0, prompts(("z", 1.0)), fade_chunks=2))
    _, mixed, last = timeline_plan(Timeline("t", cues)).cues
    assert set(shown(mixed.params)) == {*words[:-1], "z"}
    assert shown(last.params) == {"z": 1.0}


def test_bars_become_seconds_at_the_files_own_tempo():
    cues = (TimelineCue(0.0, prompts(("a", 1.0))), TimelineCue(2.0, prompts(("b", 1.0)), fade=1.0))
    plan = timeline_plan(Timeline("t", cues, length=4.0, unit="bars", tempo_bpm=90.0, beats_per_bar=3.0))
    assert [cue.at_s for cue in plan.cues] == [0.0, 4.0, 4.0 + CHUNK_S, 4.0 + 2 * CHUNK_S]
    assert plan.length_s == 8.0


def test_a_file_made_for_another_model_says_so_in_one_line():
    timeline = Timeline("t", (TimelineCue(0.0, {}, cut="hard"),), size=(832, 480), model="reward-forcing", notes=("n",))
    plan = timeline_plan(timeline, model_name="ember", model_size=(256, 144))
    assert plan.notes == ("the timeline was made for reward-forcing at 832x480; it plays on ember at 256x144", "n")
    assert plan.size_hint == (832, 480)
    assert timeline_plan(timeline, model_name="ember").notes == (
        "the timeline was made for reward-forcing; it plays on ember",
        "n",
    )
    assert timeline_plan(timeline, model_name="reward-forcing-1.3b", model_size=(832, 480)).notes == ("n",)
    assert timeline_plan(timeline).notes == ("n",)
