"""Every stage of training in small: runs, writes what the next one reads, and goes on where it stopped."""

import json
from pathlib import Path

import pytest
import torch

from engine.ember.weights import read_autoencoder, read_text_encoder, write_text_encoder
from engine.text.ngram import NgramConfig, NgramEncoder
from engine.training.autoencoder import LEAST_TURNS, SHIPPED, draw_spec, train_autoencoder, turns_of
from engine.training.bank import read_bank, write_shard
from engine.training.clips.families import FAMILIES
from engine.training.config import AutoencoderSettings, BankSettings, TextSettings
from engine.training.objectives.models import missing_model
from engine.training.stages import load_stage
from engine.training.text_heads import train_text
from engine.vae.tiny_vae import TinyVae, preset


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run's folder with untrained encoders and a bank of six clips."""
    from engine.ember.weights import write_autoencoder

    folder = tmp_path_factory.mktemp("run")
    torch.manual_seed(1)
    write_autoencoder(TinyVae(preset("ember")), folder)
    write_text_encoder(NgramEncoder(NgramConfig(text_len=6, text_dim=12, buckets=256, width=12)), folder)
    (folder / "bank").mkdir()
    for shard in range(2):
        write_shard(BankSettings(clips=6, shard_clips=3, width=64, height=48), folder, shard)
    return folder


def _log(folder: Path, name: str) -> list[dict]:
    return [json.loads(line) for line in (folder / f"{name}.jsonl").read_text().splitlines()]


def test_the_autoencoder_learns_resumes_and_makes_unit_latents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # the exam on whole frames of every family takes longer than everything else here
    monkeypatch.setattr("engine.training.autoencoder.measure", lambda model, scale: {"mean": 0.0})
    settings = AutoencoderSettings(steps=16, crop_px=32, batch=4, threads=1, report_s=0.3)
    train_autoencoder(settings, tmp_path)
    first = _log(tmp_path, "autoencoder")
    assert first[-1]["loss"] < first[0]["loss"]
    longer = AutoencoderSettings(steps=18, crop_px=32, batch=4, threads=1, report_s=0.3)
    model = train_autoencoder(longer, tmp_path)
    assert _log(tmp_path, "autoencoder")[-1]["step"] > first[-1]["step"]
    latents, _ = model.encode(torch.rand(1, 9, 3, 32, 32) * 2 - 1)
    assert torch.isfinite(latents).all()


def test_a_decoder_trained_alone_reads_the_same_latents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.training.autoencoder.measure", lambda model, scale: {"mean": 0.0})
    frames = torch.rand(1, 9, 3, 32, 32) * 2 - 1
    shipped = read_autoencoder(SHIPPED)
    settings = AutoencoderSettings(steps=2, crop_px=32, threads=1, start_from="ember", decoder_only=True)
    model = train_autoencoder(settings, tmp_path)
    with torch.inference_mode():
        latents = shipped.encode(frames)[0]
        assert torch.equal(model.encode(frames)[0], latents)
        assert not torch.equal(model.decode(latents)[0], shipped.decode(latents)[0])
    told = load_stage("autoencoder").missing(AutoencoderSettings(decoder_only=True), tmp_path)
    assert "give start_from" in told[0]


def test_hard_families_are_drawn_more_often() -> None:
    turns = turns_of({"terrain": 20.0, "cells": 23.0, "smoke": 40.0, "mean": 27.7})
    assert turns["terrain"] == 1.0
    assert turns["cells"] == pytest.approx(0.5, rel=0.01)
    assert turns["smoke"] == LEAST_TURNS
    generator = torch.Generator().manual_seed(4)
    only = dict.fromkeys(FAMILIES, 0.0) | {"smoke": 0.2}
    assert {draw_spec(only, generator).family for _ in range(5)} == {"smoke"}


def test_the_text_encoder_learns_the_grammar(tmp_path: Path) -> None:
    train_text(TextSettings(steps=40, batch=32), tmp_path)
    last = _log(tmp_path, "text")[-1]
    assert last["family"] > 0.4
    assert last["palette"] > 0.4


def test_stages_go_on_from_files_that_are_there(tmp_path: Path) -> None:
    assert train_text(TextSettings(steps=2, batch=4, start_from="ember", rate=1e-6), tmp_path).config == NgramConfig()
    told = load_stage("text").missing(TextSettings(start_from="nowhere"), tmp_path)
    assert told == ["start_from = 'nowhere': no text.safetensors is there"]
    assert missing_model("model", "ember", "preset:ember", tmp_path) == []
    assert "embr" in missing_model("model", "ember", "preset:embr", tmp_path)[0]


def test_a_bank_holds_both_spans_of_every_clip(folder: Path) -> None:
    bank = read_bank(folder / "bank")
    assert len(bank) == 6
    assert bank.start.shape == (6, 12, 16, 6, 8)
    assert bank.far.shape == (6, 6, 16, 6, 8)
    before = (folder / "bank" / "0000.pt").stat().st_mtime_ns
    write_shard(BankSettings(clips=6, shard_clips=3, width=64, height=48), folder, 0)
    assert (folder / "bank" / "0000.pt").stat().st_mtime_ns == before


def test_a_missing_bank_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no bank of clips"):
        read_bank(tmp_path)


def test_written_weights_are_read_back_in_half_precision(folder: Path) -> None:
    assert read_text_encoder(folder).encode("black ink").shape == (6, 12)
    assert read_autoencoder(folder).config == preset("ember")
    with pytest.raises(ValueError, match="'causal_dit' is needed"):
        from engine.ember.weights import read_weights

        read_weights(folder / "text.safetensors", "causal_dit")
