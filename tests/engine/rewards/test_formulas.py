"""Rewards without downloads: what they prefer, their formulas, their gradients; and the protocol they keep."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from engine.rewards.contrast import ContrastConfig, ContrastModel, read_contrast, write_contrast
from engine.rewards.loading import NAMES, load_reward, missing_for, reward_class, reward_dimension
from engine.rewards.looks import Looks
from engine.rewards.motion import Motion
from engine.rewards.pictures import centre_crop, letterbox, normalise, resize
from engine.rewards.protocol import FramePolicy, RewardError

SMALL = ContrastConfig(height=16, width=24, widths=(8, 8), embedding=12, buckets=64, text_width=8, text_len=8)


def clips(frames: int = 6, seed: int = 0) -> torch.Tensor:
    return torch.rand(2, frames, 3, 24, 32, generator=torch.Generator().manual_seed(seed))


def moving(step: float) -> torch.Tensor:
    """A ramp that slides by `step` of its brightness per frame."""
    ramp = torch.linspace(0.0, 0.5, 32).expand(24, 32)
    return torch.stack([(ramp + step * t)[None].expand(3, -1, -1) for t in range(6)])[None]


def test_motion_is_the_logarithm_of_the_difference_less_flicker() -> None:
    steady = Motion().score(moving(0.02), [""])
    assert steady["degree"].item() == pytest.approx(0.02, rel=1e-4)
    assert steady["flicker"].item() == pytest.approx(0.0, abs=1e-4)
    assert steady["motion"].item() == pytest.approx(torch.tensor(0.02).log().item(), rel=1e-3)


def test_motion_prefers_more_of_it_and_dislikes_what_comes_back() -> None:
    reward = Motion()
    flickering = moving(0.0) + 0.02 * (torch.arange(6) % 2)[None, :, None, None, None]
    scores = [reward.score(x, [""])["motion"].item() for x in (moving(0.0), flickering, moving(0.02), moving(0.05))]
    assert scores == sorted(scores)
    assert reward.score(flickering, [""])["flicker"].item() == pytest.approx(-1.0, rel=1e-3)


def test_motion_of_one_frame_is_refused() -> None:
    with pytest.raises(RewardError, match="at least two"):
        Motion().score(clips(1), ["", ""])


def test_looks_prefer_colour_contrast_and_edges_and_dislike_clipping() -> None:
    reward = Looks()
    grey = torch.full((1, 1, 3, 24, 32), 0.5)
    checks = 0.2 + 0.6 * ((torch.arange(24)[:, None] // 4 + torch.arange(32) // 4) % 2).float()
    coloured = torch.stack((checks, 0.5 * checks, 1.0 - checks))[None, None]
    assert reward.score(coloured, [""])["looks"] > reward.score(checks.expand(1, 1, 3, -1, -1), [""])["looks"]
    assert reward.score(checks.expand(1, 1, 3, -1, -1), [""])["looks"] > reward.score(grey, [""])["looks"]
    assert reward.score(torch.ones_like(grey), [""])["clipping"].item() == pytest.approx(-1.0)


@pytest.mark.parametrize("reward", [Motion(), Looks()])
def test_gradients_reach_the_frames_and_are_finite_on_flat_pictures(reward: Motion | Looks) -> None:
    for x in (clips(), torch.full((1, 4, 3, 8, 8), 0.5)):
        x.requires_grad_(True)
        (gradient,) = torch.autograd.grad(reward.score(x, [""] * len(x))[reward.dimensions[0]].sum(), x)
        assert gradient.isfinite().all()


def test_contrast_survives_its_file_and_scores_by_prompt(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = ContrastModel(SMALL)
    model.middle.fill_(0.1)
    model.spread.fill_(0.5)
    reward = read_contrast(write_contrast(model.half().float(), tmp_path))
    x = clips().requires_grad_(True)
    scores = reward.score(x, ["red ink", "blue fire"])
    torch.testing.assert_close(scores["contrast"], (scores["cosine"] - 0.1) / 0.5, rtol=1e-3, atol=1e-3)
    other = reward.score(x, ["water", "water"])
    assert not torch.allclose(scores["cosine"], other["cosine"])
    (gradient,) = torch.autograd.grad(scores["contrast"].sum(), x)
    assert gradient.abs().sum() > 0
    shuffled = reward.score(x[:, [3, 1, 0, 2, 5, 4]], ["red ink", "blue fire"])
    torch.testing.assert_close(shuffled["cosine"], scores["cosine"])  # blind to time


def test_every_reward_says_what_it_is() -> None:
    for name in NAMES:
        kind = reward_class(name)
        assert kind.name == name
        assert kind.dimensions
        assert reward_dimension(name) == kind.dimensions[0]
    assert reward_class("videoreward:MQ").sees_time
    assert not reward_class("imagereward").sees_time
    assert not reward_class("aesthetic").needs_prompt
    assert reward_dimension("videoreward:MQ") == "MQ"


def test_what_is_missing_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VJ_MODELS", str(tmp_path))
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    assert missing_for("looks", tmp_path) == []
    assert "vj models download hps-v2.1" in " ".join(missing_for("hps", tmp_path))
    assert "did you mean" in missing_for("mosion", tmp_path)[0]
    assert "none of its scores" in missing_for("videoreward:XQ", tmp_path)[0]
    with pytest.raises(RewardError, match="vj models download image-reward"):
        load_reward("imagereward", tmp_path)


def test_frame_policies() -> None:
    x = torch.arange(10)[None, :, None]
    assert FramePolicy("first").take(x).flatten().tolist() == [0]
    assert FramePolicy("last").take(x).flatten().tolist() == [9]
    assert FramePolicy("uniform", 4).take(x).flatten().tolist() == [0, 3, 6, 9]
    assert FramePolicy("rate", rate_hz=2.0).take(x, 4.0).flatten().tolist() == [0, 2, 4, 7, 9]


def test_pictures_are_brought_to_size() -> None:
    x = torch.rand(1, 3, 20, 40, generator=torch.Generator().manual_seed(0))
    boxed = letterbox(x, 16)
    assert boxed.shape[-2:] == (16, 16)
    assert boxed[..., :4, :].abs().max() == 0
    torch.testing.assert_close(boxed[..., 4:12, :], resize(x, 8, 16))
    torch.testing.assert_close(centre_crop(x, 10), resize(x, 10, 20)[..., 5:15])
    assert normalise(torch.full((1, 3, 1, 1), 0.5), (0.5,) * 3, (0.5,) * 3).abs().max() == 0
