"""Noise by counter: the same numbers however they are asked for."""

import numpy as np
import torch

from engine.noise import NoiseSource, latent_frame_noise, morph_noise

SHAPE = (4, 6, 8)
PINNED = (-1.9312944, -1.3243287, -0.3343661)  # a seed must repeat for years


def chunks(seed, size, count, steps=4):
    source = NoiseSource(SHAPE)
    made = [source.take(seed, start, size, steps) for start in range(0, count, size)]
    source.close()
    return [torch.cat([chunk[step] for chunk in made], dim=1) for step in range(steps)]


def test_chunk_size_does_not_change_the_noise():
    for by_one, by_three in zip(chunks(7, 1, 6), chunks(7, 3, 6), strict=True):
        assert torch.equal(by_one, by_three)


def test_seed_frame_and_step_each_give_other_noise():
    base = latent_frame_noise(7, 3, 1, SHAPE)
    assert np.array_equal(base, latent_frame_noise(7, 3, 1, SHAPE))
    for other in ((8, 3, 1), (7, 4, 1), (7, 3, 2), (7, 1, 3)):
        assert abs(np.corrcoef(base.ravel(), latent_frame_noise(*other, SHAPE).ravel())[0, 1]) < 0.3


def test_a_request_out_of_order_is_honoured():
    source = NoiseSource(SHAPE)
    source.take(1, 0, 3, 2)
    jumped = source.take(2, 0, 1, 2)
    assert np.array_equal(jumped[1][0, 0].numpy(), latent_frame_noise(2, 0, 1, SHAPE))
    source.close()


def test_noise_is_standard_normal_and_pinned_to_known_numbers():
    noise = latent_frame_noise(0, 0, 0, (16, 60, 104))
    assert abs(noise.mean()) < 0.02
    assert abs(noise.std() - 1.0) < 0.02
    assert np.allclose(latent_frame_noise(42, 5, 2, (3,)), PINNED, atol=1e-6)


def test_a_morph_keeps_its_strength_all_the_way():
    first, second = (torch.from_numpy(latent_frame_noise(seed, 0, 0, (16, 60, 104))) for seed in (1, 2))
    assert morph_noise(first, second, 0.0) is first
    assert torch.allclose(morph_noise(first, second, 1.0), second, atol=1e-6)
    for share in (0.1, 0.5, 0.9):
        assert abs(morph_noise(first, second, share).std() - 1.0) < 0.02
