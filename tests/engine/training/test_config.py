"""Settings files: shipped ones are whole, wrong ones are sentences; the command's exit codes."""

from pathlib import Path

import pytest

from engine.training.__main__ import DEFAULT_CONFIGS, main
from engine.training.config import SETTINGS, SettingsError, read_settings


@pytest.mark.parametrize("path", sorted(DEFAULT_CONFIGS.glob("*.toml")), ids=lambda path: path.stem)
def test_shipped_settings_can_be_read(path: Path) -> None:
    stage = path.stem.split("_")[0]
    assert isinstance(read_settings(stage, path), SETTINGS[stage])


def test_every_stage_has_settings() -> None:
    assert {path.stem.split("_")[0] for path in DEFAULT_CONFIGS.glob("*.toml")} == set(SETTINGS)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("hald = 0.4", "did you mean hold"),
        ("hold = 'long'", "is no float"),
        ("hold = -1", "must not be negative"),
        ("hold = ", "is not TOML"),
        ("zzz = 1", "known are"),
    ],
)
def test_wrong_settings_are_sentences(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "causal.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=sentence):
        read_settings("causal", path)


def test_the_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["text", "--config", str(tmp_path / "none.toml")]) == 2
    assert "cannot be read" in capsys.readouterr().err
    settings = tmp_path / "causal.toml"
    settings.write_text("minutes = 1")
    assert main(["causal", "--config", str(settings), "--out", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith("causal: ")
