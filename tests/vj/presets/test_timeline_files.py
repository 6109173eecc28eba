"""Timelines as people write them in TOML."""

import pytest

from vj.presets.prompt_mixing import text_address
from vj.presets.timeline_files import load_timeline
from vj.written_files import FileError

CUE = '[[cues]]\nat = 0\nvalues = { "/vj/seed/value" = 1 }\n'


@pytest.fixture
def load(tmp_path):
    def write_and_load(text: str, name: str = "set.toml"):
        path = tmp_path / name
        path.write_text(text)
        return load_timeline(path)

    return write_and_load


@pytest.mark.parametrize(
    ("head", "unit_s"),
    [
        ("", 1.0),
        ('unit = "seconds"', 1.0),
        ('unit = "beats"\ntempo_bpm = 120', 0.5),
        ('unit = "bars"\ntempo_bpm = 120', 2.0),
        ('unit = "bars"\ntempo_bpm = 60\nbeats_per_bar = 3', 3.0),
    ],
)
def test_times_stay_in_the_unit_and_become_seconds_when_asked(load, head, unit_s):
    timeline, problems = load(f'{head}\nlength = 20\n{CUE}[[cues]]\nat = 4\nfade = 2\ncut = "hard"\n')
    assert problems == ()
    assert [cue.at for cue in timeline.cues] == [0.0, 4.0]
    spelled = timeline.in_seconds()
    assert [cue.at for cue in spelled.cues] == [0.0, 4 * unit_s]
    assert (spelled.cues[1].fade, spelled.cues[1].cut) == (2 * unit_s, "hard")
    assert spelled.length == 20 * unit_s
    assert timeline.name == "set"


def test_cues_play_looks_and_their_own_values_win(load, tmp_path):
    (tmp_path / "mine.toml").write_text('[values]\n"/vj/prompt/1/text" = "my ink"\n"/vj/seed/value" = 3\n')
    timeline, problems = load(
        '[[cues]]\nat = 0\nlook = "mine.toml"\nvalues = { "/vj/seed/value" = 8 }\n[[cues]]\nat = 1\nlook = "deep_sea"\n'
    )
    assert problems == ()
    assert timeline.cues[0].values == {text_address(1): "my ink", "/vj/seed/value": 8}
    assert "urquoise" in timeline.cues[1].values[text_address(1)]


def test_cues_are_put_in_order_of_time(load):
    timeline, _ = load(f'[[cues]]\nat = 9\ncut = "soft"\n{CUE}')
    assert [cue.at for cue in timeline.cues] == [0.0, 9.0]


@pytest.mark.parametrize(
    ("text", "key", "sentence"),
    [
        ('unit = "bar"', "unit", "'bar' is not one of seconds, beats, bars"),
        ('unit = "beats"', "tempo_bpm", "is missing for a timeline in beats; 120 is taken"),
        ('unit = "beats"\ntempo_bpm = 0', "tempo_bpm", "must be a number above 0, not 0"),
        ("size = [832]", "size", "must be [width, height] in pixels, not [832]"),
        ("model = 3", "model", "must be a text, not 3"),
        ('[[cues]]\nat = 1\nfade_chunks = 1.5\ncut = "hard"\n', "cues[1].fade_chunks", "a whole number of 0 to 115200"),
        (
            '[[cues]]\nat = 1\nfade_blend = "slerp"\ncut = "hard"\n',
            "cues[1].fade_blend",
            "'slerp' is not one of linear",
        ),
        ('seed = "x"', "seed", "'x' is not a number"),
        ("length = -1", "length", "must be a number of 0 or more, not -1"),
        ("tempo = 120", "tempo", "unknown key, did you mean 'tempo_bpm'"),
        ("[[cues]]\nat = -1\n", "cues[1].at", "must be a number of 0 or more, not -1"),
        ("[[cues]]\nat = nan\n", "cues[1].at", "not nan"),
        (f"[[cues]]\nat = 1{'0' * 400}\n", "cues[1].at", "must be a number of 0 or more"),
        ("[[cues]]\nat = 86401\n", "cues[1].at", "past the end of a day"),
        ('[[cues]]\nat = 1\nfade = 1e300\ncut = "hard"\n', "cues[1].fade", "past the end of a day"),
        ('[[cues]]\nat = "1"\n', "cues[1].at", "not '1'"),
        ('[[cues]]\ncut = "hard"\n', "cues[1].at", "is missing"),
        ("[[cues]]\nat = 1\n", "cues[1]", "changes nothing"),
        ('[[cues]]\nat = 1\ncut = "hart"\n', "cues[1].cut", "'hart' is not one of hard, soft"),
        ('[[cues]]\nat = 1\nlook = "deep_see"\n', "cues[1].look", "did you mean 'deep_sea'"),
        ("[[cues]]\nat = 1\nlook = 4\n", "cues[1].look", "must be a look's name, not 4"),
        ('[[cues]]\nat = 1\nfade = "long"\ncut = "hard"\n', "cues[1].fade", "not 'long'"),
        ('[[cues]]\nat = 1\nvalues = { "/vj/seed/valu" = 1 }\n', "cues[1].values./vj/seed/valu", "did you mean"),
        ("[[cues]]\nat = 1\nlok = 4\n", "cues[1].lok", "unknown key, did you mean 'look'"),
    ],
)
def test_what_is_wrong_is_told_and_the_rest_plays(load, text, key, sentence):
    timeline, problems = load(f"{text}\n{CUE}")
    assert timeline.cues[0].values == {"/vj/seed/value": 1}
    told = {problem.key: problem.sentence for problem in problems}
    assert sentence in told[key]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", r"has no \[\[cues\]\]"),
        ("cues = 3", r"has no \[\[cues\]\]"),
        ("cues = [3]", r"no cue that can be played .*must be a table, not 3"),
        ("[[cues]]\nat = 1", "no cue that can be played .*changes nothing"),
        ('unit = "bars"\ntempo_bpm = 5e-324\n[[cues]]\nat = 0', "no cue that can be played .*past the end of a day"),
        ("= 1", "is not TOML"),
    ],
)
def test_a_timeline_that_plays_nothing_is_one_sentence(load, text, sentence):
    with pytest.raises(FileError, match=rf"set\.toml: .*{sentence}"):
        load(text)
