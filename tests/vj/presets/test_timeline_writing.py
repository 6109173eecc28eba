"""Timelines written: ours and Scope's, and back, with every text, weight and time."""

import json
import os
import random
from pathlib import Path

import pytest

from engine.parameter import Parameter
from vj.parameters import PARAMETERS
from vj.presets.prompt_mixing import PADS, text_address, weight_address
from vj.presets.timeline import Timeline, TimelineCue, timeline_steps
from vj.presets.timeline_files import load_timeline
from vj.presets.timeline_writing import convert_timeline, cue_line
from vj.written_files import FileError

DATA = Path(__file__).parents[2] / "data" / "timelines"
PUBLISHED = os.environ.get("VJ_SCOPE_TIMELINES", "")  # a folder with Scope's own twelve examples: not ours to ship
LETTERS = "abcäß語\"'\\\n\t{}[]#=,\u2028\U0001f30a "


def random_text(dice: random.Random) -> str:
    return "x" + "".join(dice.choice(LETTERS) for _ in range(dice.randrange(60))).strip()


def random_value(parameter: Parameter, dice: random.Random):
    if parameter.kind == "float":
        return dice.uniform(parameter.minimum, parameter.maximum)
    if parameter.kind == "int":
        return dice.randint(int(parameter.minimum), int(parameter.maximum))
    if parameter.kind == "choice":
        return dice.choice(parameter.choices)
    return random_text(dice) if parameter.kind == "text" else dice.random() < 0.5


def random_timeline(dice: random.Random) -> Timeline:
    cues = []
    at = 0.0
    for _ in range(dice.randint(1, 6)):
        addresses = dice.sample(sorted(PARAMETERS), dice.randint(1, 8))
        values = {address: random_value(PARAMETERS[address], dice) for address in addresses}
        blend, chunks = dice.choice([("", 0), ("spherical", 3), ("linear", 0)])
        cues.append(
            TimelineCue(at, values, dice.choice([0.0, dice.random()]), chunks, blend, dice.choice(["", "hard"]))
        )
        at += dice.uniform(0.01, 50.0)
    return Timeline(
        random_text(dice),
        tuple(cues),
        length=dice.choice([None, at]),
        seed=dice.choice([None, 0, 2**31 - 1]),
        size=dice.choice([None, (832, 480)]),
        model=dice.choice(["", "longlive"]),
        unit=dice.choice(["seconds", "beats", "bars"]),
        tempo_bpm=dice.choice([120.0, 97.3]),
        beats_per_bar=dice.choice([4.0, 3.0]),
        description=random_text(dice),
    )


@pytest.mark.parametrize("seed", range(25))
def test_any_timeline_of_ours_is_read_back_as_it_was_written(tmp_path, seed):
    timeline = random_timeline(random.Random(seed))
    if timeline.unit == "seconds":
        timeline = Timeline(**{**vars(timeline), "tempo_bpm": 120.0})  # a tempo nothing is counted in is not written
    convert_timeline(timeline, tmp_path / "t.toml")
    assert load_timeline(tmp_path / "t.toml") == (timeline, ())


def random_scope_file(dice: random.Random) -> dict[str, object]:
    entries, at = [], 0.0
    for _ in range(dice.randint(1, 5)):
        start = at + dice.choice([0.0, dice.uniform(0.1, 3.0)])
        at = start + dice.uniform(0.1, 20.0)
        weights = dice.choice([[100], [70, 30], [100, 100, 7], [dice.randint(1, 100) for _ in range(16)]])
        prompts = [{"text": random_text(dice), "weight": weight} for weight in weights]
        chunks = dice.choice([0, 4])
        entry = {"startTime": start, "endTime": at, "prompts": prompts, "transitionSteps": chunks}
        entry["temporalInterpolationMethod"] = "slerp" if chunks else "linear"
        entries.append(entry)
    settings = {"pipelineId": "longlive", "resolution": {"height": 320, "width": 576}, "seed": dice.randrange(2**31)}
    return {"prompts": entries, "settings": settings, "version": "2.1"}


def kept(path: Path) -> list[tuple[object, ...]]:
    """Every text, weight, time and transition of a Scope file."""
    file = json.loads(path.read_text())
    keys = ("startTime", "endTime", "transitionSteps", "temporalInterpolationMethod")
    if "timeline" in file:
        keys = ("start_time", "end_time", "transition_steps", "temporal_interpolation_method")
        full, entries = 1.0, file["timeline"]["entries"]
    else:
        full, entries = 100.0, file["prompts"]
    return [
        (
            *(entry.get(key) or 0 for key in keys[:3]),
            (entry.get(keys[3]) or "linear") if entry.get(keys[2]) else "",
            *((line["text"].strip(), round(line["weight"] / full, 9)) for line in entry["prompts"]),
        )
        for entry in entries
    ]


def played(timeline: Timeline) -> list[tuple[object, ...]]:
    """What changes when; a share that is no whole hundredth may differ in its sixteenth digit."""
    return [
        (step.at_s, step.cut, {a: round(v, 12) if isinstance(v, float) else v for a, v in step.changes.items()})
        for step in timeline_steps(timeline)
    ]


@pytest.mark.parametrize("way", [["json"], ["toml", "json"], ["scope-workflow.json", "toml", "json"]], ids=" ".join)
@pytest.mark.parametrize("seed", range(8))
def test_any_scope_timeline_keeps_texts_weights_and_times(tmp_path, seed, way):
    first = path = tmp_path / "first.json"
    first.write_text(json.dumps(random_scope_file(random.Random(seed))))
    for step, suffix in enumerate(way):
        out = tmp_path / f"step_{step}.{suffix}"
        assert convert_timeline(load_timeline(path)[0], out) == ()
        path = out
    assert kept(path) == kept(first)
    assert (load_timeline(path)[0].seed, load_timeline(path)[0].size) == (load_timeline(first)[0].seed, (576, 320))


@pytest.mark.parametrize(
    "name", ["version_1_0.json", "version_2_0.json", "version_2_1.json", "stage.scope-workflow.json"]
)
@pytest.mark.parametrize("suffix", ["toml", "json", "scope-workflow.json"])
def test_every_version_plays_the_same_after_a_round_trip(tmp_path, name, suffix):
    timeline, _ = load_timeline(DATA / name)
    convert_timeline(timeline, tmp_path / f"t.{suffix}")
    again, problems = load_timeline(tmp_path / f"t.{suffix}")
    assert problems == ()
    assert played(again) == played(timeline)
    assert (again.seed, again.size, again.model, again.length) == (
        timeline.seed,
        timeline.size,
        timeline.model or ("" if suffix == "toml" else "reward-forcing"),
        timeline.length,
    )


@pytest.mark.skipif(not PUBLISHED, reason="VJ_SCOPE_TIMELINES names no folder with the published timelines")
def test_every_published_timeline_survives_both_ways(tmp_path):
    for path in sorted(Path(PUBLISHED).glob("*.json")):
        convert_timeline(load_timeline(path)[0], tmp_path / "a.toml")
        convert_timeline(load_timeline(tmp_path / "a.toml")[0], tmp_path / "b.scope-workflow.json")
        convert_timeline(load_timeline(tmp_path / "b.scope-workflow.json")[0], tmp_path / "c.json")
        assert kept(tmp_path / "c.json") == kept(path), path.name


def test_what_scope_cannot_hold_is_named(tmp_path):
    cues = (
        TimelineCue(0.0, {text_address(1): "a", "/vj/seed/value": 1}),
        TimelineCue(4.0, {weight_address(2): 0.5, text_address(2): "b", "/vj/effect/hue": 9.0}, fade=1.0, cut="hard"),
        TimelineCue(8.0, {"/vj/seed/value": 2, "/vj/prompt/2/solo": True}),
    )
    notes = convert_timeline(Timeline("t", cues, unit="beats", tempo_bpm=120.0), tmp_path / "t.json")
    assert notes == (
        "Scope has no cuts in a timeline: those at 2 s are left out",
        "Scope's timelines have one seed: later ones are left out",
        "Scope's timelines hold prompts alone: values of effect are left out",
    )
    assert kept(tmp_path / "t.json") == [
        (0, 2, 0, "", ("a", 1.0)),
        (2, 4, 1, "linear", ("a", 1.0), ("b", 0.5)),
        (4, 4.75, 0, "", ("b", 0.5)),
    ]


def test_a_name_that_asks_for_no_format_is_one_sentence(tmp_path):
    with pytest.raises(FileError, match=r"ends in \.toml"):
        convert_timeline(Timeline("t", (TimelineCue(0.0, {}, cut="hard"),)), tmp_path / "t.mp4")


def test_a_cue_is_told_in_one_line():
    values = {text_address(n): "" for n in PADS} | {
        text_address(2): "ink",
        weight_address(2): 0.5,
        weight_address(1): 0,
    }
    line = cue_line(TimelineCue(4.0, values | {"/vj/effect/hue": 9.0}, fade=2.0, cut="soft"), "bars")
    assert line == "    4.00 bars  2: 'ink' 0.50   /vj/effect/hue = 9.0  over 2 bars  soft cut"
