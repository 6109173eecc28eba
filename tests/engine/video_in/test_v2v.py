"""Video to video: one sigma for noise and model, text mode at its end, the input at its other, modes changed live."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from engine.generator import Generator
from engine.schedule import PUBLISHED_STEPS, Schedule
from engine.vae.frame_encoding import to_pixels
from engine.video_in.given import GivenFrames
from engine.video_in.v2v import MOTION_REACH, V2VState, consistent_steps, noise_of, upstream_steps
from tests.engine.test_generator import PARAMS, make_generator
from tests.engine.video_in.drawn_input import DrawnInput, NoInput

SIZE = (48, 32)  # of the test's generator
V2V = dataclasses.replace(PARAMS, input_on=True, input_number=1)
SCHEDULE = Schedule(5.0)
OWN_STEPS = SCHEDULE.warp(PUBLISHED_STEPS)


@pytest.fixture
def generator() -> Iterator[Generator]:
    made = make_generator()
    made.connect_inputs({1: DrawnInput(SIZE), 2: DrawnInput(SIZE, phase=50.0), 3: NoInput()})
    yield made
    made.close()


def play(generator: Generator, *params: object) -> list[np.ndarray]:
    return [generator.generate_chunk(one).frames for one in params]


@pytest.fixture(scope="module")
def text_mode() -> list[np.ndarray]:
    plain = make_generator()
    made = play(plain, *[PARAMS] * 4)
    plain.close()
    return made


def same(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_inputs_that_are_not_asked_for_change_nothing(generator: Generator, text_mode: list[np.ndarray]):
    assert same(play(generator, *[PARAMS] * 4), text_mode)


@pytest.mark.parametrize("number", [3, 4])
def test_an_input_with_nothing_to_give_is_text_mode(generator: Generator, text_mode: list[np.ndarray], number: int):
    asked = dataclasses.replace(V2V, input_number=number, input_noise=0.2)
    assert same(play(generator, *[asked] * 4), text_mode)


def test_all_noise_is_text_mode_bit_for_bit(generator: Generator, text_mode: list[np.ndarray]):
    asked = dataclasses.replace(V2V, input_noise=1.0, input_steps=4)
    assert same(play(generator, *[asked] * 4), text_mode)


def test_no_noise_is_the_autoencoders_picture(generator: Generator):
    made = play(generator, *[dataclasses.replace(V2V, input_noise=0.0)] * 3)
    vae, encoded, decoded, taken = generator._decoder, None, None, DrawnInput(SIZE)
    for frames in made:
        given = to_pixels(taken.take(len(frames), is_start=False).pixels, torch.device("cpu"), torch.float32)
        with torch.inference_mode():
            latents, encoded = vae.encode(given, encoded)
            pixels, decoded = vae.decode(latents, decoded)
        expected = pixels[0].permute(0, 2, 3, 1).numpy() * 127.5 + 127.5
        assert np.abs(expected - frames[..., :3]).max() <= 0.51


def test_the_mode_changes_while_streaming_without_a_cut(generator: Generator, text_mode: list[np.ndarray]):
    asked = [PARAMS, PARAMS, V2V, dataclasses.replace(V2V, input_number=2), PARAMS, V2V]
    chunks = [generator.generate_chunk(params) for params in asked]
    assert [chunk.first_frame for chunk in chunks] == [0, 9, 21, 33, 45, 57]
    assert {chunk.stream_id for chunk in chunks} == {1}
    assert same([chunk.frames for chunk in chunks[:2]], text_mode[:2])
    assert not np.array_equal(chunks[2].frames, text_mode[2])


def test_chunks_of_one_latent_frame_take_one_frame_then_four(generator: Generator):
    small = dataclasses.replace(V2V, chunk_frames=1, input_noise=0.0)
    chunks = [generator.generate_chunk(small) for _ in range(4)]
    assert [len(chunk.frames) for chunk in chunks] == [1, 4, 4, 4]
    assert [chunk.input_ns for chunk in chunks[:2]] == [(1000,), (1001, 1002, 1003, 1004)]
    large = np.concatenate([chunk.frames for chunk in chunks])
    generator.hard_cut()
    generator.connect_inputs({1: DrawnInput(SIZE)})
    whole = np.concatenate(play(generator, *[dataclasses.replace(V2V, input_noise=0.0)] * 2))
    assert np.abs(whole[: len(large)].astype(int) - large).max() <= 1, "the size of chunks is not seen"


def test_each_frame_says_when_its_input_came_and_text_mode_says_nothing(generator: Generator):
    first, second = generator.generate_chunk(V2V), generator.generate_chunk(PARAMS)
    assert first.input_ns == tuple(range(1000, 1009))
    assert second.input_ns == ()


def test_a_deck_takes_frames_at_a_time_of_its_own(generator: Generator):
    shown = dataclasses.replace(V2V, input_noise=0.0)
    playing = play(generator, shown, shown)
    generator.begin_deck()
    assert same([generator.generate_deck_chunk(shown).frames for _ in range(2)], playing)
    assert generator.generate_chunk(shown).input_ns == tuple(range(1021, 1033))


def test_a_fading_input_lets_the_noise_rise_to_text_mode(text_mode: list[np.ndarray]):
    generator = make_generator()
    generator.connect_inputs({1: DrawnInput(SIZE, strength=0.0)})
    asked = dataclasses.replace(V2V, input_noise=0.0, input_steps=4)
    assert same(play(generator, *[asked] * 2), text_mode[:2])
    generator.close()
    given = GivenFrames(np.zeros((4, 8, 8, 4), np.uint8), (0,) * 4, strength=0.25)
    assert noise_of(dataclasses.replace(V2V, input_noise=0.6), given, V2VState()) == pytest.approx(0.9)


# -- steps ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("noise", [0.004, 0.1, 0.3, 0.624, 0.7, 0.95, 1.0])
def test_mixing_and_timestep_are_one_entry_of_the_table(noise: float):
    sigma, steps = consistent_steps(SCHEDULE, noise, OWN_STEPS, 4)
    assert sigma == SCHEDULE.sigma(steps[0])
    assert steps[0] in SCHEDULE.timesteps.tolist()
    assert abs(sigma - noise) <= 0.003
    assert list(steps) == sorted(set(steps), reverse=True)
    assert set(steps[1:]) <= set(OWN_STEPS)


def test_steps_below_are_the_last_of_the_models_own():
    assert consistent_steps(SCHEDULE, 1.0, OWN_STEPS, 4) == (1.0, OWN_STEPS)
    counts = [consistent_steps(SCHEDULE, 0.95, OWN_STEPS, count)[1][1:] for count in (1, 2, 3, 4)]
    assert counts == [(), OWN_STEPS[-1:], OWN_STEPS[-2:], OWN_STEPS[-3:]]
    assert len(consistent_steps(SCHEDULE, 0.5, OWN_STEPS, 4)[1]) == 1, "none is below"
    assert consistent_steps(SCHEDULE, 0.0, OWN_STEPS, 2) == (0.0, ())


def test_text_mode_and_v2v_have_step_lists_of_their_own(generator: Generator):
    starts = generator._starts
    chosen = dataclasses.replace(V2V, input_noise=0.9, input_steps=4, input_step_list="1000 500", step_list="1000 750")
    state, frames = generator._state, 3
    assert starts.next(chosen, generator._next_inputs(frames), state, frames).timesteps[1:] == SCHEDULE.warp((500,))
    text = dataclasses.replace(chosen, input_on=False)
    assert starts.next(text, generator._next_inputs(frames), state, frames).timesteps == SCHEDULE.warp((1000, 750))


def test_the_upstream_recipe_tells_a_hundred_less_than_it_mixes():
    assert upstream_steps(0.7, 2) == (600.0, 750.0)
    assert upstream_steps(0.7, 4) == (600.0, 750.0, 500.0, 250.0)
    assert upstream_steps(0.05, 1) == (0.0,)


# -- motion --------------------------------------------------------------------------------------------------------


def flicker(level: int, frames: int = 12) -> GivenFrames:
    """Every other frame lighter by `level` of 255."""
    pixels = np.zeros((frames, 16, 16, 4), np.uint8)
    pixels[1::2] = level
    return GivenFrames(pixels, (0,) * frames)


def test_motion_moves_the_noise_by_an_offset_either_way_and_smoothly():
    params = dataclasses.replace(V2V, input_noise=0.5)
    still, moving = flicker(0), flicker(255)
    for amount, reached in ((0.0, 0.5), (1.0, 0.5 + MOTION_REACH), (-1.0, 0.5 - MOTION_REACH)):
        state, asked = V2VState(), dataclasses.replace(params, input_motion=amount)
        assert noise_of(asked, still, state) == 0.5
        noises = [noise_of(asked, moving, state) for _ in range(8)]
        assert noises[-1] == pytest.approx(reached, abs=0.01)
        assert np.all(np.diff(noises) * amount >= 0.0)
        if amount:
            assert 0.5 < abs(noises[0] - 0.5) / MOTION_REACH < 0.9
        calmed = [noise_of(asked, still, state) for _ in range(8)]
        assert calmed[-1] == pytest.approx(0.5, abs=0.01)


def test_small_chunks_hear_the_same_motion():
    large, small = V2VState(), V2VState()
    asked = dataclasses.replace(V2V, input_motion=1.0, input_noise=0.5)
    whole = flicker(8)
    once = noise_of(asked, whole, large)
    for k in range(3):
        part = GivenFrames(whole.pixels[4 * k : 4 * k + 4], (0,) * 4)
        thrice = noise_of(asked, part, small)
    assert 0.5 < thrice == pytest.approx(once, abs=0.02)
