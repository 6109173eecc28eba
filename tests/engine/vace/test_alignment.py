"""Every latent frame of a context stands for the frames its latent of the stream becomes, for ever."""

from __future__ import annotations

import random

import numpy as np
import torch
from PIL import Image

from engine.model.vace import Guide
from engine.vace.references import ReferenceBook
from engine.vace.state import VaceState
from engine.vae.latents import LATENT_CHANNELS, frame_count
from tests.engine.vace.rig import (
    NumberedInput,
    NumberEncoder,
    PictureInput,
    guidance,
    inputs_of,
    numbered,
    numbers_in,
    params_of,
    with_references,
)

CHUNKS = 1_000


def expected_numbers(first: int, latents: int, *, is_start: bool) -> list[list[int]]:
    """Numbers of the frames that latents become whose first frame is `first`."""
    groups = [[first] * 4] if is_start else []
    begin = first + len(groups)
    return groups + [[begin + 4 * place + step for step in range(4)] for place in range(latents - len(groups))]


def reactive(guide: Guide) -> torch.Tensor:
    """Latents of the painted stream of a guide's chunk, without its references."""
    return guide.context[0, guide.reference_frames :, LATENT_CHANNELS : 2 * LATENT_CHANNELS]


def inactive(guide: Guide) -> torch.Tensor:
    return guide.context[0, guide.reference_frames :, :LATENT_CHANNELS]


def test_a_thousand_chunks_of_any_size_with_cuts_between_stay_aligned() -> None:
    chooser = random.Random(5)
    camera, state, vace = NumberedInput(), VaceState(), guidance(NumberEncoder())
    params, next_frame, is_start = params_of(), 0, True
    for _ in range(CHUNKS):
        latents = chooser.choice((1, 3))
        guide_of = vace.begin_chunk(params, inputs_of(latents, is_start=is_start, one=camera), state, latents, 4)
        guide = guide_of(0)
        assert numbers_in(reactive(guide)) == expected_numbers(next_frame, latents, is_start=is_start)
        assert (inactive(guide)[:, :4] == -1).all()
        assert (guide.context[0, :, 2 * LATENT_CHANNELS :] == 1.0).all()
        next_frame += frame_count(latents, is_start)
        if is_start := chooser.random() < 0.02:
            state = VaceState()
    assert next_frame > 5_000


def test_masks_references_and_pauses_move_nothing(tmp_path: object) -> None:
    file = tmp_path / "who.png"
    Image.fromarray(numbered(60_000, 1)[0, ..., :3]).save(file)
    book = ReferenceBook()
    book.picture(str(file), wait=True)
    half = np.zeros_like(numbered(0, 1)[0])
    half[:, half.shape[1] // 2 :] = 255  # the marked corner is kept
    chooser = random.Random(6)
    camera, state, vace = NumberedInput(), VaceState(), guidance(NumberEncoder(), book)
    is_start = True
    for _ in range(200):
        latents, has_mask, has_reference = chooser.choice((1, 3)), chooser.random() < 0.5, chooser.random() < 0.5
        changes = {"vace_mask_input": 2 * has_mask, "vace_on": chooser.random() < 0.8}
        params = with_references(*[file] * has_reference, **changes, reference_fits=("fill",) * 4)
        inputs = inputs_of(latents, is_start=is_start, one=camera, two=PictureInput(half))
        next_frame = camera.next
        inputs.of(1)  # whether it guides or not, time goes on
        guide_of = vace.begin_chunk(params, inputs, state, latents, 2)
        if params.vace_on:
            guide = guide_of(1)
            expected = expected_numbers(next_frame, latents, is_start=is_start)
            assert guide.context.shape[1] == has_reference + latents
            assert numbers_in(inactive(guide) if has_mask else reactive(guide)) == expected
            masks = guide.context[0, guide.reference_frames :, 2 * LATENT_CHANNELS :]
            assert (masks[..., 0] == (0.0 if has_mask else 1.0)).all()
            assert (masks[..., -1] == 1.0).all()
            if has_reference:
                assert numbers_in(guide.context[0, :1, :LATENT_CHANNELS]) == [[60_000] * 4]
                assert (guide.context[0, 0, LATENT_CHANNELS:] == 0.0).all()
        is_start = chooser.random() < 0.05
        if is_start:
            state = VaceState()


def test_a_mask_that_moves_is_that_of_the_latent_frames_middle() -> None:
    moving = NumberedInput()
    taken = []

    class MaskInput(PictureInput):
        def take(self, frames: int, *, is_start: bool) -> object:
            given = moving.take(frames, is_start=is_start)
            bright = (np.arange(moving.next - frames, moving.next) % 3 == 0).astype(np.uint8) * 255
            given.pixels[..., :3] = bright[:, None, None, None]
            taken.append(bright > 0)
            return given

    state, vace, masks = VaceState(), guidance(NumberEncoder()), []
    for place, latents in enumerate((3, 1, 3, 3)):
        inputs = inputs_of(latents, is_start=place == 0, one=NumberedInput(), two=MaskInput(numbered(0, 1)[0]))
        guide = vace.begin_chunk(params_of(vace_mask_input=2), inputs, state, latents, 1)(0)
        masks += guide.context[0, :, 2 * LATENT_CHANNELS, 0, 0].tolist()
    frames = np.concatenate(taken)
    assert masks == [float(frames[0]), *(float(frames[4 * k - 3 + 2]) for k in range(1, 10))]
