"""What guides a chunk: what is asked for, what is held, what fades, and that what is off costs nothing."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine.vace.guidance import VaceGuidance
from engine.vace.references import ReferenceBook
from engine.vace.state import VaceState
from engine.vae.latents import LATENT_CHANNELS
from engine.video_in.given import GivenFrames
from engine.weight_files import CheckpointError
from tests.engine.vace.rig import (
    GUIDED,
    NumberedInput,
    NumberEncoder,
    guidance,
    inputs_of,
    numbered,
    numbers_in,
    params_of,
    with_references,
)

MASKS = slice(2 * LATENT_CHANNELS, None)
REACTIVE = slice(LATENT_CHANNELS, 2 * LATENT_CHANNELS)


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    """Four pictures of the stream's size that carry the numbers 1000, 1001, 1002 and 1003."""
    files = [tmp_path / f"{number}.png" for number in range(4)]
    for number, file in enumerate(files):
        Image.fromarray(numbered(1000 + number, 1)[0, ..., :3]).save(file)
    return files


@pytest.fixture
def book(pictures: list[Path]) -> ReferenceBook:
    made = ReferenceBook()
    for file in pictures:
        made.picture(str(file), wait=True)
    return made


class Untouched:
    """An input that must not be asked."""

    def take(self, frames: int, *, is_start: bool) -> GivenFrames:
        raise AssertionError("an input was asked for frames that nothing needs")

    def beside(self) -> Untouched:
        return self


@pytest.mark.parametrize("off", [{"vace_on": False}, {"vace_scale": 0.0}])
def test_what_is_off_costs_nothing(off: dict, pictures: list[Path], book: ReferenceBook) -> None:
    encoder = NumberEncoder()
    vace, state = guidance(encoder, book), VaceState()
    params = with_references(*pictures, **off)
    assert vace.begin_chunk(params, inputs_of(3, is_start=True, one=Untouched()), state, 3, 4) is None
    assert encoder.frames == 0
    assert vace.notice == ""


def test_a_model_without_vace_says_so_in_a_sentence() -> None:
    encoder = NumberEncoder()
    vace = guidance(encoder, config=dataclasses.replace(GUIDED, vace_layers=()))
    assert vace.begin_chunk(params_of(), inputs_of(3, is_start=True, one=Untouched()), VaceState(), 3, 4) is None
    assert "no VACE layers" in vace.notice
    assert encoder.frames == 0
    wrong = guidance(encoder, config=dataclasses.replace(GUIDED, vace_in_dim=24))
    assert wrong.begin_chunk(params_of(), inputs_of(3, is_start=True, one=Untouched()), VaceState(), 3, 4) is None
    assert "read 24 channels, a context has 96" in wrong.notice


def test_nothing_to_guide_with_guides_nothing() -> None:
    encoder = NumberEncoder()
    vace = guidance(encoder)
    assert vace.begin_chunk(params_of(), inputs_of(3, is_start=True), VaceState(), 3, 4) is None
    assert vace.notice == "nothing guides: input 1 gives no picture, and there is no reference"
    assert vace.begin_chunk(params_of(vace_input=0), inputs_of(3, is_start=True), VaceState(), 3, 4) is None
    assert "no input is chosen" in vace.notice
    assert encoder.frames == 0


@pytest.mark.parametrize(
    ("values", "steps", "scales"),
    [
        ({}, 4, [1.5, 1.5, 1.5, 1.5]),
        ({"vace_scale_end": 0.0}, 4, [1.5, 1.0, 0.5, 0.0]),
        ({"vace_scale_end": 0.0}, 1, [1.5]),
        ({"vace_steps": "first"}, 3, [1.5, 0.0, 0.0]),
        ({"vace_steps": "first two", "vace_scale_end": 0.5}, 3, [1.5, 1.125, 0.0]),
        ({"vace_steps": "last two"}, 3, [0.0, 1.5, 1.5]),
        ({"vace_steps": "last two"}, 1, [1.5]),
        ({"vace_steps": "last"}, 2, [0.0, 1.5]),
    ],
)
def test_the_scale_goes_by_steps(values: dict, steps: int, scales: list[float]) -> None:
    params = params_of(vace_scale=1.5, **values)
    inputs = inputs_of(3, is_start=True, one=NumberedInput())
    guide_of = guidance(NumberEncoder()).begin_chunk(params, inputs, VaceState(), 3, steps)
    guides = [guide_of(step) for step in range(steps)]
    assert [guide.scales if guide else 0.0 for guide in guides] == pytest.approx(scales)


def test_references_are_held_across_cuts_until_they_are_switched_off(pictures: list[Path], book: ReferenceBook) -> None:
    encoder = NumberEncoder()
    vace, state = guidance(encoder, book), VaceState()
    params = with_references(*pictures[:3], vace_input=0, reference_fits=("fill",) * 4)
    shown = []
    for chunk in range(80):
        is_start = chunk in (0, 40)
        state = VaceState() if is_start else state
        guide = vace.begin_chunk(params, inputs_of(3, is_start=is_start), state, 3, 2)(0)
        assert guide.reference_frames == 3
        assert guide.context.shape[1] == 6
        assert numbers_in(guide.context[0, :3, :LATENT_CHANNELS]) == [[n] * 4 for n in (1000, 1001, 1002)]
        assert (guide.context[0, :3, LATENT_CHANNELS:] == 0.0).all()
        assert (guide.context[0, 3:, MASKS] == 1.0).all()
        shown.append(encoder.frames)
    assert len(set(shown[14:])) == 1, "mid grey and references are encoded once, across a cut, too"
    fewer = dataclasses.replace(params, reference_switches=(True, False, False, False))
    assert vace.begin_chunk(fewer, inputs_of(3, is_start=False), state, 3, 2)(0).reference_frames == 1
    removed = dataclasses.replace(params, reference_files=("", str(pictures[1]), "", ""))
    guide = vace.begin_chunk(removed, inputs_of(3, is_start=False), state, 3, 2)(0)
    assert numbers_in(guide.context[0, :1, :LATENT_CHANNELS]) == [[1001] * 4]
    nothing = dataclasses.replace(params, reference_switches=(False,) * 4)
    assert vace.begin_chunk(nothing, inputs_of(3, is_start=False), state, 3, 2) is None


def test_references_and_control_guide_together_and_nothing_is_cut_off(
    pictures: list[Path], book: ReferenceBook
) -> None:
    params = with_references(*pictures, reference_fits=("fill",) * 4)
    camera, state, vace = NumberedInput(), VaceState(), guidance(NumberEncoder(), book)
    first = vace.begin_chunk(params, inputs_of(3, is_start=True, one=camera), state, 3, 4)(0)
    later = vace.begin_chunk(params, inputs_of(1, is_start=False, one=camera), state, 1, 4)(0)
    assert (first.context.shape[1], later.context.shape[1]) == (7, 5)
    assert numbers_in(first.context[0, 4:, REACTIVE]) == [[0] * 4, [1, 2, 3, 4], [5, 6, 7, 8]]
    assert numbers_in(later.context[0, 4:, REACTIVE]) == [[9, 10, 11, 12]]


def test_a_control_alone_fades_with_its_input_and_is_gone_when_that_has_gone() -> None:
    camera, state, vace = NumberedInput(), VaceState(), guidance(NumberEncoder())
    scales = []
    for number, strength in enumerate((1.0, 1.0, 0.6, 0.2, None, 1.0)):
        camera.strength = strength
        inputs = inputs_of(3, is_start=number == 0, one=camera)
        guide_of = vace.begin_chunk(params_of(vace_scale=1.5), inputs, state, 3, 1)
        scales.append(guide_of(0).scales if guide_of else None)
    assert scales == [1.5, 1.5, pytest.approx(0.9), pytest.approx(0.3), None, 1.5]


def test_beside_references_a_lost_control_fades_to_none_and_they_keep_their_strength(
    pictures: list[Path], book: ReferenceBook
) -> None:
    camera, state, vace = NumberedInput(), VaceState(), guidance(NumberEncoder(), book)
    params = with_references(pictures[0])
    sizes = []
    for number, strength in enumerate((1.0, 0.5, None)):
        camera.strength = strength
        encoder_sees: list[torch.Tensor] = []
        spied = SpyingEncoder(encoder_sees)
        vace._encoder._encoder = spied
        inputs = inputs_of(3, is_start=number == 0, one=camera)
        guide = vace.begin_chunk(params, inputs, state, 3, 1)(0)
        assert guide.scales == 1.0
        assert guide.reference_frames == 1
        sizes.append(max((float(seen.abs().max()) for seen in encoder_sees), default=0.0))
    assert sizes[0] == 1.0
    assert sizes[1] == pytest.approx(0.5)
    assert sizes[2] == 0.0


class SpyingEncoder(NumberEncoder):
    def __init__(self, seen: list[torch.Tensor]) -> None:
        super().__init__()
        self._seen = seen

    def encode(self, frames: torch.Tensor, state: int | None) -> tuple[torch.Tensor, int]:
        self._seen.append(frames)
        return super().encode(frames, state)


def test_first_and_last_pictures_stand_for_one_latent_frame_each(pictures: list[Path], book: ReferenceBook) -> None:
    vace, state, camera = guidance(NumberEncoder(), book), VaceState(), NumberedInput()
    params = with_references(*pictures[:2], roles=("first", "last"))
    start = vace.begin_chunk(params, inputs_of(3, is_start=True, one=camera), state, 3, 1)(0)
    later = vace.begin_chunk(params, inputs_of(3, is_start=False, one=camera), state, 3, 1)(0)
    for guide, numbers in ((start, [1, 2, 3, 4]), (later, [13, 14, 15, 16])):
        assert guide.reference_frames == 0
        assert numbers_in(guide.context[0, :, :LATENT_CHANNELS]) == [[1000] * 4, [-1] * 4, [1001] * 4]
        assert numbers_in(guide.context[0, :, REACTIVE]) == [[-1] * 4, numbers, [-1] * 4]
        assert [float(masks.mean()) for masks in guide.context[0, :, MASKS]] == [0.0, 1.0, 0.0]
    alone = dataclasses.replace(params, vace_input=0)
    one = vace.begin_chunk(alone, inputs_of(1, is_start=False), VaceState(), 1, 1)(0)
    assert numbers_in(one.context[0, :, :LATENT_CHANNELS]) == [[1001] * 4]
    assert (one.context[0, :, MASKS] == 0.0).all()


def test_what_a_mask_keeps_is_the_picture_and_not_its_lines() -> None:
    vace, state = guidance(NumberEncoder()), VaceState()
    dark = NumberedInput()
    pixels = numbered(0, 1)
    pixels[..., :3] = 0

    class Dark(NumberedInput):
        def take(self, frames: int, *, is_start: bool) -> GivenFrames:
            return GivenFrames(np.repeat(pixels, frames, axis=0), (0,) * frames)

    inputs = inputs_of(3, is_start=True, one=dark, two=Dark())
    guide = vace.begin_chunk(params_of(vace_control="edges", vace_mask_input=2), inputs, state, 3, 1)(0)
    assert numbers_in(guide.context[0, :, :LATENT_CHANNELS]) == [[0] * 4, [1, 2, 3, 4], [5, 6, 7, 8]]
    assert (guide.context[0, :, MASKS] == 0.0).all()
    assert (guide.context[0, :, REACTIVE][:, :4] == -1).all()


def test_a_control_whose_network_is_not_there_is_held_off_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pictures: list[Path], book: ReferenceBook
) -> None:
    monkeypatch.setenv("VJ_MODELS", str(tmp_path))
    vace, state = guidance(NumberEncoder(), book), VaceState()
    params = with_references(pictures[0], vace_control="depth")
    notices = []
    for number in range(400):
        inputs = inputs_of(1, is_start=number == 0, one=NumberedInput())
        guide = vace.begin_chunk(params, inputs, state, 1, 1)(0)
        assert guide.reference_frames == 1
        assert (guide.context[0, 1:, REACTIVE][:, :4] == -1).all()
        notices.append(vace.notice)
        if "vj models download controls" in vace.notice:
            break
        time.sleep(0.05)
    assert "vj models download controls" in notices[-1]
    with pytest.raises(CheckpointError, match="vj models download controls"):
        vace.load(params)


def test_frames_of_another_size_are_told() -> None:
    vace: VaceGuidance = guidance(NumberEncoder())

    class Wrong(NumberedInput):
        def take(self, frames: int, *, is_start: bool) -> GivenFrames:
            return GivenFrames(np.zeros((frames, 8, 8, 4), np.uint8), (0,) * frames)

    with pytest.raises(ValueError, match=r"frames of shape \(9, 8, 8, 4\)"):
        vace.begin_chunk(params_of(), inputs_of(3, is_start=True, one=Wrong()), VaceState(), 3, 1)
