"""What a run leaves to be looked at: figures and plots of every stage, and its transformers side by side."""

import json
import shutil
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from engine.training.command_line import main
from engine.training.curves import CurvesSettings, read_run, thinned, write_curves

EMBER = Path(__file__).resolve().parents[3] / "engine" / "ember"


def test_figures_of_every_stage_become_one_file_and_a_plot_each(tmp_path: Path):
    (tmp_path / "causal").mkdir()
    rows = [{"step": step, "at": "12:00", "generator.loss": 1.0 / step, "skipped": 0} for step in range(1, 11)]
    log = "".join(json.dumps(row) + "\n" for row in rows) + '{"step": 11, "gene'  # killed while it wrote
    (tmp_path / "causal" / "figures.jsonl").write_text(log)
    (tmp_path / "text.jsonl").write_text('{"step": 1, "loss": 3.0}\n{"step": 2, "loss": 1.0}\n')
    (tmp_path / "recipe.json").write_text('{"causal": {"done": true, "said": "", "minutes": 2.5}}')
    assert main(["curves", "--out", str(tmp_path), "--set", "points=5"]) == 0
    report = json.loads((tmp_path / "curves" / "figures.json").read_text())
    assert report["lines"]["causal"]["minutes"] == 2.5
    assert [row["step"] for row in report["stages"]["causal"]] == [2, 4, 6, 8, 10]
    assert report["stages"]["causal"][0]["generator.loss"] == pytest.approx(0.75)
    for name in ("causal", "text", "run"):
        drawn = ElementTree.parse(tmp_path / "curves" / f"{name}.svg")
        lines = drawn.iter("{http://www.w3.org/2000/svg}polyline")
        assert len(list(lines)) == (4 if name == "run" else 2)


def test_an_empty_run_is_a_sentence_and_short_curves_stay_as_they_are(tmp_path: Path):
    with pytest.raises(ValueError, match="no stage has left figures here yet"):
        write_curves(CurvesSettings(), tmp_path)
    rows = [{"step": 1.0, "loss": 2.0}, {"step": 2.0, "loss": 1.0}]
    assert thinned(rows, 2) == rows
    assert read_run(tmp_path) == {}
    with pytest.raises(ValueError, match="points = 1 must be at least 2"):
        CurvesSettings(points=1)


def test_transformers_of_a_run_are_asked_for_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    for name in ("autoencoder", "text"):
        shutil.copy(EMBER / f"{name}.safetensors", tmp_path)
    (tmp_path / "causal").mkdir()
    shutil.copy(EMBER / "transformer.safetensors", tmp_path / "causal" / "generator.safetensors")
    few = ["--set=captions=1", "--set=seconds=0.5", "--set=size=64x48"]
    assert main(["compare", "--out", str(tmp_path), *few]) == 2
    assert "redmd/generator.safetensors: there is no such file" in capsys.readouterr().err
    assert main(["compare", "--out", str(tmp_path), *few, "--set=variants=['causal']"]) == 0
    table = json.loads((tmp_path / "compare.json").read_text())
    assert table["causal"]["reward_looks_looks"] > 0.0
    assert table["causal"]["frames"] == 8
    assert (tmp_path / "causal.toml").is_file()
