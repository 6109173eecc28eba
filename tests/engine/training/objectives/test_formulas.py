"""Every objective's loss and gradient against a few plain lines, on a model of two layers."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from engine.caches.rolling_cache import RollingCache
from engine.schedule import PUBLISHED_STEPS, Schedule
from engine.training.objective import Draw
from engine.training.objectives.clip_attention import ChunkAttention, everything
from engine.training.objectives.distribution_matching import direction, matching_loss, reward_weights
from engine.training.objectives.few_step import FewStep, FewStepSettings
from engine.training.objectives.levels import normal_sigmas, shifted, uniform_sigmas
from engine.training.objectives.ode import Ode, OdeSettings
from engine.training.objectives.ode_pairs import OdePairsSettings, make_pairs, trajectory_states
from engine.training.objectives.redmd import Redmd, RedmdSettings
from engine.training.objectives.score import guided
from engine.training.objectives.trajectories import PUBLISHED_SIGMAS, Trajectories
from engine.training.rollout import RolloutPlan, roll_out
from tests.engine.small_model import CONFIG, write_small_model

GRID = (4, 6)


def _draw() -> Draw:
    """The same draw from its beginning: its generators move on while they are used."""
    return Draw(seed=1, step=0, part="generator", turn=0, micro=0, samples=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run's folder with one small model in it, which is student, teacher and critic."""
    folder = tmp_path_factory.mktemp("run")
    write_small_model(folder / "small")
    return folder


def _matching(kind: type, folder: Path, **changes: object) -> dict:
    model = str(folder / "small")
    values = {
        "model": model,
        "teacher": model,
        "critic": model,
        "start_from": "",
        "teacher_from": "",
        "critic_from": "",
    }
    return dataclasses.asdict(kind(**(values | {"width": 48, "height": 32, "latent_frames": (6,)} | changes)))


def _redmd(folder: Path, **changes: object) -> Redmd:
    found = Redmd(RedmdSettings(**_matching(RedmdSettings, folder, **changes)), folder)
    _set_apart(found)
    return found


def _set_apart(objective: Redmd | FewStep) -> None:
    """Otherwise all three are one model, and nothing would be left to match."""
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for model in (objective.critic, objective.teacher):
            for p in model.parameters():
                p += 0.05 * torch.randn(p.shape, generator=generator)
    for model in (objective.generator, objective.critic):
        model.requires_grad_(True)
    objective.teacher.requires_grad_(False)


def _gradients(model: torch.nn.Module) -> dict[str, Tensor]:
    found = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad(set_to_none=True)
    return found


def _same(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, atol=1e-6, rtol=1e-4)


def _flow(model: torch.nn.Module, x: Tensor, sigma: Tensor, embeds: Tensor) -> Tensor:
    return model(x, 1000 * sigma[:, None], model.encode_text(embeds), everything(CONFIG, x))


@pytest.mark.parametrize("chunk_frames", [1, 3])
@torch.no_grad()
def test_chunks_of_a_clip_see_what_they_see_in_a_stream(folder: Path, chunk_frames: int) -> None:
    model = _redmd(folder, beta=0.0).generator
    latents = torch.randn(1, 15, 16, *GRID, generator=torch.Generator().manual_seed(1))
    levels = torch.zeros(1, 15)
    keys = model.encode_text(torch.randn(1, 4, 8, generator=torch.Generator().manual_seed(2)))
    packed = model(latents, levels, keys, ChunkAttention(CONFIG, latents, chunk_frames))
    cache, streamed = RollingCache(CONFIG, *GRID), []
    for own in latents.split(chunk_frames, dim=1):
        cache.begin_chunk(chunk_frames, "static")
        streamed.append(model(own, torch.zeros(1, chunk_frames), keys, cache))
    torch.testing.assert_close(packed, torch.cat(streamed, dim=1), atol=1e-5, rtol=0)


def test_the_direction_and_its_loss_are_the_published_formula() -> None:
    generator = torch.Generator().manual_seed(3)
    x0, fake, real = (torch.randn(2, 6, 16, *GRID, generator=generator) for _ in range(3))
    x0.requires_grad_(True)
    towards = direction(x0, fake, real)
    for row in range(2):
        size = (x0[row] - real[row]).abs().mean()
        torch.testing.assert_close(towards[row], (fake[row] - real[row]) / size)
    weights = torch.tensor([2.0, 0.5], dtype=torch.float64)
    losses = matching_loss(x0, towards)
    torch.testing.assert_close(losses, 0.5 * towards.double().square().mean(dim=(1, 2, 3, 4)))
    (weights * losses).sum().backward()
    # dL/dx = w g / numbers of a sample
    torch.testing.assert_close(x0.grad, weights.float()[:, None, None, None, None] * towards / x0[0].numel())


def test_a_direction_that_is_no_number_moves_nothing() -> None:
    x0 = torch.ones(1, 3, 16, *GRID)
    assert not direction(x0, x0 + 1.0, x0).any()


def test_rewards_weigh_samples_and_beta_zero_weighs_none() -> None:
    reward = torch.tensor([1.0, -1.0, 5.0])
    torch.testing.assert_close(reward_weights(reward, 2.0, 0.0), (2.0 * reward.double()).exp())
    torch.testing.assert_close(reward_weights(reward, 2.0, 3.0)[2], torch.tensor(math.exp(3.0), dtype=torch.float64))
    assert reward_weights(reward, 0.0, 3.0).tolist() == [1.0, 1.0, 1.0]


def test_three_in_the_configured_convention_is_four_in_the_standard_one() -> None:
    c, u = torch.randn(2, 5, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(guided(c, u, 3.0, "configured"), guided(c, u, 4.0, "standard"))


def test_levels_are_drawn_by_the_shifted_schedule() -> None:
    sigmas = uniform_sigmas(4000, 5.0, 20.0, 980.0, torch.Generator().manual_seed(1))
    table = Schedule(5.0).sigmas.clamp(0.02, 0.98)
    assert torch.isin((sigmas * 1e4).round(), (table * 1e4).round()).all()
    assert abs(float(sigmas.median()) - float(shifted(torch.tensor(0.5), 5.0))) < 0.02
    normal = normal_sigmas(4000, 3.0, torch.Generator().manual_seed(1))
    assert abs(float(normal.median()) - 0.75) < 0.02


@pytest.mark.parametrize("beta", [0.0, 1.5])
def test_redmd_moves_the_generator_as_the_formula_says(folder: Path, beta: float) -> None:
    own = _redmd(folder, beta=beta, reward="motion", negative_prompt="dull")
    found = own.loss("generator", 0, _draw())
    found.total.backward()
    gradients = _gradients(own.generator)

    prompts, embeds = own.texts.draw(draw := _draw())
    timesteps = Schedule(5.0).warp(PUBLISHED_STEPS)
    exit_step = int(torch.randint(4, (1,), generator=draw.shared))
    torch.randint(1, (1,), generator=draw.shared)
    noise = torch.randn(4, 2, 6, 16, *GRID, generator=draw.own)
    plan = RolloutPlan(timesteps, exit_step, is_detached=False)
    x = roll_out(own.generator, own.generator.encode_text(embeds), noise, plan)
    level = torch.randint(1000, (2,), generator=draw.own) / 1000
    sigma = (5 * level / (1 + 4 * level)).clamp(0.02, 0.98)
    wide = sigma[:, None, None, None, None]
    with torch.no_grad():
        noisy = (1 - wide) * x + wide * torch.randn(x.shape, generator=draw.own)
        c, u = (_flow(own.teacher, noisy, sigma, e) for e in (embeds, own.texts.embed(["dull", "dull"])))
        real = noisy - wide * (c + 3.0 * (c - u))
        fake = noisy - wide * _flow(own.critic, noisy, sigma, embeds)
        g = (fake - real) / (x - real).abs().mean(dim=(1, 2, 3, 4), keepdim=True)
        weight = torch.ones(2)
        if beta:
            frames = (own.frozen["decoder"].decode(x, None)[0].clamp(-1, 1) + 1) / 2
            reward = (own.frozen["reward"].score(frames, prompts)["motion"] + 5.0) / 0.42
            weight = (beta * reward).clamp(-3, 3).exp()
    loss = (weight * 0.5 * (x - (x - g).detach()).square().mean(dim=(1, 2, 3, 4))).sum()
    loss.backward()
    assert found.weight == pytest.approx(float(weight.sum()), rel=1e-6)
    assert found.weight_squares == pytest.approx(float(weight.square().sum()), rel=1e-6)
    assert found.total.item() == pytest.approx(loss.item(), rel=1e-5)
    _same(gradients, _gradients(own.generator))
    assert all(p.grad is None for p in (*own.critic.parameters(), *own.teacher.parameters()))


def test_redmd_teaches_the_critic_what_the_generator_makes(folder: Path) -> None:
    own = _redmd(folder, beta=0.0)
    found = own.loss("critic", 0, _draw())
    found.total.backward()
    gradients = _gradients(own.critic)
    assert all(p.grad is None for p in own.generator.parameters())

    _, embeds = own.texts.draw(draw := _draw())
    with torch.no_grad():
        x = own.make(draw, embeds)
    level = torch.randint(1000, (2,), generator=draw.own) / 1000
    sigma = (5 * level / (1 + 4 * level)).clamp(0.02, 0.98)
    noise, wide = torch.randn(x.shape, generator=draw.own), sigma[:, None, None, None, None]
    v = _flow(own.critic, (1 - wide) * x + wide * noise, sigma, embeds)
    loss = (v - (noise - x)).square().mean(dim=(1, 2, 3, 4)).sum()
    loss.backward()
    assert found.total.item() == pytest.approx(loss.item(), rel=1e-5)
    _same(gradients, _gradients(own.critic))


def test_the_few_step_teacher_is_matched_from_one_step_of_a_whole_clip(folder: Path) -> None:
    own = FewStep(FewStepSettings(**_matching(FewStepSettings, folder)), folder)
    _set_apart(own)
    found = own.loss("generator", 0, _draw())
    found.total.backward()
    gradients = _gradients(own.generator)

    _, embeds = own.texts.draw(draw := _draw())
    exit_step = int(torch.randint(4, (1,), generator=draw.shared))
    noise = torch.randn(4, 2, 6, 16, *GRID, generator=draw.own)
    x, sigmas = noise[0], [1.0, 0.9375, 5 / 6, 0.625]
    for step in range(exit_step + 1):
        sigma = torch.full((2,), sigmas[step])
        x0 = x - sigmas[step] * _flow(own.generator, x, sigma, embeds)
        if step < exit_step:
            x = ((1 - sigmas[step + 1]) * x0 + sigmas[step + 1] * noise[step + 1]).detach()
    level = torch.randint(1000, (2,), generator=draw.own) / 1000
    sigma = (5 * level / (1 + 4 * level)).clamp(0.02, 0.98)
    wide = sigma[:, None, None, None, None]
    with torch.no_grad():
        noisy = (1 - wide) * x0 + wide * torch.randn(x0.shape, generator=draw.own)
        c, u = (_flow(own.teacher, noisy, sigma, e) for e in (embeds, own.texts.embed(["", ""])))
        real = noisy - wide * (4 * c - 3 * u)
        fake = noisy - wide * _flow(own.critic, noisy, sigma, embeds)
        g = (fake - real) / (x0 - real).abs().mean(dim=(1, 2, 3, 4), keepdim=True)
    loss = 0.5 * (x0 - (x0 - g).detach()).square().mean(dim=(1, 2, 3, 4)).sum()
    loss.backward()
    assert found.total.item() == pytest.approx(loss.item(), rel=1e-5)
    _same(gradients, _gradients(own.generator))


def test_trajectories_follow_the_guided_flow_and_come_back_from_the_disk(folder: Path) -> None:
    settings = OdePairsSettings(
        model=str(folder / "small"), start_from="", count=5, shard_pairs=3, batch=2, width=48, height=32,
        latent_frames=6, device="cpu", dtype="float32",
    )  # fmt: skip
    assert settings.stored_sigmas == pytest.approx(PUBLISHED_SIGMAS)
    model = _redmd(folder, beta=0.0).teacher
    embeds, negative = torch.randn(1, 4, 8), torch.zeros(4, 8)
    x = noise = torch.randn(1, 6, 16, *GRID, generator=torch.Generator().manual_seed(1))
    states = trajectory_states(model, noise, embeds, negative, settings)
    expected = []
    with torch.no_grad():
        for step in range(48):
            if step % 12 == 0:
                expected.append(x)
            now, following = (8 * u / (1 + 7 * u) for u in (1 - step / 48, 1 - (step + 1) / 48))
            c, u = (_flow(model, x, torch.tensor([now]), e) for e in (embeds, negative[None]))
            x = x + (following - now) * (u + 6.0 * (c - u))
    torch.testing.assert_close(states, torch.stack([*expected, x], dim=1), atol=1e-4, rtol=1e-4)

    settings = dataclasses.replace(settings, steps=4, stored=(0, 1), shift=5.0, guidance=1.0)
    make_pairs(settings, folder)
    files = sorted((folder / "ode_pairs").iterdir())
    assert [file.name for file in files] == ["00000.safetensors", "00001.safetensors"]
    pairs = Trajectories(folder / "ode_pairs")
    assert len(pairs) == 5
    assert pairs.header.sigmas == pytest.approx((1.0, 0.9375, 0.0))
    before, kept = pairs[4], files[0].stat().st_mtime_ns
    files[1].unlink()
    make_pairs(settings, folder)
    again = Trajectories(folder / "ode_pairs")[4]
    assert again.prompt == before.prompt
    assert torch.equal(again.states, before.states)  # what a trajectory is depends on its number alone
    assert files[0].stat().st_mtime_ns == kept


def test_the_student_is_regressed_to_where_trajectories_end(folder: Path) -> None:
    if not (folder / "ode_pairs").exists():
        pytest.skip("the trajectories are made by the test before")
    own = Ode(OdeSettings(model=str(folder / "small"), start_from=""), folder)
    own.generator.requires_grad_(True)
    found = own.loss("generator", 0, _draw())
    found.total.backward()
    gradients = _gradients(own.generator)

    draw, pairs = _draw(), Trajectories(folder / "ode_pairs")
    chosen = [pairs[draw.dice.randrange(5)] for _ in range(2)]
    states, sigmas = torch.stack([one.states.float() for one in chosen]), torch.tensor([1.0, 0.9375, 0.0])
    index = torch.randint(3, (2, 2), generator=draw.own).repeat_interleave(3, dim=1)
    x = torch.stack([torch.stack([states[b, index[b, f], f] for f in range(6)]) for b in range(2)])
    sigma = sigmas[index]
    text = own.generator.encode_text(own._texts.embed([one.prompt for one in chosen]))
    flow = own.generator(x, 1000 * sigma, text, ChunkAttention(CONFIG, x))
    loss = sum(
        (x[b, f] - sigma[b, f] * flow[b, f] - states[b, -1, f]).square().mean()
        for b in range(2)
        for f in range(6)
        if sigma[b, f] > 0
    )
    loss.backward()
    assert found.weight == float((sigma > 0).sum())
    assert found.total.item() == pytest.approx(loss.item(), rel=1e-5)
    _same(gradients, _gradients(own.generator))
