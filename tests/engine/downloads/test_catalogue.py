"""What ships in presets/downloads: complete, consistent, named by every preset that needs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import preset_folders
from engine.downloads.catalogue import read_catalogue, references_in
from engine.downloads.places import own_folder, resolve
from engine.lora.mixer import find_lora
from engine.lora.slots import parse_lora
from engine.model_presets import list_presets, load_preset
from engine.preset_table import PresetError
from engine.weight_files import CheckpointError

PARTS = [
    "wan-1.3b",
    "wan-14b",
    "wan-vae",
    "taehv",
    "lighttae",
    "lightvae",
    "umt5-bf16",
    "umt5-fp8",
    "umt5-tokenizer",
    "vace-1.3b",
    "reward-forcing-1.3b",
    "self-forcing-1.3b",
    "causvid-1.3b",
    "longlive-1.3b",
    "reward-lora-hps",
    "reward-lora-mps",
    "ode-init",
    "video-reward",
    "image-reward",
    "hps-v2.1",
    "mps",
    "pickscore",
]

TOP = 'repository = "a/b"\nlicence = "MIT"'
PART = '[[parts]]\nname = "x"\ndescription = "y"'


@pytest.fixture
def user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The user's folder of downloads."""
    monkeypatch.setattr(preset_folders, "user_folder", lambda: tmp_path)
    folder = tmp_path / "presets" / "downloads"
    folder.mkdir(parents=True)
    return folder


def test_every_part_is_there_with_licence_and_files() -> None:
    catalogue = read_catalogue()
    assert set(PARTS) <= set(catalogue.parts)
    for part in catalogue.parts.values():
        assert part.licence
        assert part.description.endswith(".")
        assert part.files


def test_reward_loras_carry_the_weights_they_are_published_with() -> None:
    parts = read_catalogue().parts
    assert (parts["reward-lora-hps"].weight, parts["reward-lora-mps"].weight) == (0.5, 0.7)


def test_every_model_and_set_names_declared_files() -> None:
    catalogue = read_catalogue()
    for wanted in map(catalogue.wanted, catalogue.names()):
        assert wanted.files or wanted.name == "ember"
    training = catalogue.wanted("training").files
    assert {"models:Wan2.1-T2V-14B/config.json", "models:Self-Forcing/checkpoints/ode_init.pt"} <= {
        file.reference for file in training
    }


def test_a_preset_resolves_to_the_models_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VJ_MODELS", str(tmp_path))
    preset = load_preset("reward-forcing")
    assert preset.transformer_file == tmp_path / "Reward-Forcing-T2V-1.3B" / "rewardforcing.pt"
    assert preset.decoder.file == tmp_path / "Wan2.1-T2V-1.3B" / "Wan2.1_VAE.pth"
    assert own_folder() == tmp_path
    assert resolve("models:Of/mine.pt") == tmp_path / "Of" / "mine.pt"


def test_published_presets_play_with_the_published_settings() -> None:
    for name in ("reward-forcing", "reward-forcing-light", "self-forcing", "causvid", "longlive"):
        assert references_in(list_presets()[name])
        preset = load_preset(name)
        assert preset.transformer.dim == 1536
        assert preset.stream.steps == (1000, 750, 500, 250)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (f'{TOP}\n{PART}\nfiles = [{{path = "../c"}}]', "below"),
        (f'{TOP}\n{PART}\nfiles = [{{path = "c", checksum = "1"}}]', "checksum: '1'"),
        (f'{TOP}\nrevision = "main"\n{PART}', "revision: 'main'"),
        (f"{TOP}\n{PART}".replace('"x"', '"wan-vae"'), "'wan-vae' is the name of two"),
        ('[[sets]]\nname = "s"\ndescription = "y"\nparts = ["wan-vea"]', "there is no part 'wan-vea'"),
        (f'license = "MIT"\n{TOP}\n{PART}', "license: is unknown"),
    ],
)
def test_a_wrong_declaration_is_told(user: Path, content: str, complaint: str) -> None:
    (user / "mine.toml").write_text(content)
    with pytest.raises(PresetError, match=complaint):
        read_catalogue()


def test_an_unknown_name_is_told_with_the_nearest() -> None:
    with pytest.raises(PresetError, match="did you mean 'reward-forcing'"):
        read_catalogue().wanted("reward-forcng")


def test_a_published_lora_goes_by_its_name_at_its_published_weight(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VJ_MODELS", str(tmp_path))
    assert parse_lora("reward-lora-mps") == ("reward-lora-mps", 0.7)
    assert parse_lora("reward-lora-mps:0.2") == ("reward-lora-mps", 0.2)
    assert parse_lora("mine.safetensors") == ("mine.safetensors", 1.0)
    with pytest.raises(CheckpointError, match="`vj models download reward-lora-mps` fetches it"):
        find_lora("reward-lora-mps", ())
    file = tmp_path / "Wan2.1-Fun-Reward-LoRAs" / "Wan2.1-Fun-1.3B-InP-MPS.safetensors"
    file.parent.mkdir()
    file.write_bytes(b"x")
    assert find_lora("reward-lora-mps", ()) == file
