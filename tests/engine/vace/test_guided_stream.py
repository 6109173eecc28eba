"""The generator guided: off and scale 0 are the model itself, controls and references act, decks keep apart."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from engine.generator import Generator
from engine.model.transformer import CausalWanTransformer
from engine.params import ChunkParams
from engine.schedule import PUBLISHED_STEPS, Schedule
from engine.vae.tiny_vae import TinyVae, TinyVaeConfig
from engine.video_in.given import GivenFrames
from tests.engine.tiny import tiny_transformer
from tests.engine.vace.rig import GUIDED

WIDTH, HEIGHT = 48, 32
PARAMS = ChunkParams(vace_control="none", denoising_steps=2).with_prompts(("ink",))
ON = dataclasses.replace(PARAMS, vace_on=True)


class Drifting:
    """An input whose stripes drift at a speed of its own; may be pulled out."""

    def __init__(self, speed: float) -> None:
        self._speed, self._frame = speed, 0
        self.strength: float | None = 1.0

    def take(self, frames: int, *, is_start: bool) -> GivenFrames | None:
        times = np.arange(self._frame, self._frame + frames)[:, None, None]
        self._frame += frames
        stripes = 127 + 120 * np.sin((np.arange(WIDTH) + self._speed * times) / 4.0)
        pixels = np.repeat(stripes.repeat(HEIGHT, axis=1)[..., None], 4, axis=-1).astype(np.uint8)
        return None if self.strength is None else GivenFrames(pixels, (0,) * frames, self.strength)

    def beside(self) -> Drifting:
        return Drifting(self._speed)


class HashEncoder:
    """Random rows per text."""

    def encode(self, text: str) -> Tensor:
        return torch.randn(GUIDED.text_len, GUIDED.text_dim, generator=torch.Generator().manual_seed(len(text)))


def generator_of(model: CausalWanTransformer) -> Generator:
    torch.manual_seed(0)
    vae = TinyVae(TinyVaeConfig(encoder_widths=(8, 8, 8), decoder_widths=(8, 8, 8, 8))).eval().requires_grad_(False)
    for weight in vae.parameters():
        weight.mul_(1.8)
    steps = Schedule(5.0).warp(PUBLISHED_STEPS)
    return Generator(model, vae, HashEncoder(), name="tiny", size=(WIDTH, HEIGHT), rate_fps=16.0, timesteps=steps)


Make = Callable[..., Generator]


@pytest.fixture
def make() -> Iterator[Make]:
    made = []

    def begin(speed: float | None = 1.0, *, has_vace: bool = True) -> Generator:
        model = tiny_transformer(GUIDED)
        if not has_vace:
            plain = CausalWanTransformer(dataclasses.replace(GUIDED, vace_layers=()))
            plain.load_state_dict({key: value for key, value in model.state_dict().items() if "vace" not in key})
            model = plain.eval().requires_grad_(False)
        generator = generator_of(model)
        generator.prompts.encode_now("ink")
        if speed is not None:
            generator.connect_inputs({1: Drifting(speed)})
        made.append(generator)
        return generator

    yield begin
    for generator in made:
        generator.close()


def play(generator: Generator, params: ChunkParams, chunks: int = 3) -> np.ndarray:
    return np.concatenate([generator.generate_chunk(params).frames[..., :3] for _ in range(chunks)])


def difference(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a.astype(float) - b.astype(float)).mean())


def test_off_and_scale_0_are_the_model_without_vace_bit_for_bit(make: Make) -> None:
    base = play(make(None, has_vace=False), PARAMS)
    assert np.array_equal(play(make(), PARAMS), base)
    assert np.array_equal(play(make(), dataclasses.replace(ON, vace_scale=0.0)), base)
    assert np.array_equal(play(make(None), ON), base), "no input, nothing to guide with"
    without = make(has_vace=False)
    assert np.array_equal(play(without, ON), base)
    assert "VACE" in without.input_notice


def test_another_control_is_another_picture_and_a_step_less_guided_is_nearer_to_the_model(make: Make) -> None:
    base, guided, other = play(make(), PARAMS), play(make(), ON), play(make(3.0), ON)
    assert difference(guided, base) > 0.5
    assert difference(guided, other) > 0.03
    assert np.array_equal(guided, play(make(), ON)), "the same again"
    half = play(make(), dataclasses.replace(ON, vace_scale=0.1), 1)
    assert 0.0 < difference(half, base[:9]) < difference(guided[:9], base[:9])
    first_only = play(make(), dataclasses.replace(ON, vace_steps="first"), 1)
    assert not np.array_equal(first_only, guided[:9])


def test_chunks_of_one_latent_frame_are_guided(make: Make) -> None:
    single = dataclasses.replace(ON, chunk_frames=1)
    frames = play(make(), single, 5)
    assert len(frames) == 17
    assert difference(frames, play(make(), dataclasses.replace(single, vace_on=False), 5)) > 0.5


def test_a_hard_cut_begins_the_control_anew_and_keeps_references(make: Make, tmp_path: Path) -> None:
    file = tmp_path / "who.png"
    cv2.imwrite(str(file), np.full((20, 30, 3), (250, 40, 10), np.uint8))
    params = dataclasses.replace(
        ON, vace_input=0, reference_files=(str(file), "", "", ""), reference_switches=(True, False, False, False)
    )
    generator = make()
    generator.load_guides(params)
    first = play(generator, params)
    generator.hard_cut()
    assert np.array_equal(play(generator, params), first)
    generator.hard_cut()
    assert difference(play(generator, PARAMS), first) > 0.5


def test_a_control_that_is_pulled_out_fades_to_the_model_and_comes_back(make: Make) -> None:
    generator, camera = make(None), Drifting(1.0)
    generator.connect_inputs({1: camera})
    for strength in (1.0, 0.4, None, None, 1.0):
        camera.strength = strength
        assert len(generator.generate_chunk(ON).frames) in (9, 12)
    state = generator._state.vace
    assert state.reactive.encoder is not None
    camera.strength = None
    generator.generate_chunk(ON)
    assert state.reactive.encoder is None


def test_the_free_deck_is_guided_by_itself(make: Make) -> None:
    alone = play(make(), ON, 4)
    generator = make()
    begun = play(generator, ON, 2)
    generator.begin_deck()
    for _ in range(2):
        generator.generate_deck_chunk(dataclasses.replace(ON, vace_scale=2.0))
    assert np.array_equal(np.concatenate([begun, play(generator, ON, 2)]), alone)
