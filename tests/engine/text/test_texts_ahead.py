"""Sixty-four prompts told ahead: switching among them at random at every chunk encodes nothing more."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path

import pytest
import torch

from engine.generator import Generator
from engine.loading import load_model
from engine.model_presets import load_preset
from engine.params import ChunkParams
from engine.plans.memory_plan import MemoryPlan
from engine.text.umt5 import Umt5Encoder
from tests.engine.published_files import WORDS, write_published
from tests.servers.process import wait_until

TEXTS = [f"{first} {second}" for first in WORDS[:8] for second in WORDS[:8]]


def test_switching_among_prompts_told_ahead_costs_no_encoding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    encoded: list[str] = []
    encode = Umt5Encoder.encode
    monkeypatch.setattr(Umt5Encoder, "encode", lambda self, text: encoded.append(text) or encode(self, text))
    preset = load_preset(str(write_published(tmp_path / "model", decoder="tiny_vae")))
    parts = load_model(preset, MemoryPlan("cpu"), torch.device("cpu"), torch.float32)
    generator = Generator(
        parts.transformer, parts.decoder, parts.text_encoder, name="t", size=(48, 32), rate_fps=16, timesteps=(1000.0,)
    )
    params = ChunkParams().with_prompts(("red ink",))
    generator.generate_chunk(params)
    generator.prompts.request_ahead(TEXTS)
    wait_until(lambda: all(map(generator.prompts.is_ready, TEXTS)), "every text is encoded", 20, 0.01)
    known = len(encoded)
    assert set(TEXTS) <= set(encoded)
    pick = random.Random(0)
    for _ in range(96):
        text = pick.choice(TEXTS)
        generator.generate_chunk(dataclasses.replace(params.with_prompts((text,)), chunk_frames=1))
        assert generator.prompts_on_screen[0] == text
        assert generator.prompts_waiting == ()
    generator.close()
    assert len(encoded) == known == len(set(encoded))
