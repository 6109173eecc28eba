"""Stage `contrast`: its loss as a formula, and a model that tells frames apart after some steps."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch

from engine.rewards.loading import load_reward, missing_for
from engine.training.clips.spec import ClipSpec
from engine.training.objectives.contrast import (
    STAGE,
    ContrastSettings,
    are_alike,
    build,
    contrastive_losses,
    export,
)
from engine.training.stage_config import StageConfig
from engine.training.trainer.run import train_stage

SMALL = ContrastSettings(width=24, height=16, widths=(8, 16), embedding=16, buckets=256, text_width=8, text_len=8)


def test_the_loss_is_both_cross_entropies_without_false_negatives() -> None:
    logits = torch.randn(3, 3, generator=torch.Generator().manual_seed(0))
    alike = torch.zeros(3, 3, dtype=torch.bool)
    alike[0, 1] = alike[1, 0] = True
    kept = logits.exp().masked_fill(alike, 0.0)
    own = kept.diagonal()
    wanted = -0.5 * ((own / kept.sum(dim=1)).log() + (own / kept.sum(dim=0)).log())
    torch.testing.assert_close(contrastive_losses(logits, alike), wanted)


def test_clips_of_one_family_and_palette_are_alike() -> None:
    specs = [
        ClipSpec("ink", "gold", "slow", 1),
        ClipSpec("ink", "gold", "fast", 2),
        ClipSpec("fire", "gold", "slow", 3),
    ]
    assert are_alike(specs).tolist() == [[False, True, False], [True, False, False], [False, False, False]]


def test_it_learns_and_is_found_in_its_run(tmp_path: Path) -> None:
    trainer = dataclasses.replace(
        STAGE.trainer, steps=12, batch=16, micro_batch=16, device="cpu", warm_up_steps=0, ema=0.0, report_every_steps=1
    )
    rate = dataclasses.replace(STAGE.optimisers["contrast"], rate=0.01)
    train_stage(STAGE, StageConfig(SMALL, trainer, {"contrast": rate}), tmp_path / "contrast")
    assert missing_for("contrast", tmp_path) == []
    reward = load_reward("contrast", tmp_path)
    assert reward.model.spread > 0
    with torch.autocast("cpu", torch.bfloat16):  # as in stages that train with it
        assert reward.score(torch.rand(2, 3, 3, 24, 32), ["red ink", "slow fire"])["contrast"].isfinite().all()


def test_the_same_seed_gives_the_same_model(tmp_path: Path) -> None:
    first, second = (build(SMALL, tmp_path).trained["contrast"].state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    export(build(SMALL, tmp_path), {"contrast": first}, tmp_path)
    assert (tmp_path / "contrast.safetensors").is_file()
