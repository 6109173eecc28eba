"""Loading for real: a small model from its folder through render and the worker, and files that are no good."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from engine.chunk_source import ChoiceError, SourceChoice, SourceError, load_source
from engine.frame_ring import FrameRing
from engine.inbox import Inbox
from engine.messages import Command, Done, Failure, GeneratorStatus, Message
from engine.model.config import WAN_14B
from engine.params import ChunkParams
from engine.rendering import render
from engine.worker_loop import WorkerLoop
from tests.engine.small_model import write_small_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_small_model(tmp_path / "small")


def rendered(model: Path, out: Path, *options: str) -> int:
    parser = argparse.ArgumentParser()
    render.add_arguments(parser)
    words = ["--model", str(model), "--seconds", "1.5", "--threads", "1", "--out", str(out), *options]
    return render.run(parser.parse_args(words))


def test_a_real_model_renders_the_same_bits_twice_and_others_for_another_seed_or_prompt(
    model: Path, tmp_path: Path
) -> None:
    clips = {}
    for name, options in {
        "first": ["--prompt", "black ink", "--seed", "7"],
        "again": ["--prompt", "black ink", "--seed", "7"],
        "seed": ["--prompt", "black ink", "--seed", "8"],
        "prompt": ["--prompt", "gold fire", "--seed", "7"],
    }.items():
        assert rendered(model, tmp_path / f"{name}.mkv", "--lossless", *options) == 0
        clips[name] = (tmp_path / f"{name}.mkv").read_bytes()
    assert clips["first"] == clips["again"]
    assert len(set(clips.values())) == 3


def test_a_clip_is_the_same_after_another_one_was_made_by_the_same_model(model: Path, tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text("gold fire\nblack ink\n", encoding="utf-8")
    assert rendered(model, tmp_path / "alone.mkv", "--lossless", "--prompt", "black ink") == 0
    assert rendered(model, tmp_path / "{index}.mkv", "--lossless", "--prompts", str(tmp_path / "p.txt")) == 0
    assert (tmp_path / "0001.mkv").read_bytes() == (tmp_path / "alone.mkv").read_bytes()


def test_the_loop_streams_a_real_model_and_survives_nan_in_it(model: Path, tmp_path: Path) -> None:
    source = load_source(SourceChoice(str(model), dtype="float32", threads=1))
    size = {"width": source.width, "height": source.height}
    ring = FrameRing.create(tmp_path / "ring", **size, rate_fps=source.rate_fps, capacity=60, process_id=1)
    said: list[Message] = []
    inbox = Inbox()

    def hear(message: Message) -> None:
        said.append(message)
        chunks = message.chunks if isinstance(message, GeneratorStatus) else 0
        ring.release(ring.written)
        if chunks == 2 and not any(isinstance(m, Failure) for m in said):
            source._model.patch_embedding.weight.data[0] = torch.nan
        elif isinstance(message, Failure):
            source._model.patch_embedding.weight.data[0] = 0.0
            inbox.put(Command(1, "prompt/text", {"pad": 1, "text": "gold fire"}))
        elif chunks == 4:
            inbox.put(Command(2, "stop"))

    WorkerLoop(source, ring, inbox, hear).run()
    source.close()
    failures = [message for message in said if isinstance(message, Failure)]
    assert len(failures) == 1
    assert "not numbers" in failures[0].sentence
    assert Done(1) in said
    last = said[-1]
    assert (last.state, last.chunks, last.stream_id) == ("stopped", 4, 2)
    assert last.prompts_on_screen[0] == "gold fire"
    ring.close()


def test_reproducible_means_float32_on_a_cpu(model: Path) -> None:
    source = load_source(SourceChoice(str(model), device="cpu", threads=1, is_reproducible=True))
    assert source._model.patch_embedding.weight.dtype is torch.float32
    assert source.generate_chunk(ChunkParams()).frames.shape == (9, 32, 48, 4)
    source.close()


def test_a_missing_weight_file_is_named(model: Path) -> None:
    (model / "transformer.safetensors").unlink()
    with pytest.raises(SourceError, match=r"cannot be loaded: .*transformer\.safetensors"):
        load_source(SourceChoice(str(model)))


def test_a_truncated_weight_file_is_a_sentence_and_exit_code_1(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = model / "transformer.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])
    assert rendered(model, tmp_path / "a.mp4", "--prompt", "x") == 1
    told = capsys.readouterr().err
    assert "transformer.safetensors" in told
    assert "Traceback" not in told
    assert not (tmp_path / "a.mp4").exists()


def test_a_checkpoint_of_another_size_is_recognised(model: Path) -> None:
    save_file(
        {"patch_embedding.weight": torch.zeros(WAN_14B.dim, 16, 1, 2, 2, dtype=torch.float16)},
        model / "transformer.safetensors",
    )
    with pytest.raises(SourceError, match="14B"):
        load_source(SourceChoice(str(model)))


def test_of_a_lora_given_as_a_model_the_last_line_says_so(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "diffusion_model.blocks.0.self_attn.q.lora_A.weight"
    save_file({name: torch.zeros(4, 1536)}, model / "transformer.safetensors")
    assert rendered(model, tmp_path / "a.mp4", "--prompt", "x") == 1
    told = capsys.readouterr().err.rstrip().splitlines()
    assert "this is a LoRA file for a 1.3B model" in told[-1]
    assert any(name in line for line in told[:-1])


@pytest.mark.skipif(torch.cuda.is_available(), reason="about machines without CUDA")
def test_a_gpu_that_is_not_there_is_a_sentence(model: Path) -> None:
    with pytest.raises(SourceError, match="no NVIDIA GPU"):
        load_source(SourceChoice(str(model), device="cuda"))


def test_a_test_pattern_can_be_as_slow_as_a_model() -> None:
    source = load_source(SourceChoice("test-pattern@60", (32, 16)))
    began_s = time.monotonic()
    first = source.generate_chunk(ChunkParams())
    assert time.monotonic() - began_s >= 9 / 60 - 1e-3
    source.hard_cut()
    second = source.generate_chunk(ChunkParams())
    assert {int(chunk.frames[0, 0, 0, 0]) for chunk in (first, second)} == {0, 255}, "the lamp shows each cut"


@pytest.mark.parametrize("model", ["test-pattern@fast", "test-pattern@0", "test-pattern@nan"])
def test_a_speed_that_is_none_is_one_sentence(model) -> None:
    with pytest.raises(ChoiceError, match="frames a second, 0.1 to 1000"):
        load_source(SourceChoice(model))
