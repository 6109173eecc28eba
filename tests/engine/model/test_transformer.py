"""The transformer: published sizes and keys, and the pieces that only show at other sizes."""

import math

import pytest
import torch

from engine.model.config import WAN_1_3B, WAN_14B, ModelConfig
from engine.model.embeddings import sinusoid
from engine.model.rope import axis_pairs, rotate, rotation_table
from engine.model.transformer import CausalWanTransformer
from tests.engine.tiny import tiny_latents, tiny_transformer


def test_1_3b_has_the_published_parameters():
    with torch.device("meta"):
        model = CausalWanTransformer(WAN_1_3B)
    state = model.state_dict()
    assert len(state) == 825
    assert sum(weight.numel() for weight in state.values()) == 1_418_996_800
    assert state["patch_embedding.weight"].shape == (1536, 16, 1, 2, 2)
    assert state["blocks.29.modulation"].shape == (1, 6, 1536)
    assert state["head.head.weight"].shape == (64, 1536)
    assert not [key for key in state if "norm1" in key or "norm2" in key]


def test_14b_is_the_same_class():
    with torch.device("meta"):
        state = CausalWanTransformer(WAN_14B).state_dict()
    assert state["blocks.39.ffn.0.weight"].shape == (13824, 5120)


def test_rotary_pairs_of_the_published_head_width():
    assert axis_pairs(128) == (22, 21, 21)


@pytest.mark.parametrize("head_dim", [6, 8, 12, 16, 64, 128])
def test_rotary_pairs_fill_the_head(head_dim):
    assert sum(axis_pairs(head_dim)) == head_dim // 2


def test_rotation_turns_pairs_by_position():
    table = rotation_table(9, 2, 3, 16)
    x = torch.randn(1, 54, 2, 16, generator=torch.Generator().manual_seed(0))
    turned = rotate(x, table)
    assert torch.allclose(turned[:, 0], x[:, 0])  # slot 0, row 0, column 0 does not turn
    assert torch.allclose(turned.norm(dim=-1), x.norm(dim=-1), atol=1e-5)
    angle = 8.0  # slot 8, first temporal pair: frequency 1
    first = x[0, 48, 0, 0] * math.cos(angle) - x[0, 48, 0, 1] * math.sin(angle)
    assert turned[0, 48, 0, 0].item() == pytest.approx(first.item(), abs=1e-5)


def test_sinusoid_keeps_fractions_of_a_timestep():
    whole, fraction = sinusoid(torch.tensor([[936.0, 937.5]]), 32)[0]
    assert fraction[0].item() == pytest.approx(math.cos(937.5), abs=1e-9)
    assert not torch.allclose(whole, fraction, atol=1e-3)


def test_patches_come_back_where_they_were():
    model = tiny_transformer()
    channels, height, width = 4, 4, 6
    latents = tiny_latents(2)
    patches = torch.zeros(1, 2, 6, 16)
    for ph in range(2):
        for pw in range(2):
            for c in range(channels):
                patches[..., (ph * 2 + pw) * channels + c] = latents[:, :, c, ph::2, pw::2].flatten(2)
    assert torch.equal(model.unpatch(patches, height, width), latents)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"dim": 50}, "must split into"),
        ({"window_frames": 8}, "must be a multiple"),
        ({"window_frames": 3}, "2 at least"),
        ({"sink_frames": 0}, "at least 1"),
        ({"chunk_frames": 2}, "must divide sink_frames"),
        ({"patch_size": (2, 2, 2)}, "temporal patch"),
    ],
)
def test_impossible_geometry_is_refused_with_a_sentence(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        ModelConfig(**changes)


def test_a_latent_the_patch_does_not_divide_is_refused():
    with pytest.raises(ValueError, match="patches of 2x2"):
        WAN_1_3B.tokens_per_frame(5, 6)
