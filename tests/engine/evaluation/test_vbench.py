"""VBench's scores against published rows, and the official program as a subprocess, played by a script."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path

import pytest

from engine.evaluation.vbench_run import VbenchError, read_vbench_results, run_vbench
from engine.evaluation.vbench_scores import DIMENSIONS, total_score, vbench_scores

# Quality, Semantic, Total, in percent, as published with arXiv:2601.16933 and arXiv:2512.04678
PUBLISHED = {
    "Wan2.1": (85.30, 80.09, 84.26),
    "CausVid": (84.05, 69.80, 81.20),
    "Self Forcing": (85.07, 81.28, 84.31),
    "ODE initialisation": (73.27, 50.81, 68.77),
    "reward feedback": (85.91, 80.97, 84.92),
    "Reward Forcing": (84.84, 81.32, 84.13),
}


@pytest.mark.parametrize("model", PUBLISHED)
def test_totals_are_those_that_were_published(model: str):
    quality, semantic, total = PUBLISHED[model]
    assert total_score(quality, semantic) == pytest.approx(total, abs=0.011)


@pytest.mark.parametrize("model", PUBLISHED)
def test_dimensions_that_hold_a_published_score_give_its_total(model: str):
    quality, semantic, total = (value / 100.0 for value in PUBLISHED[model])
    raw = {
        name: one.low + (one.high - one.low) * (quality if one.is_quality else semantic)
        for name, one in DIMENSIONS.items()
    }
    scores = vbench_scores(raw)
    assert scores.missing == ()
    assert (scores.quality, scores.semantic) == pytest.approx((quality, semantic))
    assert scores.total == pytest.approx(total, abs=1.1e-4)


def test_the_ends_of_every_dimension_are_0_and_1_and_dynamic_degree_weighs_half():
    assert vbench_scores({name: one.high for name, one in DIMENSIONS.items()}).total == pytest.approx(1.0)
    lowest = {name: one.low for name, one in DIMENSIONS.items()}
    assert vbench_scores(lowest).total == pytest.approx(0.0)
    assert vbench_scores(lowest | {"dynamic_degree": 1.0}).quality == pytest.approx(0.5 / 6.5)
    assert vbench_scores(lowest | {"aesthetic_quality": 1.0}).quality == pytest.approx(1.0 / 6.5)
    assert vbench_scores(lowest | {"scene": 0.4111}).semantic == pytest.approx(0.5 / 9)
    assert sum(one.is_quality for one in DIMENSIONS.values()) == 7
    assert len(DIMENSIONS) == 16


def test_missing_dimensions_are_named_and_count_as_raw_0():
    full = {name: one.high for name, one in DIMENSIONS.items()}
    scores = vbench_scores({name: value for name, value in full.items() if name != "motion_smoothness"})
    assert scores.missing == ("motion_smoothness",)
    below_zero = (0.0 - 0.706) / (0.9975 - 0.706)  # not clamped, as published
    assert scores.quality == pytest.approx((5.5 + below_zero) / 6.5)


def test_what_is_no_dimension_or_no_number_is_refused():
    with pytest.raises(ValueError, match="sharpness is no VBench dimension"):
        vbench_scores({"sharpness": 0.5})
    with pytest.raises(ValueError, match="a number is needed"):
        vbench_scores({"scene": float("nan")})


OFFICIAL = """#!{python}
import json, pathlib, sys
words = sys.argv[1:]
assert words[:2] == ["--quiet", "evaluate"], words
options = dict(zip(words[2::2], words[3::2]))
dimension, out = options["--dimension"], pathlib.Path(options["--output_path"])
if dimension == "scene":
    print("CUDA is not available")
    sys.exit(0)
videos = [str(path) for path in pathlib.Path(options["--videos_path"]).iterdir()]
rows = [{{"video_path": path, "video_results": 0.5}} for path in videos]
(out / "results_2026-01-01-00:00:00_eval_results.json").write_text(json.dumps({{dimension: [0.5, rows]}}))
(out / "results_2026-01-01-00:00:00_full_info.json").write_text("[]")
assert options["--mode"] == "vbench_standard"
"""


@pytest.fixture
def official(tmp_path: Path) -> Path:
    program = tmp_path / "their vbench"
    program.write_text(OFFICIAL.format(python=sys.executable), "utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def test_the_official_program_is_run_per_dimension_and_its_failures_are_told(official: Path, tmp_path: Path):
    clips = tmp_path / "clips"
    clips.mkdir()
    (clips / "a cat-0.mp4").touch()
    told: list[str] = []
    run = run_vbench(f"'{official}' --quiet", clips, ["color", "scene"], told.append, is_standard=True)
    assert run.raw == {"color": 0.5}
    assert run.per_video == {"color": {str(clips / "a cat-0.mp4"): 0.5}}
    assert run.failures == ("VBench did not measure scene: CUDA is not available",)
    assert told == ["VBench: color", "VBench: scene", *run.failures]


def test_a_program_that_is_not_there_is_a_sentence(tmp_path: Path):
    with pytest.raises(VbenchError, match="there is no such program; make an environment"):
        run_vbench(str(tmp_path / "vbench"), tmp_path, ["color"], print, is_standard=True)


def test_result_files_of_both_spellings_are_read(tmp_path: Path):
    (tmp_path / "a_eval_results.json").write_text(json.dumps({"subject consistency": [0.9]}), "utf-8")
    (tmp_path / "b_eval_results.json").write_text(json.dumps({"color": [1, [{"video_path": "x"}]]}), "utf-8")
    assert read_vbench_results([tmp_path]).raw == {"subject_consistency": 0.9, "color": 1.0}


@pytest.mark.parametrize(
    ("text", "words"),
    [("[1]", "a table of dimensions"), ("{", "not JSON"), ('{"hue": [1]}', "hue"), ('{"scene": []}', "no value")],
)
def test_a_bad_result_file_is_a_sentence(tmp_path: Path, text: str, words: str):
    path = tmp_path / "x_eval_results.json"
    path.write_text(text, "utf-8")
    with pytest.raises(VbenchError, match=words) as raised:
        read_vbench_results([path])
    assert str(path) in str(raised.value)
