"""The generator on a tiny model: chunk lengths, cuts, seeds, chunk sizes, and what happens to NaN."""

import dataclasses

import numpy as np
import pytest
import torch

from engine.generator import Generator
from engine.model.config import ModelConfig
from engine.params import ChunkParams
from engine.schedule import PUBLISHED_STEPS, Schedule
from engine.vae.frame_encoding import NotFiniteError
from engine.vae.tiny_vae import TinyVae, TinyVaeConfig
from tests.engine.tiny import tiny_transformer

CONFIG = ModelConfig(dim=48, ffn_dim=64, num_heads=4, num_layers=2, freq_dim=16, text_dim=8, text_len=4)
PARAMS = dataclasses.replace(ChunkParams().with_prompts(("ink", "fire")), seed=7)


class HashEncoder:
    """Random rows per text."""

    def encode(self, text):
        return torch.randn(
            CONFIG.text_len, CONFIG.text_dim, generator=torch.Generator().manual_seed(sum(text.encode()))
        )


def make_generator(model=None):
    torch.manual_seed(0)
    decoder = TinyVae(TinyVaeConfig(encoder_widths=(8, 8, 8), decoder_widths=(8, 8, 8, 8))).eval()
    return Generator(
        model or tiny_transformer(CONFIG),
        decoder,
        HashEncoder(),
        name="tiny",
        size=(48, 32),
        rate_fps=16.0,
        timesteps=Schedule(5.0).warp(PUBLISHED_STEPS),
    )


@pytest.fixture
def generator():
    made = make_generator()
    yield made
    made.close()


def play(generator, count, params=PARAMS):
    return [generator.generate_chunk(params) for _ in range(count)]


def test_first_chunk_is_nine_frames_then_twelve_also_after_a_hard_cut(generator):
    chunks = play(generator, 3)
    generator.hard_cut()
    chunks += play(generator, 2)
    assert [len(chunk.frames) for chunk in chunks] == [9, 12, 12, 9, 12]
    assert [chunk.first_frame for chunk in chunks] == [0, 9, 21, 0, 9]
    assert [chunk.stream_id for chunk in chunks] == [1, 1, 1, 2, 2]
    assert chunks[0].frames.shape == (9, 32, 48, 4)
    assert (chunks[0].frames[..., 3] == 255).all()


def test_a_seed_repeats_after_a_hard_cut_and_another_does_not(generator):
    first = play(generator, 5)
    generator.hard_cut()
    again = play(generator, 5)
    generator.hard_cut()
    other = play(generator, 5, dataclasses.replace(PARAMS, seed=8))
    for a, b, c in zip(first, again, other, strict=True):
        assert np.array_equal(a.frames, b.frames)
        assert not np.array_equal(a.frames, c.frames)


def test_prompt_weights_change_the_next_chunk_and_no_earlier_one(generator):
    plain = play(generator, 3)
    generator.hard_cut()
    mixed = play(generator, 2)
    mixed += play(generator, 1, PARAMS.with_prompts(("ink", "fire"), (0.2, 0.8)))
    assert np.array_equal(plain[1].frames, mixed[1].frames)
    assert not np.array_equal(plain[2].frames, mixed[2].frames)


def test_a_change_of_chunk_size_waits_for_a_group_boundary(generator):
    one = dataclasses.replace(PARAMS, chunk_frames=1)
    lengths = [len(chunk.frames) for chunk in play(generator, 2, one)]  # 2 latent frames: inside a group
    lengths += [len(chunk.frames) for chunk in play(generator, 3)]
    lengths += [len(chunk.frames) for chunk in play(generator, 2, one)]
    assert lengths == [1, 4, 4, 12, 12, 4, 4]


def test_soft_cut_keeps_the_picture_and_forgets_the_past(generator):
    plain = play(generator, 6)
    generator.hard_cut()
    cut = play(generator, 5)
    generator.soft_cut()
    cut += play(generator, 1)
    assert np.array_equal(plain[4].frames, cut[4].frames)
    assert not np.array_equal(plain[5].frames, cut[5].frames)
    assert cut[5].stream_id == cut[4].stream_id
    assert cut[5].first_frame == plain[5].first_frame


def test_running_the_clean_pass_early_changes_nothing(generator):
    lazy = play(generator, 4)
    generator.hard_cut()
    eager = []
    for _ in range(4):
        eager.append(generator.generate_chunk(PARAMS))
        generator.remember_chunk()
    for a, b in zip(lazy, eager, strict=True):
        assert np.array_equal(a.frames, b.frames)


def test_not_a_number_is_reported_and_a_hard_cut_heals(generator):
    healthy = play(generator, 1)[0]
    weight = generator._model.patch_embedding.weight
    kept = weight.clone()
    weight.fill_(float("nan"))
    with pytest.raises(NotFiniteError, match="not numbers"):
        generator.generate_chunk(PARAMS)
    weight.copy_(kept)
    generator.hard_cut()
    assert np.array_equal(generator.generate_chunk(PARAMS).frames, healthy.frames)


@pytest.mark.parametrize("mode", ["parity_bf16", "ema_fp32", "static", "as_released"])
def test_every_sink_mode_streams(generator, mode):
    params = dataclasses.replace(PARAMS, sink_mode=mode, sink_decay=0.5)
    chunks = play(generator, 6, params)
    assert all(chunk.frames.std() > 0 for chunk in chunks)


def test_a_seed_morphs_from_the_first_to_the_second(generator):
    def frames_of(**changes):
        generator.hard_cut()
        return play(generator, 2, dataclasses.replace(PARAMS, **changes))[-1].frames

    first, second = frames_of(seed=7), frames_of(seed=8)
    assert np.array_equal(frames_of(seed=7, second_seed=8, seed_morph=0.0), first)
    assert not np.array_equal(frames_of(seed=7, second_seed=8, seed_morph=0.5), first)
    assert np.abs(frames_of(seed=7, second_seed=8, seed_morph=1.0).astype(int) - second).max() <= 1


def test_fewer_steps_and_a_shorter_window_go_on_without_a_cut(generator):
    full = play(generator, 5)
    shorter = play(generator, 3, dataclasses.replace(PARAMS, denoising_steps=2, window_frames=6))
    assert {chunk.stream_id for chunk in (*full, *shorter)} == {1}
    assert [chunk.first_frame for chunk in shorter] == [57, 69, 81]
    back = play(generator, 2)
    assert len(back[-1].frames) == 12
