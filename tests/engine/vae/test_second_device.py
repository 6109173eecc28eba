"""A decoder on a device of its own: the same frames, and nothing of it planned where the model is.

There is one real device here. What would cross to another is shown on `meta`, which refuses every mixture.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.chunk_source import SourceChoice, SourceError, load_source
from engine.loading import choose_device
from engine.model_presets import load_preset
from engine.params import ChunkParams
from engine.plans.memory_plan import MemoryChoice, plan
from engine.vae.second_device import OnDevice
from engine.vae.tiny_vae import TinyVae, TinyVaeConfig
from tests.engine.small_model import write_small_model

CONFIG = TinyVaeConfig(encoder_widths=(8, 8, 8), decoder_widths=(8, 8, 8, 8))


def test_latents_cross_and_frames_stay() -> None:
    with torch.device("meta"):
        apart = OnDevice(TinyVae(CONFIG).eval(), torch.device("meta"))
    frames, state = apart.decode(torch.randn(1, 3, 16, 4, 6), None)
    assert (frames.device.type, frames.shape) == ("meta", (1, 9, 3, 32, 48))
    frames, _ = apart.decode(torch.randn(1, 3, 16, 4, 6), state)
    assert frames.shape[1] == 12


def test_a_stream_decoded_apart_is_the_stream(tmp_path: Path) -> None:
    model = write_small_model(tmp_path / "small")
    made = []
    for apart in ("", "cpu"):
        source = load_source(
            SourceChoice(
                str(model), device="cpu", threads=1, memory=MemoryChoice(decoder_device=apart), dtype="float32"
            )
        )
        made.append(np.concatenate([source.generate_chunk(ChunkParams()).frames for _ in range(3)]))
        source.close()
    assert np.array_equal(*made)


def test_its_memory_is_not_the_models() -> None:
    preset, size = load_preset("reward-forcing"), (832, 480)
    beside, apart = (plan(preset, size, 0, wanted=MemoryChoice(decoder_device=device)) for device in ("", "cuda:1"))
    assert dict(apart.needs)["decoder"] == dict(apart.needs)["video in"] == 0
    assert beside.needed_bytes - apart.needed_bytes > 4e9
    assert "decoder on cuda:1" in apart.words


@pytest.mark.skipif(torch.cuda.is_available(), reason="there are GPUs here")
def test_a_device_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'cuda:1'.*0 NVIDIA"):
        choose_device("cuda:1")
    model = write_small_model(tmp_path / "small")
    with pytest.raises(SourceError, match="cuda:1"):
        load_source(SourceChoice(str(model), device="cpu", threads=1, memory=MemoryChoice(decoder_device="cuda:1")))
