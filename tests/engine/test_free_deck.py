"""Two streams of one engine: the free deck is filled beside the one on air, rests, and goes on where it was taken."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.frame_ring import FrameRing
from engine.messages import ArmedDeck, GeneratorStatus, Values, decode, encode
from tests.engine.test_generator import PARAMS, make_generator
from tests.engine.test_worker_loop import SlowPattern, Stage, wait_for

OTHER = dataclasses.replace(PARAMS.with_prompts(("fire",)), seed=11)
PREROLL_S = 0.4  # 26 frames at the test's rate


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(SlowPattern(chunk_s=0.02), tmp_path / "ring")
    yield stage
    stage.stop()


def armed(stage: Stage, serial: int = 1, **values: object) -> ArmedDeck:
    return ArmedDeck(
        serial, {"/vj/seed/value": 77, **values}, str(stage.ring.path.with_name("deck.ring")), preroll_s=PREROLL_S
    )


def newest(stage: Stage) -> GeneratorStatus:
    return stage.of(GeneratorStatus)[-1]


def test_both_decks_make_what_each_would_make_alone():
    alone, other, both = make_generator(), make_generator(), make_generator()
    plain = [alone.generate_chunk(PARAMS).frames for _ in range(4)]
    wanted = [other.generate_chunk(OTHER).frames for _ in range(4)]
    made, filled = [both.generate_chunk(PARAMS)], []
    both.begin_deck()
    for _ in range(2):
        filled.append(both.generate_deck_chunk(OTHER))
        made.append(both.generate_chunk(PARAMS))
    made.append(both.generate_chunk(PARAMS))
    both.take_deck()
    filled += [both.generate_chunk(OTHER) for _ in range(2)]
    assert all(np.array_equal(chunk.frames, frames) for chunk, frames in zip(made, plain, strict=True))
    assert all(np.array_equal(chunk.frames, frames) for chunk, frames in zip(filled, wanted, strict=True))
    assert {chunk.stream_id for chunk in filled} == {2}
    assert [chunk.first_frame for chunk in filled] == [0, 9, 21, 33]
    both.hard_cut()
    assert both.generate_chunk(PARAMS).stream_id == 3
    for generator in (alone, other, both):
        generator.close()


def test_a_cut_of_the_deck_on_air_leaves_the_free_one_alone():
    generator = make_generator()
    generator.generate_chunk(PARAMS)
    generator.begin_deck()
    first = generator.generate_deck_chunk(OTHER)
    generator.hard_cut()
    second = generator.generate_deck_chunk(OTHER)
    assert (first.stream_id, second.stream_id, second.first_frame) == (2, 2, 9)
    assert generator.generate_chunk(PARAMS).stream_id == 3
    generator.close()


def test_words_of_an_armed_deck_survive_the_pipe():
    message = Values(3, {"/vj/seed/value": 5}, ArmedDeck(2, {"/vj/prompt/1/text": "ink"}, "/run/deck.ring", 2.0))
    assert decode(encode(message)) == message
    with pytest.raises(ValueError, match="not a deck"):
        decode(b'{"type": "values", "version": 1, "values": {}, "deck": {"nonsense": 1}}')


def test_an_armed_deck_is_filled_once_and_then_costs_nothing(stage: Stage):
    stage.start()
    wait_for(lambda: stage.ring.written > 24)
    stage.inbox.put(Values(1, {}, armed(stage)))
    wait_for(lambda: newest(stage).deck_frames >= PREROLL_S * 64)
    filled = newest(stage)
    assert filled.deck_is_ready
    assert filled.deck_serial == 1
    ring = FrameRing.attach(stage.ring.path.with_name("deck.ring"))
    assert ring.written == filled.deck_frames
    assert ring.stream_of(0) == filled.deck_stream_id == 2
    chunks = len(stage.source.seen)
    wait_for(lambda: len(stage.source.seen) >= chunks + 5)
    assert newest(stage).deck_frames == filled.deck_frames
    assert all(params.seed != 77 for params in stage.source.seen[chunks + 2 :])
    ring.close()


def test_a_deck_that_is_taken_goes_on_in_its_own_ring_at_the_old_place(stage: Stage):
    stage.start()
    wait_for(lambda: stage.ring.written > 24)
    stage.inbox.put(Values(1, {}, armed(stage)))
    wait_for(lambda: newest(stage).deck_is_ready)
    stream_id = newest(stage).deck_stream_id
    command_id = stage.command("deck/take", serial=1, ring=str(stage.ring.path))
    wait_for(lambda: stage.answer(command_id))
    assert stage.answer(command_id).error == ""
    taken = FrameRing.attach(stage.ring.path)
    assert not stage.ring.path.with_name("deck.ring").exists()
    taken.release(taken.written)  # its frames are played
    before = taken.written
    wait_for(lambda: taken.written > before)
    assert taken.stream_of(before) == stream_id
    assert stage.source.seen[-1].seed == 77  # until the instrument says what is played now
    stage.inbox.put(Values(2, {"/vj/seed/value": 5}))
    taken.release(taken.written)
    wait_for(lambda: stage.source.seen[-1].seed == 5)
    taken.close()


def test_a_deck_that_is_not_ready_comes_by_a_hard_cut(stage: Stage):
    stage.start()
    wait_for(lambda: stage.ring.written > 24)
    stage.source.begin_deck = _refuse
    stage.inbox.put(Values(1, {}, armed(stage)))
    wait_for(lambda: newest(stage).deck_problem)
    assert "does not fit" in newest(stage).deck_problem
    command_id = stage.command("deck/take", serial=1, ring=str(stage.ring.path))
    wait_for(lambda: stage.answer(command_id))
    wait_for(lambda: stage.source.seen[-1].seed == 77)
    assert stage.source.cuts == ["hard"]


def test_a_deck_is_disarmed_and_one_that_is_gone_is_not_taken(stage: Stage):
    stage.start()
    wait_for(lambda: stage.ring.written > 24)
    stage.inbox.put(Values(1, {}, armed(stage)))
    wait_for(lambda: newest(stage).deck_is_ready)
    stage.inbox.put(Values(2, {}))
    wait_for(lambda: newest(stage).deck_serial == 0)
    assert not stage.ring.path.with_name("deck.ring").exists()
    command_id = stage.command("deck/take", serial=1, ring=str(stage.ring.path))
    wait_for(lambda: stage.answer(command_id))
    assert "not armed" in stage.answer(command_id).error
    written = stage.ring.written
    wait_for(lambda: stage.ring.written > written)


def _refuse() -> None:
    raise MemoryError("its cache does not fit")
