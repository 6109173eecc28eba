"""A decoder for where memory is short: which models have one, and that it is the one that is loaded."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import engine
from engine import loading
from engine.chunk_source import SourceChoice, has_light_decoder, load_source
from engine.loading import Advance
from engine.model_presets import DecoderPreset, list_presets

LIGHT = """
[light_decoder]
kind = "tiny_vae"
file = "light.safetensors"
encoder_widths = [16, 32, 64]
decoder_widths = [128, 64, 24, 16]
"""


@pytest.fixture
def preset(tmp_path: Path) -> Path:
    """Ember with a light decoder of its own."""
    path = tmp_path / "both.toml"
    path.write_text(list_presets()["ember"].read_text("utf-8") + LIGHT, encoding="utf-8")
    shutil.copy(Path(engine.__file__).parent / "ember" / "autoencoder.safetensors", tmp_path / "light.safetensors")
    return path


def test_only_a_model_whose_light_decoder_is_there_has_one(preset: Path):
    assert has_light_decoder(str(preset))
    (preset.parent / "light.safetensors").unlink()
    assert not has_light_decoder(str(preset))
    assert not has_light_decoder("ember")
    assert not has_light_decoder("no-such-model")
    assert has_light_decoder("test-pattern:heavy=2-")
    assert not has_light_decoder("test-pattern:oom=2-")


def test_the_light_decoder_is_loaded_when_asked_for(preset: Path, monkeypatch: pytest.MonkeyPatch):
    loaded: list[str] = []
    load = loading.load_decoder

    def load_decoder(decoder: DecoderPreset, *where: object, advance: Advance | None = None) -> object:
        loaded.append(decoder.file.name)
        return load(decoder, *where, advance)

    monkeypatch.setattr(loading, "load_decoder", load_decoder)
    for is_light in (False, True):
        load_source(SourceChoice(str(preset), (64, 48), "cpu", "float32", 1, is_light)).close()
    load_source(SourceChoice("ember", (64, 48), "cpu", "float32", 1, is_light=True)).close()  # it has none
    assert loaded == ["autoencoder.safetensors", "light.safetensors", "autoencoder.safetensors"]
