"""The test pattern keeps the generator's contract."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from engine.params import ChunkParams
from engine.test_pattern import TestPattern

PARAMS = ChunkParams().with_prompts(("ink", "fire"))


@pytest.mark.parametrize(("chunk_frames", "counts"), [(3, [9, 12, 12]), (2, [9, 12, 12]), (1, [1, 4, 4])])
def test_chunks_have_the_generators_lengths(chunk_frames: int, counts: list[int]) -> None:
    pattern = TestPattern(32, 16)
    params = dataclasses.replace(PARAMS, chunk_frames=chunk_frames)
    chunks = [pattern.generate_chunk(params, params_version=4) for _ in range(3)]
    assert [len(chunk.frames) for chunk in chunks] == counts
    assert [chunk.first_frame for chunk in chunks] == [0, counts[0], counts[0] + counts[1]]
    assert [chunk.generation_id for chunk in chunks] == [0, 1, 2]
    assert chunks[0].frames.shape[1:] == (16, 32, 4)
    assert chunks[0].params_version == 4


def test_a_seed_repeats_after_a_hard_cut_and_the_picture_moves() -> None:
    pattern = TestPattern(32, 16)
    first = pattern.generate_chunk(PARAMS)
    pattern.hard_cut()
    again = pattern.generate_chunk(PARAMS)
    assert np.array_equal(first.frames, again.frames)
    assert (first.stream_id, again.stream_id) == (1, 2)
    assert not np.array_equal(first.frames[0], first.frames[5])


def test_colour_follows_weights_and_shape_follows_the_seed() -> None:
    def colour(params: ChunkParams) -> np.ndarray:
        return TestPattern(32, 16).generate_chunk(params).frames[..., :3].mean(axis=(0, 1, 2))

    ink, fire = colour(PARAMS), colour(PARAMS.with_prompts(("ink", "fire"), (0.0, 1.0)))
    mixed = colour(PARAMS.with_prompts(("ink", "fire"), (0.5, 0.5)))
    assert np.abs(ink - fire).max() > 10
    assert np.allclose(mixed, (ink + fire) / 2, atol=1.5)
    other = TestPattern(32, 16).generate_chunk(dataclasses.replace(PARAMS, seed=5))
    assert not np.array_equal(other.frames, TestPattern(32, 16).generate_chunk(PARAMS).frames)


def test_a_new_text_is_on_screen_at_the_next_chunk() -> None:
    pattern = TestPattern(32, 16)
    pattern.generate_chunk(PARAMS)
    pattern.generate_chunk(PARAMS.with_prompts(("ink", "rain")))
    assert pattern.prompts_on_screen[1] == "rain"
    assert pattern.prompts_waiting == ()
