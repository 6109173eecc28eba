"""Files of stages: shipped ones are whole, wrong ones are sentences before anything is computed; the exit codes."""

import re
from pathlib import Path

import pytest

from engine.training.command_line import DEFAULT_CONFIGS, main
from engine.training.config import SettingsError
from engine.training.stage import Job, Stage
from engine.training.stage_config import make_config, read_table
from engine.training.stages import STAGES, load_stage
from tests.engine.training.toy import TOY


@pytest.mark.parametrize("path", sorted(DEFAULT_CONFIGS.glob("*.toml")), ids=lambda path: path.stem)
def test_shipped_settings_can_be_read(path: Path) -> None:
    name = max((stage for stage in STAGES if re.match(rf"{stage}(?![a-z])", path.stem)), key=len)
    stage = load_stage(name)
    assert isinstance(make_config(name, stage, read_table(path), str(path)).settings, stage.settings)


@pytest.mark.parametrize("name", STAGES)
def test_every_stage_can_be_made_from_nothing_but_defaults(name: str) -> None:
    stage = load_stage(name)
    assert isinstance(stage, Stage | Job)
    make_config(name, stage, {}, "defaults")
    assert (DEFAULT_CONFIGS / f"{name}.toml").is_file()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("wieght = 0.4", r"toy.toml: wieght: stage toy has no such setting; did you mean weight\?"),
        ("weight = 'long'", r"toy.toml: weight = 'long' is no float, as 1.0 is"),
        ("weight = -1", "must not be negative"),
        ("weight = ", "is not TOML"),
        ("zzz = 1", "known are"),
        ("frames = 10", r"toy.toml: frames = 10 must be 9"),
        ("[trainer]\nstep = 4", r"\[trainer\] step: \[trainer\] has no such setting; did you mean steps\?"),
        ("[trainer]\nbatch = 6\nmicro_batch = 4", r"batch = 6 must be a multiple of micro_batch = 4"),
        ("[trainer]\ndtype = 'float8'", r"dtype = 'float8' must be one of float32, bfloat16"),
        ("[trainer]\nsteps = 0", r"steps = 0 must be at least 1"),
        ("[trainer]\nrecompute = true", "writes a cache"),
        (
            "[optimisers.critics]\nrate = 1e-5",
            r"\[optimisers.critics\]: stage toy has no such setting; did you mean critic",
        ),
        ("[optimisers.critic]\nkind = 'sgd'", r"\[optimisers.critic\] kind = 'sgd' must be one of adamw, muon"),
        ("trainer = 4", r"trainer = 4: must be a table, written \[trainer\]"),
    ],
)
def test_wrong_settings_are_sentences(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "toy.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=sentence):
        make_config("toy", TOY, read_table(path), str(path))


def test_words_of_the_command_line_stand_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "toy.toml"
    path.write_text("weight = 2\n[trainer]\nsteps = 5\n")
    words = ("trainer.steps=7", "trainer.dtype=float32", "optimisers.critic.rate=1e-3", "weight=3")
    config = make_config("toy", TOY, read_table(path, words), str(path))
    assert (config.trainer.steps, config.trainer.dtype, config.settings.weight) == (7, "float32", 3.0)
    assert config.optimisers["critic"].rate == 1e-3
    assert config.as_table()["optimisers"]["critic"]["rate"] == 1e-3
    with pytest.raises(SettingsError, match="must be KEY=VALUE"):
        read_table(path, ("trainer.steps",))


def test_the_command_says_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["text", "--config", str(tmp_path / "none.toml")]) == 2
    assert "cannot be read" in capsys.readouterr().err
    assert main(["text", "--out", str(tmp_path), "--minutes", "3"]) == 2
    assert "--set" in capsys.readouterr().err
    assert main(["text", "--check"]) == 0
    assert "in order" in capsys.readouterr().err

    monkeypatch.setattr("engine.training.command_line.load_stage", lambda name: TOY)
    toy = tmp_path / "toy.toml"
    toy.write_text("start_from = 'nowhere.safetensors'\n[trainer]\nshard = 3\n")
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert main(["redmd", "--config", str(toy), "--out", str(tmp_path / "run")]) == 2
    said = capsys.readouterr().err
    assert "nowhere.safetensors: there is no such file" in said
    assert "shard = 3 must divide the number of processes, 2" in said
    assert not (tmp_path / "run").exists()
