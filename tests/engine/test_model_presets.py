"""Model presets: found by name, file or folder; every problem told with file and key."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import engine
from engine import preset_folders
from engine.model.config import EMBER
from engine.model_presets import PresetError, list_presets, load_preset

ROOT = Path(__file__).resolve().parents[2]
COMPLETE = """
name = "mine"
[transformer]
file = "weights/t.safetensors"
dim = 64
num_heads = 2
[decoder]
kind = "wan_vae"
file = "vae.pth"
[text]
kind = "ngram"
file = "t5.safetensors"
[stream]
width = 832
height = 480
rate_fps = 16
"""


def written(folder: Path, text: str, name: str = "model.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_ember_ships_and_agrees_with_the_engines_own_geometry() -> None:
    preset = load_preset("ember")
    assert preset.name == "ember"
    assert preset.transformer == EMBER
    assert (preset.stream.width, preset.stream.height, preset.stream.rate_fps) == (256, 144, 16.0)
    package = Path(engine.__file__).resolve().parent
    files = [preset.transformer_file, preset.decoder.file, preset.text.file]
    assert [file.relative_to(package).as_posix() for file in files] == [
        "ember/transformer.safetensors",
        "ember/autoencoder.safetensors",
        "ember/text.safetensors",
    ]


def test_every_shipped_preset_loads() -> None:
    for name in list_presets():
        assert load_preset(name).licence != "unknown"


def test_a_file_and_its_folder_are_the_same_model(tmp_path: Path) -> None:
    path = written(tmp_path, COMPLETE)
    preset = load_preset(str(path))
    assert load_preset(str(tmp_path)) == preset
    assert preset.transformer_file == tmp_path / "weights" / "t.safetensors"
    assert preset.transformer.ffn_dim == 8960, "what is not written is Wan2.1 1.3B"
    assert preset.stream.steps == (1000, 750, 500, 250)


def test_the_users_preset_wins_over_the_shipped_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preset_folders, "user_folder", lambda: tmp_path)
    folder = tmp_path / "presets" / "models"
    folder.mkdir(parents=True)
    written(folder, COMPLETE, "ember.toml")
    assert load_preset("ember").name == "mine"


def test_explicit_timesteps_are_kept_as_they_are(tmp_path: Path) -> None:
    path = written(tmp_path, COMPLETE + "warped_steps = [1000, 900.5, 10]\n")
    assert load_preset(str(path)).stream.warped_steps == (1000.0, 900.5, 10.0)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (('kind = "wan_vae"', 'kind = "wan_vea"'), "decoder.kind: 'wan_vea' is not one of tiny_vae, wan_vae, did you"),
        (("num_heads = 2", "num_haeds = 2"), "transformer.num_haeds: is unknown, did you mean 'num_heads'?"),
        (("num_heads = 2", "num_heads = 3"), "transformer.geometry: dim 64 must split into 3 heads"),
        (("width = 832", "width = 854"), "stream.width: size 854x480 is not a multiple of 16"),
        (("width = 832", "width = true"), "stream.width: True is not a whole number"),
        (('file = "vae.pth"', ""), "decoder.file: is missing"),
        (("rate_fps = 16", "rate_fps = nan"), "stream.rate_fps: nan is outside 1 to 240"),
        (("rate_fps = 16", "rate_fps = 16\nsteps = [250, 1000]"), "stream.steps: [250, 1000] must fall"),
        (("rate_fps = 16", "rate_fps = 16\nsteps = [1000.5]"), "stream.steps: [1000.5] must fall"),
        (("num_heads = 2", "num_heads = 2\nnum_layers = 2000000000"), "num_layers: 2000000000 is outside 1 to 1000"),
        (("rate_fps = 16", f"rate_fps = 1{'0' * 400}"), "is outside 1 to 240"),
        (("rate_fps = 16", f"rate_fps = 16\nsteps = [1{'0' * 400}]"), "is not a list of numbers"),
        (('file = "vae.pth"', 'file = "vae\\u0000.pth"'), "decoder.file: 'vae\\x00.pth' can be no file's name"),
        (("[text]", "[text"), "is not TOML"),
        (("[text]", f"x = 1{'0' * 5000}\n[text]"), "is not TOML"),
    ],
)
def test_each_problem_names_file_key_and_a_way_out(tmp_path: Path, change: tuple[str, str], complaint: str) -> None:
    path = written(tmp_path, COMPLETE.replace(*change))
    with pytest.raises(PresetError) as refusal:
        load_preset(str(path))
    assert str(path) in str(refusal.value)
    assert complaint in str(refusal.value)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    path = written(tmp_path, COMPLETE.replace("width = 832", "widht = 832").replace('"ngram"', "5"))
    with pytest.raises(PresetError) as refusal:
        load_preset(str(path))
    lines = str(refusal.value).splitlines()
    assert len(lines) == 3, "width missing, widht unknown, kind no text"


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("embr", "model 'embr' is unknown, did you mean 'ember'? (known: causvid, ember, longlive"),
        ("nowhere/model.toml", "there is no such file or folder"),
        (".", "there is no model.toml in this folder"),
        ("~nobody-of-this-name/model.toml", "there is no such file or folder"),
        ("x" * 300, "cannot be looked for (File name too long)"),
    ],
)
def test_a_model_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, complaint: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PresetError) as refusal:
        load_preset(name)
    assert complaint in str(refusal.value)


def test_reading_presets_needs_no_torch() -> None:
    script = "import sys; from engine.model_presets import load_preset; load_preset('ember'); "
    script += "sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT).returncode == 0


def test_a_light_decoder_may_stand_beside_the_decoder(tmp_path: Path) -> None:
    light = '[light_decoder]\nkind = "tiny_vae"\nfile = "light.pth"\nlatents = "wan_vae"\n'
    preset = load_preset(str(written(tmp_path, COMPLETE + light, "both.toml")))
    assert preset.light_decoder.file == tmp_path / "light.pth"
    assert preset.light_decoder.has_latent_statistics
    assert load_preset(str(written(tmp_path, COMPLETE, "one.toml"))).light_decoder is None
