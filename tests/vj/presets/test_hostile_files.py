"""Files of random tables under real keys: every reader answers with sentences, never with a traceback."""

import random
from pathlib import Path

import pytest
import tomlkit

from vj.parameters import ALL_PARAMETERS
from vj.presets.looks import load_look, look_plan
from vj.presets.show import Show
from vj.presets.show_file import FILE_NAME, read_show, show_text
from vj.presets.timeline import timeline_plan
from vj.presets.timeline_files import load_timeline
from vj.presets.timeline_writing import convert_timeline, cue_line
from vj.written_files import FileError

ADDRESSES = list(ALL_PARAMETERS)
KEYS = [
    "name",
    "description",
    "groups",
    "values",
    "unit",
    "tempo_bpm",
    "beats_per_bar",
    "seed",
    "length",
    "size",
    "model",
    "cues",
    "at",
    "end",
    "look",
    "fade",
    "fade_chunks",
    "fade_blend",
    "cut",
    "folder",
    "display",
    "timeline",
    "mappings",
    "look_slots",
    "loras",
    "slot",
    "file",
    "sha256",
    "fade_s",
    "follow_beats",
    "note",
    "position",
    "1",
    "16",
]
WORDS = ("hard", "bars", "prompt", "deep_sea", "", "x" * 300, "a\0b", "../..", "spherical", "none", "on", "1e999")
NUMBERS = (0, 1, -1, 3, 2**31, 10**30, 0.5, -1.5, 1e300, float("inf"), float("nan"), 86400.0, 1e-320)


def random_value(dice: random.Random, depth: int) -> object:
    kind = dice.random()
    if kind < 0.3:
        return dice.choice(WORDS)
    if kind < 0.65 or depth > 3:
        return dice.choice(NUMBERS)
    if kind < 0.7:
        return dice.random() < 0.5
    if kind < 0.85:
        return [random_value(dice, depth + 1) for _ in range(dice.randrange(4))]
    keys = [dice.choice(KEYS if dice.random() < 0.6 else ADDRESSES) for _ in range(dice.randrange(6))]
    return {key: random_value(dice, depth + 1) for key in keys}


def random_file(dice: random.Random) -> str:
    file = {key: random_value(dice, 0) for key in dice.sample(KEYS, dice.randrange(1, 9))}
    if dice.random() < 0.7:
        keys = [*KEYS, *["at"] * 5]
        file["cues"] = [{key: random_value(dice, 1) for key in dice.sample(keys, 4)} for _ in range(3)]
    if dice.random() < 0.7:
        file["values"] = {dice.choice(ADDRESSES): random_value(dice, 2) for _ in range(6)}
    return tomlkit.dumps(file)


def read_everything(path: Path) -> int:
    """Read a file in every way there is; return how many of them found something to play."""

    def convert(suffix: str) -> None:
        out = path.with_name(f"out.{suffix}")
        convert_timeline(load_timeline(path)[0], out)
        load_timeline(out)

    ways = (
        lambda: look_plan(load_look(path)[0]),
        lambda: timeline_plan(load_timeline(path)[0]),
        lambda: [cue_line(cue, "s") for cue in load_timeline(path)[0].cues],
        lambda: convert("json"),
        lambda: convert("toml"),
        lambda: show_text(read_show(path)[0]),
        lambda: Show.load(path.parent),
    )
    played = 0
    for way in ways:
        try:
            way()
            played += 1
        except FileError as error:
            assert "\n" not in str(error)
    return played


@pytest.mark.parametrize("seed", range(4))
def test_random_files_end_in_sentences(tmp_path, seed):
    dice = random.Random(seed)
    played = 0
    for _ in range(60):
        path = tmp_path / FILE_NAME
        path.write_text(random_file(dice))
        played += read_everything(path)
    assert played > 60, "most files have something that plays"
