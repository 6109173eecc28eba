"""A recipe: the stages of a model by one command that goes on."""

import json
from pathlib import Path

import pytest

from engine.model_presets import load_preset
from engine.training.command_line import RECIPES, main
from engine.training.config import SettingsError
from engine.training.recipe import Line, follow, read_recipe
from engine.training.stages import STAGES


def write(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize("recipe", sorted(RECIPES.rglob("*.toml")), ids=lambda path: path.stem)
def test_shipped_recipes_are_in_order(recipe: Path, tmp_path: Path):
    assert main(["recipe", "--config", str(recipe), "--out", str(tmp_path), "--check"]) == 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[[line]]\nstage = "bakn"', "line 1: stage = 'bakn' is none of"),
        ('[[line]]\nstage = "bank"\nsteps = 3', "known are config, name, set, stage"),
        ('[[line]]\nstage = "bank"\nset = "clips=3"', 'must be a list of "KEY=VALUE"'),
        ('[[line]]\nstage = "bank"\n[[line]]\nstage = "bank"', "bank is there twice"),
        ("", "a recipe has a"),
    ],
)
def test_slips_are_told(text: str, told: str, tmp_path: Path):
    with pytest.raises(SettingsError, match=told):
        read_recipe(write(tmp_path / "a.toml", text), tuple(STAGES), tmp_path)


def test_it_goes_on_where_it_stopped(tmp_path: Path):
    lines = (Line("text"), Line("bank"), Line("causal"))
    ran: list[str] = []
    stops = iter([True, False, True, True])  # the second line needs two goes

    def run_line(line: Line, minutes: float) -> tuple[str, bool]:
        ran.append(line.folder)
        return f"{line.folder} ran", next(stops)

    assert "1 of 3 lines are done" in follow(lines, tmp_path, 5.0, run_line)
    assert "all 3 lines are done" in follow(lines, tmp_path, 0.0, run_line)
    assert ran == ["text", "bank", "bank", "causal"]
    assert json.loads((tmp_path / "recipe.json").read_text())["bank"]["done"]
    assert follow(lines, tmp_path, 0.0, run_line) == "all 3 lines are done"


def test_the_runs_own_files_make_a_model(tmp_path: Path):
    recipe = write(tmp_path / "a.toml", '[[line]]\nstage = "model"\nset = ["transformer=causal/generator.safetensors"]')
    assert main(["recipe", "--config", str(recipe), "--out", str(tmp_path / "run")]) == 0
    preset = load_preset(str(tmp_path / "run" / "model.toml"))
    assert preset.transformer_file == tmp_path / "run" / "causal" / "generator.safetensors"
    assert preset.decoder.file == tmp_path / "run" / "autoencoder.safetensors"
    assert preset.text.file == tmp_path / "run" / "text.safetensors"
