"""Last-frame, random-frame and reward-lora: formulas, where gradients go, what ends a run, files that play."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from torch import Tensor, nn

from engine.caches.rolling_cache import RollingCache
from engine.lora.mixer import LoraMixer
from engine.lora.slots import LoraWeight
from engine.rewards.looks import Looks
from engine.sampler import clean_pass
from engine.schedule import Schedule
from engine.training.objective import Draw
from engine.training.objectives import last_frame, random_frame, reward_lora
from engine.training.objectives.backward_steps import graded_steps
from engine.training.objectives.last_frame import MOTION, FrameReward, LastFrameSettings
from engine.training.objectives.lora_layers import add_lora
from engine.training.objectives.models import load_transformer
from engine.training.objectives.reward_lora import WATCHED, RewardLora, RewardLoraSettings
from engine.training.objectives.reward_streams import Trend, decode_end, latent_of, reward_loss
from engine.training.stage_config import StageConfig
from engine.training.trainer.run import train_stage
from engine.vae.tiny_vae import TinyVae, TinyVaeConfig
from tests.engine.small_model import write_small_model


def first_draw(seed: int = 3, step: int = 0, micro: int = 0, samples: int = 2) -> Draw:
    """A fresh one each time: drawing from it moves it on."""
    return Draw(seed, step, "generator", 0, micro, samples)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_small_model(tmp_path_factory.mktemp("small")))


def frame_settings(model: str) -> LastFrameSettings:
    return LastFrameSettings(model=model, start_from="", reward="looks", chunks=2, loss="plain", reward_weight=1.0)


def lora_settings(model: str) -> RewardLoraSettings:
    return RewardLoraSettings(
        model=model, reward="looks", held_out="looks:contrast", chunks=2, rank=4, alpha=4.0, loss="plain"
    )


def small_vae() -> TinyVae:
    torch.manual_seed(0)
    return TinyVae(TinyVaeConfig(encoder_widths=(8, 8, 8), decoder_widths=(16, 8, 8, 8))).requires_grad_(False)


def gradient(loss: Tensor, module: nn.Module) -> Tensor:
    found = torch.autograd.grad(loss, [p for p in module.parameters() if p.requires_grad], allow_unused=True)
    return torch.cat([grad.flatten() for grad in found if grad is not None])


def test_losses_are_their_formulas() -> None:
    r = torch.tensor([-1.0, 0.5, 3.0])
    torch.testing.assert_close(reward_loss(r, "hinge", 2.0, 0.001), torch.tensor([0.003, 0.0015, 0.0]))
    torch.testing.assert_close(reward_loss(r, "plain", 2.0, 0.5), torch.tensor([0.5, -0.25, -1.5]))
    torch.testing.assert_close(reward_loss(r, "distance", 1.0, 1.0), torch.tensor([2.0, 0.5, 2.0]))


def test_strategies_choose_steps_there_are() -> None:
    def steps(strategy: str, count: int = 1, listed: tuple[int, ...] = (), seed: int = 0) -> tuple[int, ...]:
        return graded_steps(strategy, 4, count, listed, torch.Generator().manual_seed(seed))

    assert steps("last") == (3,)
    assert steps("tail", 3) == (1, 2, 3)
    assert {steps("uniform", 2, seed=seed) for seed in range(20)} == {(0, 2), (1, 3)}
    assert {len(set(steps("random", 2, seed=seed))) for seed in range(20)} == {2}
    assert {step for seed in range(40) for step in steps("random", 2, seed=seed)} == {0, 1, 2, 3}
    assert steps("list", listed=(3, 1)) == (1, 3)
    for strategy, count, listed in (("tail", 5, ()), ("list", 1, (4,)), ("list", 1, ()), ("best", 1, ())):
        with pytest.raises(ValueError, match=r"step|strategy"):
            steps(strategy, count, listed)


def test_only_the_end_of_a_stream_is_decoded_with_a_graph() -> None:
    vae = small_vae()
    latents = torch.randn(2, 4, 16, 4, 6, generator=torch.Generator().manual_seed(1), requires_grad=True)
    earlier, frames = decode_end(vae, latents, graded=1)
    whole = vae.decode(latents.detach())[0] * 0.5 + 0.5
    torch.testing.assert_close(torch.cat((earlier, frames), dim=1), whole)
    assert earlier.shape[1] == 9
    (grad,) = torch.autograd.grad(frames[:, -1].square().sum(), latents)
    assert grad[:, -1].abs().sum() > 0
    assert grad[:, :-1].abs().sum() == 0
    assert [latent_of(frame) for frame in (0, 1, 4, 5, 12)] == [(0, 0), (1, 0), (1, 3), (2, 0), (3, 3)]


def plain_last_frame(objective: FrameReward, exit_step: int) -> Tensor:
    """Loss of one micro-batch in a few lines: the live sampler, the whole stream decoded, its last frame judged."""
    transformer, vae = objective.trained["generator"], objective.frozen["decoder"]
    draw = first_draw()
    prompts, embeds = objective._texts.draw(draw)
    shape, config = objective._shape, transformer.config
    noise = shape.noise(2, draw, torch.device("cpu"))
    cache = RollingCache(config, shape.height, shape.width, batch=2)
    text, made = transformer.encode_text(embeds), []
    for number, own in enumerate(noise.split(config.chunk_frames, dim=2)):
        cache.begin_chunk(config.chunk_frames)
        x = own[0]
        for step in range(exit_step + 1):
            sigma = Schedule(config.timestep_shift).sigma(shape.timesteps[step])
            with torch.set_grad_enabled(number == 1 and step == exit_step):
                flow = transformer(x, torch.full((2, config.chunk_frames), shape.timesteps[step]), text, cache)
            x0 = x - sigma * flow
            if step < exit_step:
                following = Schedule(config.timestep_shift).sigma(shape.timesteps[step + 1])
                x = (1 - following) * x0 + following * own[step + 1]
        made.append(x0)
        if number == 0:
            with torch.no_grad():
                clean_pass(transformer, cache, text, x0)
    frames = vae.decode(torch.cat([made[0].detach(), made[1]], dim=1))[0] * 0.5 + 0.5
    with torch.no_grad():
        before = vae.decode(torch.cat(made, dim=1)[:, :-1])
    last = vae.decode(made[1][:, -1:], before[1])[0][:, -1:] * 0.5 + 0.5
    torch.testing.assert_close(last, frames[:, -1:])
    return -Looks().score(last, prompts)["looks"].sum()


@pytest.mark.parametrize("exit_step", [3, 1])
def test_last_frame_is_its_formula_on_the_live_sampler(
    model: str, tmp_path: Path, exit_step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    objective = last_frame.build(frame_settings(model), tmp_path)
    if exit_step != 3:
        shorter = dataclasses.replace(objective._shape, timesteps=objective._shape.timesteps[: exit_step + 1])
        monkeypatch.setattr(objective, "_shape", shorter)
    loss = objective.loss("generator", 0, first_draw())
    wanted = plain_last_frame(objective, exit_step)
    assert loss.weight == 2.0
    torch.testing.assert_close(loss.total, wanted, rtol=1e-4, atol=1e-5)
    generator = objective.trained["generator"]
    ours, theirs = gradient(loss.total, generator), gradient(wanted, generator)
    assert ours.abs().sum() > 0
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-5)


def test_the_start_holds_the_stream_where_asked(model: str, tmp_path: Path) -> None:
    settings = dataclasses.replace(frame_settings(model), start_weight=0.5)
    objective = last_frame.build(settings, tmp_path)
    at_start = objective.loss("generator", 0, first_draw())
    assert at_start.figures["from_start"] == pytest.approx(0.0, abs=1e-6)
    with torch.no_grad():
        for weight in objective.trained["generator"].parameters():
            weight.mul_(1.05)
    moved = objective.loss("generator", 0, first_draw())
    rewards = moved.figures["reward"]
    assert moved.total.item() == pytest.approx(2 * (0.5 * moved.figures["from_start"] - rewards), rel=1e-4)


def test_random_frame_judges_any_frame_and_ranks_agree(model: str, tmp_path: Path) -> None:
    objective = random_frame.build(frame_settings(model), tmp_path)
    judged = [objective._judged(first_draw(step=step)) for step in range(200)]
    assert {latent for latent, _ in judged} == set(range(6))
    assert judged[:5] == [objective._judged(first_draw(step=step, micro=7)) for step in range(5)]
    loss = objective.loss("generator", 1, first_draw(step=1))
    assert gradient(loss.total, objective.trained["generator"]).abs().sum() > 0


def test_lost_movement_ends_the_run_after_a_restart_too(model: str, tmp_path: Path) -> None:
    settings = dataclasses.replace(frame_settings(model), motion_window=3)
    first, second = (last_frame.build(settings, tmp_path) for _ in range(2))
    assert all(first.verdict(step, {MOTION: 0.1}) is None for step in range(3))
    second.load_state_dict(first.state_dict())
    assert second.verdict(3, {MOTION: 0.09}) is None
    assert "movement fell" in (second.verdict(4, {MOTION: 0.01}) or "")


def test_a_trend_counts_only_what_is_sure() -> None:
    trend = Trend(("a",), 4)
    for value in (1.0, 1.1, 0.9, 1.0, 1.0, 1.1, 0.9, 1.05):
        trend.add((value,))
    assert abs(trend.change("a")) < 1.0
    for value in (2.0, 2.1, 1.9, 2.0):
        trend.add((value,))
    assert trend.change("a") > 5.0


def test_a_fooled_reward_ends_the_run(model: str, tmp_path: Path) -> None:
    objective = reward_lora.build(dataclasses.replace(lora_settings(model), watch_window=4), tmp_path)
    sentences = []
    for step in range(8):
        values = (0.1 * step, 1.0 - 0.1 * step, 0.5 - 0.05 * step)
        sentences.append(objective.verdict(step, dict(zip(WATCHED, values, strict=True))))
    assert sentences[:-1] == [None] * 7
    assert "fooled" in (sentences[-1] or "")


def test_a_fresh_lora_changes_nothing_and_only_it_is_trained(model: str, tmp_path: Path) -> None:
    plain, with_lora = (load_transformer(model, "", tmp_path) for _ in range(2))
    layers = add_lora(with_lora, 4, 4.0, seed=0)
    assert layers == sum(isinstance(module, nn.Linear) for module in plain.modules())
    assert {name for name, p in with_lora.named_parameters() if p.requires_grad} == {
        name for name, _ in with_lora.named_parameters() if ".lora_" in name
    }
    embeds = torch.randn(1, 4, 8, generator=torch.Generator().manual_seed(0))
    for one, other in zip(plain.encode_text(embeds), with_lora.encode_text(embeds), strict=True):
        torch.testing.assert_close(one[0], other[0], rtol=0, atol=0)


def lora_gradient(model: str, folder: Path, changes: dict[str, object]) -> tuple[float, Tensor]:
    objective = reward_lora.build(dataclasses.replace(lora_settings(model), **changes), folder)
    with torch.no_grad():
        for name, weight in objective.trained["generator"].named_parameters():
            if name.endswith("lora_up.weight"):
                weight.fill_(0.02)
    loss = objective.loss("generator", 0, first_draw())
    return loss.total.item(), gradient(loss.total, objective.trained["generator"])


def test_steps_with_a_graph_change_the_gradient_and_never_the_loss(model: str, tmp_path: Path) -> None:
    choices: list[dict[str, object]] = [{"strategy": "last"}, {"strategy": "tail", "backward_steps": 2}]
    choices += [{"strategy": "tail", "backward_steps": 2, "stops_inputs": True}]
    choices += [{"strategy": "list", "step_list": (0,)}]
    found = [lora_gradient(model, tmp_path, choice) for choice in choices]
    for loss, grad in found:
        assert loss == pytest.approx(found[0][0], rel=1e-5)
        assert grad.abs().sum() > 0
    for one in range(len(found)):
        for other in range(one):
            assert not torch.allclose(found[one][1], found[other][1], rtol=1e-3)


def test_the_beginning_of_a_stream_can_be_judged_and_frames_sampled(model: str, tmp_path: Path) -> None:
    settings = dataclasses.replace(lora_settings(model), judged="first", decoded_latents=4, sampled_frames=3)
    objective = reward_lora.build(settings, tmp_path)
    assert objective._chunks() == (2, -1)
    assert objective.loss("generator", 0, first_draw()).figures.keys() == {"reward", "held_out", "motion"}
    with pytest.raises(ValueError, match="decoded_latents = 9"):
        reward_lora.build(dataclasses.replace(settings, decoded_latents=9), tmp_path)


def test_panels_are_the_same_every_time(model: str, tmp_path: Path) -> None:
    first, second = (
        build(tmp_path).paint(("ink", "fire"), seed=5)
        for build in (
            lambda folder: last_frame.build(frame_settings(model), folder),
            lambda folder: reward_lora.build(lora_settings(model), folder),
        )
    )
    assert first.shape == (2, 21, 3, 32, 48)
    assert 0.0 <= first.min() <= first.max() <= 1.0
    torch.testing.assert_close(first, second)  # a fresh LoRA changes nothing
    assert len(last_frame.build(frame_settings(model), tmp_path).paint((), seed=5)) == 4  # its own prompts


def test_what_cannot_be_is_told_before_any_compute(model: str, tmp_path: Path) -> None:
    settings = frame_settings(model)
    assert last_frame.missing(settings, tmp_path) == []
    assert "judges movement" in last_frame.missing(dataclasses.replace(settings, reward="motion"), tmp_path)[0]
    assert "no such file" in last_frame.missing(dataclasses.replace(settings, start_from="ode/x"), tmp_path)[0]
    assert "did you mean" in reward_lora.missing(dataclasses.replace(lora_settings(model), reward="look"), tmp_path)[0]
    assert (
        "contrast" in reward_lora.missing(dataclasses.replace(lora_settings(model), held_out="contrast"), tmp_path)[0]
    )
    for name, value in (("exit", "first"), ("loss", "mean"), ("least_motion", 1.5), ("chunks", 0)):
        with pytest.raises(ValueError, match=name):
            dataclasses.replace(settings, **{name: value})


def test_a_reward_lora_raises_its_reward_and_plays(model: str, tmp_path: Path) -> None:
    settings = dataclasses.replace(lora_settings(model), name="bright", strategy="last", decoded_latents=3)
    trainer = dataclasses.replace(
        reward_lora.STAGE.trainer, steps=25, batch=4, micro_batch=4, dtype="float32", device="cpu", save_every_steps=25
    )
    rate = dataclasses.replace(reward_lora.STAGE.optimisers["generator"], rate=0.01)
    before = held_out_reward(model, tmp_path)
    folder = tmp_path / "reward-lora"
    train_stage(reward_lora.STAGE, StageConfig(settings, trainer, {"generator": rate}), folder)
    files = [folder / f"bright.{style}.safetensors" for style in ("videox-fun", "diffusers")]
    deltas = []
    for file in files:
        played = load_transformer(model, "", tmp_path)
        plain = {name: weight.clone() for name, weight in played.named_parameters()}
        mixer = LoraMixer(played)
        assert mixer.apply([LoraWeight(str(file), 1.0)], wait=True)
        mixer.close()
        deltas.append({name: weight - plain[name] for name, weight in played.named_parameters()})
        after = held_out_reward(model, tmp_path, played)
        assert after > before + 0.02
    for name, delta in deltas[0].items():
        torch.testing.assert_close(delta, deltas[1][name])
    with safe_open(files[0], framework="pt") as opened:
        metadata, keys = opened.metadata(), set(opened.keys())
    wanted = {"base_model": model, "rank": "4", "alpha": "4.0", "reward": "looks", "step": "25", "format": "pt"}
    assert wanted.items() <= metadata.items()
    assert "lora_unet__blocks_0_self_attn_q.lora_down.weight" in keys
    assert "lora_unet__head_head.alpha" in keys


def held_out_reward(model: str, folder: Path, played: nn.Module | None = None) -> float:
    """Mean looks of streams that were not trained on, of the plain model or of another."""
    settings = dataclasses.replace(lora_settings(model), decoded_latents=3)
    objective: RewardLora = reward_lora.build(settings, folder)
    if played is not None:
        objective.trained["generator"].load_state_dict(played.state_dict(), strict=False)
    with torch.no_grad():
        losses = [objective.loss("generator", 0, first_draw(99, micro=micro, samples=8)) for micro in range(2)]
    return sum(loss.figures["reward"] for loss in losses) / 2
