"""Samples of the transformer: blends are asked for as two pads are, switches count from where they happen."""

import random

import torch

from engine.model.config import ModelConfig
from engine.text.ngram import NgramConfig, NgramEncoder
from engine.text.prompts import blend
from engine.training.bank import Bank
from engine.training.clips.spec import ClipPlan, ClipSpec
from engine.training.samples import Prompt, SampleShares, draw_samples, encode_prompts

TINY = ModelConfig(dim=48, ffn_dim=64, num_heads=2, num_layers=2, freq_dim=16, text_dim=12, text_len=6)
INK, FIRE = ClipSpec("ink", "black", "slow", 1), ClipSpec("fire", "red", "fast", 2)


def bank_of(*plans: ClipPlan) -> Bank:
    """A bank whose latents are the number of their latent frame."""
    start = torch.arange(12.0).view(1, 12, 1, 1, 1).expand(len(plans), 12, 16, 2, 2).half()
    return Bank(start, 100.0 + start[:, :6], plans)


def drawn(plan: ClipPlan) -> list:
    """Many batches of samples of one clip, none of which says nothing."""
    dice, settings = random.Random(3), SampleShares(filler_share=0.0)
    return [draw_samples(bank_of(plan), settings, 4, TINY, 3, dice) for _ in range(10)]


def test_a_switch_is_seen_whole_and_counts_from_where_it_happens() -> None:
    for switch_frame, latent in ((9, 3), (21, 6)):
        for samples in drawn(ClipPlan(INK, FIRE, switch_frame=switch_frame)):
            assert samples.target[0, :, 0, 0, 0].tolist() == list(range(9))
            assert samples.counts[:, :latent].sum() == 0
            assert samples.counts[:, latent:].min() == 1
            assert {prompt.second for prompt in samples.prompts} == {""}


def test_a_blend_is_asked_for_with_two_texts() -> None:
    for samples in drawn(ClipPlan(INK, FIRE, share=0.3)):
        assert all(prompt.text and prompt.second and prompt.share == 0.3 for prompt in samples.prompts)


def test_prompts_blend_as_on_stage() -> None:
    torch.manual_seed(1)
    encoder = NgramEncoder(NgramConfig(text_len=6, text_dim=12, buckets=256, width=12))
    prompts = [Prompt("blue smoke"), Prompt("black ink", "red fire", 0.25), Prompt("ice")]
    rows = encode_prompts(encoder, prompts)
    torch.testing.assert_close(rows[[0, 2]], encoder(["blue smoke", "ice"]))
    one, other = encoder(["black ink", "red fire"])
    torch.testing.assert_close(rows[1], blend((one, other), (0.75, 0.25), "linear"))
