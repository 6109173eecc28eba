"""Stage `vace`: what a guided chunk sees in training is what it sees live; only the branch learns; it resumes."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import torch

from engine.caches.rolling_cache import RollingCache
from engine.checkpoints import read_checkpoint
from engine.model.transformer import CausalWanTransformer
from engine.model.vace import Guide, streaming_attention
from engine.training.command_line import main
from engine.training.guided.bank import VaceBankSettings, read_vace_bank, write_shard
from engine.training.guided.history import ChunkMemory, read_history, side_by_side
from engine.training.objective import Draw
from engine.training.objectives.vace import Vace, VaceSettings
from engine.training.teacher_forcing import Layout
from tests.engine.small_model import write_small_model
from tests.engine.tiny import TINY, tiny_latents, tiny_prompt, tiny_transformer

SIZE = {"width": 48, "height": 32}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run's folder: a small model and a bank of four guided clips made by its encoder."""
    run = tmp_path_factory.mktemp("run")
    write_small_model(run / "small")
    (run / "vace-bank").mkdir()
    write_shard(VaceBankSettings(model=str(run / "small"), clips=4, shard_clips=4, **SIZE), run, 0)
    return run


def _settings(run: Path, **values: object) -> VaceSettings:
    return VaceSettings(model=str(run / "small"), vace_layers=(0, 1), **values)


@pytest.mark.parametrize("chunk_frames", [1, 3])
@torch.no_grad()
def test_chunks_side_by_side_equal_the_streaming_cache(chunk_frames: int) -> None:
    model = tiny_transformer(dataclasses.replace(TINY, vace_layers=(0, 1), vace_in_dim=12))
    layout = Layout(TINY.window_frames, chunk_frames)
    x0, noisy = tiny_latents(9, seed=3), tiny_latents(9, seed=4)
    context = torch.randn(1, 9, 12, *x0.shape[-2:], generator=torch.Generator().manual_seed(5))
    timesteps = (1000.0 - 70.0 * torch.arange(layout.chunks)).repeat_interleave(chunk_frames)[None]
    text = model.encode_text(tiny_prompt())
    memory = streaming_attention(model.config, chunk_frames, (4, 6), torch.device("cpu"))

    cache, streamed = RollingCache(model.config, 4, 6), []
    for first in range(0, 9, chunk_frames):
        own = slice(first, first + chunk_frames)
        cache.begin_chunk(chunk_frames)
        streamed.append(model(noisy[:, own], timesteps[:, own], text, cache, Guide(context[:, own], memory)))
        model.remember(x0[:, own], torch.zeros(1, chunk_frames), text, cache)

    kept = read_history(model, x0[:, : layout.history_frames], text, layout)
    wide = [tuple(part.repeat(layout.chunks, 1, 1, 1) for part in pair) for pair in text]
    parts = [side_by_side(x, layout) for x in (noisy, timesteps, context)]
    packed = model(parts[0], parts[1], wide, ChunkMemory(kept), Guide(parts[2], memory))
    torch.testing.assert_close(packed, torch.cat(streamed), atol=1e-5, rtol=0)


def test_the_loss_is_that_of_a_few_plain_lines(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    objective = Vace(_settings(run, single_share=0.0, reference_share=0.0), run)
    seen = {}
    whole_flow = objective._flow

    def flow(samples, history, noise, timesteps, layout, has_reference):
        seen.update(samples=samples, noise=noise, flow=whole_flow(samples, history, noise, timesteps, layout, False))
        return seen["flow"]

    monkeypatch.setattr(objective, "_flow", flow)
    loss = objective.loss("generator", 0, Draw(1, 0, "generator", 0, 0, 2))
    wanted = 0.0
    for sample in range(2):
        for chunk in range(3):
            own = slice(3 * chunk, 3 * chunk + 3)
            velocity = seen["noise"][sample, own] - seen["samples"].target[sample, own]
            wanted += float((seen["flow"][2 * chunk + sample].detach() - velocity).square().mean()) / 3
    assert loss.weight == 2.0
    assert float(loss.total.detach()) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("has_reference", [0.0, 1.0])
def test_gradients_reach_the_branch_alone(run: Path, has_reference: float) -> None:
    objective = Vace(_settings(run, reference_share=has_reference, single_share=0.0), run)
    for block in objective.generator.vace_blocks:  # zeros let nothing through
        torch.nn.init.normal_(block.after_proj.weight, std=0.1)
    torch.nn.init.normal_(objective.generator.vace_blocks[0].before_proj.weight, std=0.1)
    objective.loss("generator", 0, Draw(1, 0, "generator", 0, 0, 2)).total.backward()
    for name, parameter in objective.generator.named_parameters():
        if name.startswith("vace_"):
            assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name
        else:
            assert parameter.grad is None, name


def test_masks_and_what_stays_are_those_of_the_clip(run: Path) -> None:
    bank = read_vace_bank(run / "vace-bank")
    assert bank.target.shape == (4, 10, 16, 4, 6)
    masks = bank.masks(torch.arange(4), torch.full((4,), 2))
    assert masks.shape == (4, 10, 32, 48)
    assert 0.0 < float(masks.mean()) < 1.0
    assert bool((bank.masks(torch.arange(4), torch.zeros(4, dtype=torch.long)) == 1.0).all())


def test_it_resumes_to_the_bit_and_exports_the_branch_alone(run: Path) -> None:
    empty = run / "empty.toml"
    empty.write_text("")
    values = {"model": str(run / "small"), "vace_layers": [0, 1], "trainer.batch": 2, "trainer.micro_batch": 2}
    words = [f"--set={key}={json.dumps(value)}" for key, value in {**values, "trainer.device": "cpu"}.items()]
    for name, steps in (("whole", (4,)), ("parts", (2, 4))):
        for count in steps:
            more = [f"--name={name}", f"--set=trainer.steps={count}", "--set=trainer.hold=1.0"]
            assert main(["vace", "--config", str(empty), "--out", str(run), *words, *more]) == 0
    whole, parts = (read_checkpoint(run / name / "vace.safetensors").tensors for name in ("whole", "parts"))
    assert all(name.startswith("vace_") for name in whole)
    assert whole.keys() == {
        name for name in CausalWanTransformer(_small_config(run)).state_dict() if name.startswith("vace_")
    }
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    assert len((run / "whole" / "figures.jsonl").read_text().splitlines()) == 4
    assert (run / "whole" / "checkpoints").is_dir()


def _small_config(run: Path):
    from engine.training.objectives.models import model_preset

    return dataclasses.replace(model_preset(str(run / "small")).transformer, vace_layers=(0, 1))


def test_what_is_not_there_is_told(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = run / "empty.toml"
    empty.write_text("")
    for word, complaint in (
        ("banks=['nowhere']", "nowhere: holds no guided clips; `vj train vace-bank` makes them"),
        ("vace_layers=[0, 7]", "vace_layers"),
        ("view_weights=[1.0]", "give three, for edges, other controls, masks"),
        ("vace_from='gone.safetensors'", "gone.safetensors: there is no such file"),
    ):
        words = [f"--set=model={run / 'small'}", f"--set={word}"]
        assert main(["vace", "--config", str(empty), "--out", str(run), *words]) == 2, word
        assert complaint in capsys.readouterr().err, word
