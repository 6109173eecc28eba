"""The schedule's published numbers."""

import pytest
import torch

from engine.schedule import PUBLISHED_STEPS, Schedule, flow_to_x0, renoise


def test_published_steps_warp_to_the_published_timesteps():
    assert Schedule(5.0).warp(PUBLISHED_STEPS) == pytest.approx((1000.0, 937.5, 833.3333, 625.0), abs=1e-3)


@pytest.mark.parametrize(
    ("level", "sigma"),
    [(0, 1.0), (1, 0.99979979), (250, 0.9375), (500, 0.83333331), (998, 0.00992064), (999, 0.00498008)],
)
def test_sigma_table(level, sigma):
    schedule = Schedule(5.0)
    assert schedule.sigmas[level].item() == pytest.approx(sigma, abs=1e-7)
    assert schedule.sigma(schedule.timesteps[level].item()) == schedule.sigmas[level].item()


def test_timestep_zero_finds_the_lowest_entry():
    assert Schedule(5.0).sigma(0.0) == pytest.approx(0.00498008, abs=1e-7)


@pytest.mark.parametrize("steps", [(), (250, 500), (1001,), (-1,), (500, 500)])
def test_impossible_steps_are_refused(steps):
    with pytest.raises(ValueError, match="steps"):
        Schedule(5.0).warp(steps)


def test_renoising_multiplies_in_float32():
    x0, noise = torch.randn(2, 1000, generator=torch.Generator().manual_seed(0)).bfloat16()
    exact = ((1 - 0.8333333) * x0.double() + 0.8333333 * noise.double()).bfloat16()
    in_bfloat16 = (1 - 0.8333333) * x0 + 0.8333333 * noise
    assert (renoise(x0, noise, 0.8333333) != exact).float().mean() < 0.03  # ties at the last bit
    assert (in_bfloat16 != exact).float().mean() > 0.1


def test_flow_to_x0_subtracts_in_float64():
    x, flow = torch.randn(2, 1000, generator=torch.Generator().manual_seed(1))
    assert torch.equal(flow_to_x0(x, flow, 0.9375), (x.double() - 0.9375 * flow.double()).float())


@pytest.mark.parametrize(
    ("count", "kept"), [(1, (0,)), (2, (0, 2)), (3, (0, 1, 2)), (4, (0, 1, 2, 3)), (9, (0, 1, 2, 3)), (0, (0,))]
)
def test_fewer_steps_are_taken_from_the_models_own(count, kept):
    own = Schedule(5.0).warp(PUBLISHED_STEPS)
    assert Schedule.choose(own, count) == tuple(own[i] for i in kept)
