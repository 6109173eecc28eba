"""The anchor: off it changes nothing, on it holds the mean it has seen and leaves forms alone."""

import pytest
import torch

from engine.latent_anchor import REFERENCE_LATENT_FRAMES, SETTLE_LATENT_FRAMES, LatentAnchor

PROMPT, OTHER = object(), object()


def latents(mean: float, frames: int = 3) -> torch.Tensor:
    form = torch.linspace(-1.0, 1.0, 16).reshape(1, 1, 1, 4, 4)
    return (form + mean).expand(1, frames, 2, 4, 4).clone()


def settle(anchor: LatentAnchor, mean: float, frames: int = 3, prompt: object = PROMPT) -> None:
    for _ in range((SETTLE_LATENT_FRAMES + REFERENCE_LATENT_FRAMES) // frames):
        x0 = latents(mean, frames)
        assert anchor.hold(x0, prompt) is x0


def test_at_gain_zero_nothing_is_touched():
    anchor = LatentAnchor(0.0)
    for mean in range(40):
        x0 = latents(float(mean))
        assert anchor.hold(x0, PROMPT) is x0


@pytest.mark.parametrize("frames", [1, 3])
def test_a_drifted_mean_is_pulled_back_and_the_form_kept(frames):
    anchor = LatentAnchor(0.25)
    settle(anchor, 1.0, frames)
    held = anchor.hold(latents(2.0, frames), PROMPT)
    pull = 1.0 - 0.75 ** (frames / 3)
    assert held.mean().item() == pytest.approx(2.0 - pull, abs=1e-5)
    assert torch.allclose(held - held.mean(), latents(0.0, frames), atol=1e-5)
    assert held.dtype == torch.float32


def test_another_prompt_and_a_hard_cut_begin_anew():
    anchor = LatentAnchor(0.5)
    settle(anchor, 1.0)
    settle(anchor, 5.0, prompt=OTHER)
    assert anchor.hold(latents(5.0), OTHER).mean().item() == pytest.approx(5.0, abs=1e-5)
    anchor.forget()
    settle(anchor, -2.0, prompt=OTHER)
    assert anchor.hold(latents(-2.0), OTHER).mean().item() == pytest.approx(-2.0, abs=1e-5)
