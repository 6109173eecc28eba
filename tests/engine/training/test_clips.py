"""Clips: every family moves, can be drawn in parts, and is the same for the same seed."""

import pytest
import torch

from engine.training.clips.drawing import draw_clip, draw_crop
from engine.training.clips.families import FAMILIES
from engine.training.clips.palettes import PALETTES
from engine.training.clips.spec import ClipSpec, random_spec


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_moves_within_range_and_repeats(family: str) -> None:
    spec = ClipSpec(family, "teal", "normal", 11)
    clip = draw_clip(spec, 48, 80, 0, 17)
    assert clip.shape == (17, 3, 48, 80)
    assert clip.min() >= -1.0
    assert clip.max() <= 1.0
    assert clip.std() > 0.05
    assert (clip[1:] - clip[:-1]).abs().mean() > 0.002
    assert torch.equal(clip, draw_clip(spec, 48, 80, 0, 17))
    assert not torch.equal(clip, draw_clip(ClipSpec(family, "teal", "normal", 12), 48, 80, 0, 17))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_later_span_is_the_same_picture(family: str) -> None:
    spec = ClipSpec(family, "gold", "fast", 5)
    whole = draw_clip(spec, 32, 48, 0, 12)
    torch.testing.assert_close(draw_clip(spec, 32, 48, 8, 4), whole[8:], atol=2e-3, rtol=0)


@pytest.mark.parametrize("palette", PALETTES)
def test_palettes_run_from_dark_to_light(palette: str) -> None:
    light = [sum(stop) for stop in PALETTES[palette]]
    assert light[0] == min(light)
    assert light[-1] > 1.8 * light[0]


def test_speed_is_speed() -> None:
    def motion(speed: str) -> float:
        clip = draw_clip(ClipSpec("plasma", "blue", speed, 3), 32, 48, 0, 9)
        return float((clip[1:] - clip[:-1]).abs().mean())

    assert motion("slow") < 0.7 * motion("normal") < 0.7 * motion("fast")


def test_random_clips_cover_everything_and_crops_are_square() -> None:
    generator = torch.Generator().manual_seed(0)
    specs = [random_spec(generator) for _ in range(300)]
    assert {spec.family for spec in specs} == set(FAMILIES)
    assert {spec.palette for spec in specs} == set(PALETTES)
    assert draw_crop(specs[0], 32, 5, generator).shape == (5, 3, 32, 32)
