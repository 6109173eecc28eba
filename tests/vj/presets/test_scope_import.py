"""Scope's files play as Scope played them; a wrong one is one sentence with file, key and value."""

import json
import os
from pathlib import Path

import pytest

from vj.presets.prompt_mixing import PADS, text_address, weight_address
from vj.presets.scope_import import load_scope_timeline
from vj.presets.timeline import timeline_plan
from vj.presets.timeline_files import load_timeline
from vj.written_files import FileError

DATA = Path(__file__).parents[2] / "data" / "timelines"
PUBLISHED = os.environ.get("VJ_SCOPE_TIMELINES", "")  # a folder with Scope's own twelve examples: not ours to ship


def shares(weights: dict[str, float]) -> dict[str, float]:
    total = sum(weights.values())
    return {text: round(weight / total, 6) for text, weight in weights.items() if weight}


def played(name: str) -> list[tuple[float, dict[str, float]]]:
    cues = timeline_plan(load_scope_timeline(DATA / name)).cues
    return [
        (
            cue.at_s,
            shares(dict(zip(cue.params.prompt_texts, cue.params.prompt_weights, strict=True))),
        )
        for cue in cues
    ]


@pytest.fixture
def load(tmp_path):
    def write_and_load(content: object):
        path = tmp_path / "set.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return load_timeline(path)[0]

    return write_and_load


def entry(start: object = 0, end: object = 1, **rest: object) -> dict[str, object]:
    return {"startTime": start, "endTime": end, "prompts": [{"text": "ink", "weight": 100}], **rest}


def test_version_1_0_has_a_text_per_entry():
    assert played("version_1_0.json") == [(0.0, {"Blue ink in water.": 1.0}), (4.0, {"Golden sparks at night.": 1.0})]
    assert load_scope_timeline(DATA / "version_1_0.json").length == 9.5


def test_version_2_0_normalises_weights_holds_gaps_and_notes_what_it_leaves_out():
    assert played("version_2_0.json") == [
        (0.0, {"Green cells, slow.": 1.0}),
        (7.0, {"Red fire.": 0.25, "Smoke.": 0.75}),
    ]
    timeline = load_scope_timeline(DATA / "version_2_0.json")
    assert (timeline.seed, timeline.size, timeline.model) == (42, (512, 512), "streamdiffusionv2")
    assert timeline.notes == (
        "settings.denoisingSteps [700, 500] begins below 1000: it applies only with an input, "
        "the model's own steps play",
    )


def test_version_2_1_blends_over_chunks():
    assert played("version_2_1.json") == [
        (0.0, {"Violet smoke.": 1.0}),
        (3.0, {"Violet smoke.": 0.75, "Orange smoke.": 0.25}),
        (3.75, {"Violet smoke.": 0.5, "Orange smoke.": 0.5}),
        (4.5, {"Violet smoke.": 0.25, "Orange smoke.": 0.75}),
        (5.25, {"Orange smoke.": 1.0}),
    ]
    timeline = load_scope_timeline(DATA / "version_2_1.json")
    assert (timeline.seed, timeline.size, timeline.notes) == (99, (832, 480), ())
    assert [cue.params.blend_mode for cue in timeline_plan(timeline).cues] == ["linear", *["spherical"] * 3, "linear"]


def test_a_workflow_plays_its_timeline_on_its_main_pipeline():
    timeline = load_scope_timeline(DATA / "stage.scope-workflow.json")
    assert [text for _, text in played("stage.scope-workflow.json")][-1] == {"B": 1.0}
    assert (timeline.name, timeline.model, timeline.size, timeline.seed) == ("stage", "longlive", (576, 320), 12)
    assert len(timeline.notes) == 2


def test_a_workflow_without_a_timeline_plays_its_prompts(load):
    timeline = load({"format": "scope-workflow", "timeline": None, "prompts": [{"text": "ink", "weight": 1}]})
    assert timeline.cues[0].values[text_address(1)] == "ink"
    with pytest.raises(FileError, match="neither a timeline nor prompts"):
        load({"format": "scope-workflow"})


def test_a_timeline_is_known_by_what_is_in_it(tmp_path):
    path = tmp_path / "saved.txt"
    path.write_text((DATA / "version_2_0.json").read_text())
    assert load_timeline(path)[0].seed == 42


def test_more_prompts_than_pads_keep_the_heaviest_and_say_so(load):
    weights = {"a": 10, "b": 5, **dict.fromkeys("cdefghijklmno", 20), "p": 60, "q": 5, "r": 30}
    lines = [{"text": text, "weight": weight} for text, weight in weights.items()]
    timeline = load({"prompts": [entry(prompts=lines)]})
    values = timeline.cues[0].values
    assert [values[text_address(n)] for n in PADS] == [*"acdefghijklmno", "p", "r"]
    assert values[weight_address(15)] == 0.6, "weights stay as written, of 100"
    assert timeline.notes == ("prompts[0].prompts: 18 prompts; the 16 heaviest play",)


def test_overlaps_play_as_in_scope_and_empty_entries_are_gaps(load):
    timeline = load({"prompts": [entry(4, 8), entry(0, 5), entry(2, 3), entry(8, 9, prompts=[]), entry(9, 9)]})
    assert [cue.at for cue in timeline.cues] == [0.0, 5.0]
    assert timeline.length == 9.0
    assert [cue.end for cue in timeline.cues] == [None, 8.0]


def test_unknown_keys_and_nulls_are_passed_over(load):
    settings = {"seed": None, "resolution": None, "denoisingSteps": None, "loras": None, "new": {"a": 1}}
    timeline = load({"prompts": [entry(glow=1, transitionSteps=None)], "settings": settings, "version": "9.9"})
    assert (timeline.seed, timeline.size, timeline.notes) == (None, None, ())


def test_silent_prompts_share_alike_and_heavy_ones_are_scaled_down(load):
    values = load({"prompts": [entry(prompts=[{"text": "a", "weight": 0}, "b"])]}).cues[0].values
    assert (values[weight_address(1)], values[weight_address(2)]) == (0.0, 1.0)
    values = load({"prompts": [entry(prompts=[{"text": "a", "weight": 0}, {"text": "b", "weight": 0}])]}).cues[0].values
    assert (values[weight_address(1)], values[weight_address(2)]) == (1.0, 1.0)
    lines = [{"text": "a", "weight": 50}, {"text": "b", "weight": 200}]
    values = load({"prompts": [entry(prompts=lines)]}).cues[0].values
    assert (values[weight_address(1)], values[weight_address(2)]) == (0.25, 1.0)


def test_a_seed_beyond_ours_is_clamped_and_noted(load):
    timeline = load({"prompts": [entry()], "settings": {"seed": 2**40}})
    assert timeline.seed == 2**31 - 1
    assert "largest seed" in timeline.notes[0]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "is not JSON"),
        ("{", "is not JSON"),
        ('{"prompts": [NaN]}', "NaN is no number"),
        ("[" * 100000, "is not JSON"),
        ("[]", 'has neither "prompts"'),
        ("5", 'has neither "prompts"'),
        ({"version": "2.1"}, 'has neither "prompts"'),
        ({"prompts": None}, "prompts is missing; it must be a list"),
        ({"prompts": "ink"}, "prompts is 'ink'; it must be a list"),
        ({"prompts": []}, "prompts has no entry"),
        ({"prompts": [3]}, r"prompts\[0\] is 3; it must be a table"),
        ({"prompts": [entry("0")]}, r"prompts\[0\].startTime is '0'; it must be a number of 0 or more"),
        ({"prompts": [entry(True)]}, r"prompts\[0\].startTime is True"),
        ({"prompts": [entry(-1)]}, r"prompts\[0\].startTime is -1"),
        ({"prompts": [entry(0, None)]}, r"prompts\[0\].endTime is missing"),
        ({"prompts": [entry(5, 4)]}, r"prompts\[0\].endTime is 4.0; it must be 5 or more"),
        ({"prompts": [entry(prompts={"a": 1})]}, r"prompts\[0\].prompts is .*must be a list"),
        ({"prompts": [entry(prompts=[{"text": 3}])]}, r"prompts\[0\].prompts\[0\].text is 3; it must be a text"),
        ({"prompts": [entry(prompts=[{"text": "a", "weight": -1}])]}, r"prompts\[0\].weight is -1"),
        ({"prompts": [entry(transitionSteps=1.5)]}, "transitionSteps is 1.5; it must be a whole number"),
        ({"prompts": [entry(transitionSteps=10**12)]}, "it must be at most 115200, a day"),
        ({"prompts": [entry(temporalInterpolationMethod="cubic")]}, "is 'cubic'; it must be linear or slerp"),
        ({"prompts": [entry()], "settings": 3}, "settings is 3; it must be a table"),
        ({"prompts": [entry()], "settings": {"seed": "x"}}, "settings.seed is 'x'"),
        ({"prompts": [entry()], "settings": {"resolution": {"width": 8, "height": "x"}}}, "resolution.height is 'x'"),
        ({"prompts": [entry()], "settings": {"denoisingSteps": 5}}, "denoisingSteps is 5; it must be a list"),
        ({"prompts": [entry()], "settings": {"denoisingSteps": ["a"]}}, r"denoisingSteps\[0\] is 'a'"),
        ({"format": "scope-workflow", "timeline": {"entries": 4}}, "timeline.entries is 4; it must be a list"),
        ({"format": "scope-workflow", "pipelines": 4}, "pipelines is 4; it must be a list"),
    ],
)
def test_a_wrong_file_is_one_sentence(load, content, sentence):
    with pytest.raises(FileError, match=sentence) as error:
        load(content)
    assert "set.json: " in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("steps", [[1000, 750, 500, 250], []])
def test_the_full_step_list_means_the_models_own_steps(load, steps):
    assert load({"prompts": [entry()], "settings": {"denoisingSteps": steps}}).notes == ()


@pytest.mark.skipif(not PUBLISHED, reason="VJ_SCOPE_TIMELINES names no folder with the published timelines")
def test_every_published_timeline_plays():
    files = sorted(Path(PUBLISHED).glob("*.json"))
    assert len(files) == 12
    for path in files:
        written = json.loads(path.read_text())
        plan = timeline_plan(load_scope_timeline(path))
        starts = [line["startTime"] for line in written["prompts"]]
        texts = [line["prompts"][0]["text"].strip() for line in written["prompts"]]
        assert [cue.at_s for cue in plan.cues] == starts, path.name
        assert [cue.params.prompt_texts[0] for cue in plan.cues] == texts
        assert {cue.params.seed for cue in plan.cues} == {written["settings"]["seed"]}
        assert plan.length_s == written["prompts"][-1]["endTime"]
