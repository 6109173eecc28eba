"""A chunk that is given up leaves the stream as it was; one that is shown in parts is the same chunk."""

from __future__ import annotations

import dataclasses
from itertools import count

import numpy as np
import pytest

from engine.generator import Generator
from engine.live.chunk_watch import ChunkGivenUp, ChunkWatch
from engine.live.hard_cues import RESERVE_S, can_begin_anew, is_hard_cue
from engine.params import ChunkParams
from engine.video_in.given import GivenFrames
from tests.engine.test_generator import PARAMS, make_generator

OTHER = dataclasses.replace(PARAMS, seed=9).with_prompts(("frost",))


class Moving:
    """An input whose frames depend on how many were taken before."""

    def __init__(self) -> None:
        self.taken = 0

    def take(self, frames: int, *, is_start: bool) -> GivenFrames:
        shade = (np.arange(frames, dtype=np.uint8)[:, None, None, None] + self.taken) * 9
        return GivenFrames(np.broadcast_to(shade, (frames, 32, 48, 4)).astype(np.uint8), (1,) * frames)


def after_steps(steps: int) -> ChunkWatch:
    """Give the chunk up after so many denoising steps."""
    asked = count(1)

    def show(_: object) -> None:
        raise AssertionError("a chunk that is given up is never shown")

    return ChunkWatch(lambda: next(asked) >= steps, show)


@pytest.mark.parametrize("chunk_frames", [3, 1])
@pytest.mark.parametrize("with_input", [False, True])
def test_the_stream_is_the_one_that_never_began_it(chunk_frames: int, with_input: bool) -> None:
    plain, tried = make_generator(), make_generator()
    params = dataclasses.replace(PARAMS, chunk_frames=chunk_frames, input_on=with_input, input_noise=0.7)
    frames = []
    for generator in (plain, tried):
        generator.connect_inputs({1: Moving()})
        made = []
        for k in range(6):
            if generator is tried:
                for steps in (1, 4)[: k % 3]:
                    with pytest.raises(ChunkGivenUp):
                        generator.generate_chunk(
                            dataclasses.replace(OTHER, chunk_frames=chunk_frames), watch=after_steps(steps)
                        )
            made.append(generator.generate_chunk(params).frames)
        frames.append(np.concatenate(made))
        generator.close()
    assert np.array_equal(*frames)


def test_a_hard_cut_given_up_with_its_chunk_is_still_a_cut() -> None:
    generator = make_generator()
    generator.generate_chunk(PARAMS)
    generator.hard_cut()
    with pytest.raises(ChunkGivenUp):
        generator.generate_chunk(PARAMS, watch=after_steps(2))
    chunk = generator.generate_chunk(PARAMS)
    assert (chunk.first_frame, len(chunk.frames)) == (0, 9)
    assert chunk.stream_id > 1
    generator.close()


def test_the_parts_of_a_chunk_are_the_chunk() -> None:
    whole, parted = make_generator(), make_generator()
    for expected in ([1, 4, 4], [4, 4, 4], [4, 4, 4]):
        chunk, parts = whole.generate_chunk(PARAMS), []
        last = parted.generate_chunk(PARAMS, watch=ChunkWatch(lambda: False, parts.append))
        assert last is parts[-1]
        assert [len(part.frames) for part in parts] == expected
        assert [part.frames_left for part in parts] == [sum(expected[k:]) for k in (1, 2, 3)]
        assert [part.first_frame for part in parts] == [chunk.first_frame + sum(expected[:k]) for k in range(3)]
        assert {part.generation_id for part in parts} == {chunk.generation_id}
        shown = np.concatenate([part.frames for part in parts]).astype(int)
        assert np.abs(shown - chunk.frames).max() <= 1
    for generator in (whole, parted):
        generator.close()


def test_what_is_a_hard_cue() -> None:
    def cue(after: ChunkParams, playing: tuple[str, ...] = PARAMS.prompt_texts, ready: bool = True) -> bool:
        return is_hard_cue(PARAMS, after, playing, lambda _: ready)

    assert not cue(PARAMS)
    assert cue(dataclasses.replace(PARAMS, seed=8))
    assert cue(PARAMS.with_prompts(("frost",)))
    assert not cue(PARAMS.with_prompts(("frost",)), ready=False), "what is not encoded would change nothing"
    assert cue(PARAMS.with_prompts(("ink", "fire"), (0.0, 1.0))), "from one pad to the other at once"
    assert not cue(PARAMS.with_prompts(("ink", "fire"), (0.9, 0.1))), "a fade is no jump"
    assert not cue(PARAMS.with_prompts(("ink", "fire"), (0.0, 0.0))), "the last blend plays on"
    assert not cue(PARAMS.with_prompts(("ink", "frost"))), "a pad that is not heard"
    assert can_begin_anew(0.5, 0.5 - RESERVE_S)
    assert not can_begin_anew(0.5, 0.5)


def test_a_generator_keeps_its_decoder_whole_where_that_is_asked() -> None:
    generator: Generator = make_generator()
    generator.handing_over.shows_parts = False
    parts = []
    generator.generate_chunk(PARAMS, watch=ChunkWatch(lambda: False, parts.append))
    assert [len(part.frames) for part in parts] == [9]
    generator.close()
