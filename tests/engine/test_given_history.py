"""A stream that begins with given frames or latents goes on as one that has made them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.chunk import Chunk
from engine.generator import Generator
from tests.engine.test_generator import PARAMS, make_generator


@pytest.fixture
def generator() -> Iterator[Generator]:
    made = make_generator()
    yield made
    made.close()


def streamed(generator: Generator, count: int) -> tuple[list[Chunk], Tensor]:
    """Chunks of the stream that plays, and their latents."""
    chunks, latents = [], []
    for _ in range(count):
        chunks.append(generator.generate_chunk(PARAMS))
        latents.append(generator._state.unfinished.x0)
        generator.remember_chunk()
    return chunks, torch.cat(latents, dim=1)


def cache_of(generator: Generator) -> list[Tensor]:
    cache = generator._state.cache
    used = cache.filled_frames * cache.tokens_per_frame
    return [slots[:, :used].clone() for slots in (*cache.keys, *cache.values)]


@pytest.mark.parametrize("count", [1, 5])
def test_the_cache_is_that_of_a_stream_that_made_the_latents(generator: Generator, count: int) -> None:
    chunks, latents = streamed(generator, count)
    expected = cache_of(generator)
    later, _ = streamed(generator, 2)
    generator.hard_cut()
    streamed(generator, 2)  # another history, to be forgotten
    given = generator.begin_with_latents(latents, PARAMS)
    assert max(float((a - b).abs().max()) for a, b in zip(cache_of(generator), expected, strict=True)) <= 1e-5
    for made, again in zip(chunks, given, strict=True):
        assert np.array_equal(made.frames, again.frames)
        assert made.first_frame == again.first_frame
    resumed, _ = streamed(generator, 2)
    for made, again in zip(later, resumed, strict=True):
        assert np.array_equal(made.frames, again.frames), "the stream goes on as if it had made them"


@torch.inference_mode()
def test_frames_are_encoded_as_the_autoencoder_does_it_at_once(generator: Generator) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (33, 32, 48, 4), dtype=np.uint8)
    scaled = torch.from_numpy(pixels[..., :3].copy()).permute(0, 3, 1, 2)[None].float() / 127.5 - 1.0
    latents, _ = generator._decoder.encode(scaled, None)
    generator.begin_with_latents(latents, PARAMS)
    expected = cache_of(generator)
    chunks = generator.begin_with_frames(pixels, PARAMS)
    assert [len(chunk.frames) for chunk in chunks] == [9, 12, 12]
    assert max(float((a - b).abs().max()) for a, b in zip(cache_of(generator), expected, strict=True)) <= 1e-5


@pytest.mark.parametrize(("frames", "lengths"), [(1, [1, 4, 4, 12]), (5, [1, 4, 4, 12]), (13, [9, 4, 4, 4, 12])])
def test_what_is_no_whole_chunk_goes_on_one_by_one_to_the_group_boundary(
    generator: Generator, frames: int, lengths: list[int]
) -> None:
    given = generator.begin_with_frames(np.zeros((frames, 32, 48, 4), np.uint8), PARAMS)
    chunks = [*given, *(generator.generate_chunk(PARAMS) for _ in range(len(lengths) - len(given)))]
    assert [len(chunk.frames) for chunk in chunks] == lengths
    assert [chunk.first_frame for chunk in chunks] == [sum(lengths[:k]) for k in range(len(lengths))]
    assert len({chunk.stream_id for chunk in chunks}) == 1


def test_a_given_picture_changes_what_follows(generator: Generator) -> None:
    def latents_after(level: int) -> Tensor:
        generator.begin_with_frames(np.full((9, 32, 48, 4), level, np.uint8), PARAMS)
        return streamed(generator, 1)[1]

    assert torch.equal(latents_after(0), latents_after(0))
    assert not torch.equal(latents_after(0), latents_after(255))


@pytest.mark.parametrize(
    ("shape", "complaint"), [((9, 30, 48, 4), "frames of 48x30 are given"), ((4, 32, 48, 4), "4 frames")]
)
def test_frames_that_do_not_fit_are_a_sentence(generator: Generator, shape: tuple[int, ...], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        generator.begin_with_frames(np.zeros(shape, np.uint8), PARAMS)


def test_a_sink_mode_holds_for_given_latents_too(generator: Generator) -> None:
    _, latents = streamed(generator, 5)
    static = dataclasses.replace(PARAMS, sink_mode="static")
    generator.begin_with_latents(latents, static)
    fused = cache_of(generator)
    generator.begin_with_latents(latents, dataclasses.replace(static, sink_mode="ema_fp32", sink_decay=0.5))
    assert not torch.equal(fused[0], cache_of(generator)[0])
