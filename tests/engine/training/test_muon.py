"""Muon: updates of matrices are orthogonal, both kinds of parameter are minimised."""

import torch
from torch import nn

from engine.training.muon import Muon, orthogonalise
from engine.training.run_folder import rate_factor


def test_singular_values_come_near_one() -> None:
    matrices = torch.randn(3, 24, 40, generator=torch.Generator().manual_seed(1))
    for update in (orthogonalise(matrices), orthogonalise(matrices.mT)):
        values = torch.linalg.svdvals(update.float())
        assert values.min() > 0.5
        assert values.max() < 1.5


def test_it_fits_a_small_network() -> None:
    torch.manual_seed(2)
    model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 4))
    x, wanted = torch.randn(64, 8), torch.randn(64, 4)
    optimiser = Muon([model[2].weight], [p for p in model.parameters() if p is not model[2].weight], 0.02, 0.01)
    first = last = 0.0
    for step in range(150):
        optimiser.scale_rates(rate_factor(step / 150, 0.5))
        loss = (model(x) - wanted).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        last = float(loss.detach())
        first = first or last
    assert last < 0.2 * first


def test_rates_warm_up_hold_and_fall() -> None:
    assert rate_factor(0.0, 0.5) < 0.2
    assert rate_factor(0.3, 0.5) == 1.0
    assert rate_factor(1.0, 0.5) < 0.03
