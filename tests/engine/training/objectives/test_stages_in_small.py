"""Every stage of the transformer in small, by the command: each writes what the next one reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from engine.checkpoints import read_checkpoint
from engine.training.bank import write_shard
from engine.training.command_line import DEFAULT_CONFIGS, main
from engine.training.config import BankSettings
from engine.training.objectives.models import misfits
from engine.training.stage_config import make_config, read_table
from engine.training.stages import STAGES, load_stage
from tests.engine.small_model import PRESET, write_small_model

QUICK = {"trainer.batch": 2, "trainer.micro_batch": 2, "trainer.device": "cpu", "trainer.panel_every_steps": 2}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run's folder: a small model, whose encoder has made a bank of four clips."""
    run = tmp_path_factory.mktemp("run")
    write_small_model(run / "small")
    (run / "autoencoder.safetensors").write_bytes((run / "small" / "autoencoder.safetensors").read_bytes())
    (run / "bank").mkdir()
    write_shard(BankSettings(clips=4, shard_clips=4, width=48, height=32, variety=0.0), run, 0)
    return run


def _train(stage: str, run: Path, name: str = "", steps: int = 2, **settings: object) -> None:
    values = {"model": str(run / "small"), **settings}
    trained = {"trainer.steps": steps, **QUICK} if stage != "ode-pairs" else {}
    empty = run / "empty.toml"
    empty.write_text("")
    words = [f"--set={key}={json.dumps(value)}" for key, value in (values | trained).items()]
    assert main([stage, "--config", str(empty), "--out", str(run), *(["--name", name] if name else []), *words]) == 0


def test_the_chain_from_a_teacher_to_rewarded_matching(run: Path) -> None:
    size = {"width": 48, "height": 32}
    _train("teacher", run, start_from="fresh")
    pairs = {"count": 4, "steps": 4, "stored": [0, 1], "latent_frames": 6, "batch": 2, "device": "cpu"}
    _train("ode-pairs", run, **size, **pairs, dtype="bfloat16")
    _train("ode", run)
    small = str(run / "small")
    others = {"teacher": small, "critic": small, "critic_per_generator": 1, "latent_frames": [6], **size}
    _train("redmd", run, **others, beta=1.0)
    _train("few-step-teacher", run, **others)
    for stage in ("teacher", "ode", "redmd", "few-step-teacher"):
        file = read_checkpoint(run / stage / "generator.safetensors")
        assert file.flavour == "original"
        assert "blocks.0.self_attn.q.weight" in file.tensors
        assert (run / stage / "panel" / "000002.png").stat().st_size > 1000
    before, after = (read_checkpoint(run / stage / "generator.safetensors").tensors for stage in ("ode", "redmd"))
    assert not all(torch.equal(before[name], after[name]) for name in before)


def test_the_causal_base_learns_with_its_own_history(run: Path) -> None:
    _train("causal", run, steps=3, start_from="fresh", own_history_from_step=1, single_share=0.5, patch_share=0.5)
    assert (run / "causal" / "generator.safetensors").exists()


def test_a_teacher_of_another_latent_space_is_refused_by_name(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = run / "other"
    write_small_model(other)
    text = PRESET.replace('"tiny_vae"', '"wan_vae"').replace("encoder_widths = [8, 8, 8]\n", "")
    (other / "model.toml").write_text(text.replace("decoder_widths = [16, 8, 8, 8]\n", "").replace("small", "other"))
    empty = run / "empty.toml"
    empty.write_text("")
    small = run / "small"
    words = [f"--set=model={small}", f"--set=critic={small}", f"--set=teacher={other}"]
    words += ["--set=start_from=''", "--set=teacher_from=''", "--set=critic_from=''"]
    assert main(["redmd", "--config", str(empty), "--out", str(run / "none"), *words]) == 2
    said = capsys.readouterr().err
    assert "works in another latent space, Wan2.1's (16 channels)" in said
    assert f"teacher = {str(other)!r}" in said
    assert not (run / "none").exists()


def test_wan_cannot_teach_ember_and_teaches_its_students() -> None:
    assert len(misfits("teacher", "wan2.1-t2v-14b", "ember")) == 2  # latents and texts
    assert misfits("teacher", "wan2.1-t2v-14b", "reward-forcing") == []


@pytest.mark.parametrize("file", sorted(DEFAULT_CONFIGS.glob("*.toml")), ids=lambda path: path.stem)
def test_shipped_settings_fit_their_stage(file: Path) -> None:
    stem = file.stem.replace("_", "-")
    name = next(name for name in sorted(STAGES, key=len, reverse=True) if stem.startswith(name))
    make_config(name, load_stage(name), read_table(file), str(file))


def test_settings_that_cannot_be_are_refused(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = run / "empty.toml"
    empty.write_text("")
    for stage, word, complaint in (
        ("redmd", "sink_mode='melting'", "must be one of static, parity_bf16, ema_fp32"),
        ("redmd", "width=100", "not a multiple of 16"),
        ("redmd", "shipped_faults=[5]", "known are [1, 2, 3, 4]"),
        ("redmd", "latent_frames=[]", "give lengths of at least 1"),
        ("redmd", "guidance_convention='odd'", "must be one of configured, standard"),
        ("ode-pairs", "stored=[0, 99]", "must rise within 0..47"),
        ("ode", "pairs='nowhere'", "holds no trajectories"),
        ("teacher", "bank_weights=[0.5, 0.5]", "give one for each"),
        ("causal", "blur_share=2.0", "blur_share = 2 must lie in 0..1"),
        ("causal", "banks=['nowhere']", "holds no bank of clips"),
        ("redmd", "start_from='gone.pt'", "gone.pt: there is no such file"),
        ("ode-pairs", "prompts='gone.txt'", "gone.txt: there is no such file"),
    ):
        words = [f"--set=model={run / 'small'}", "--set=start_from=''", f"--set={word}"]
        assert main([stage, "--config", str(empty), "--out", str(run / "none"), *words]) == 2, word
        assert complaint in capsys.readouterr().err, word
