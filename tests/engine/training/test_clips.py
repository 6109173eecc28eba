"""Clips: every family moves, can be drawn in parts and varied, and is the same for the same seed."""

import dataclasses

import pytest
import torch

from engine.training.clips import drawing
from engine.training.clips.drawing import draw_clip, draw_crop, draw_plan
from engine.training.clips.families import FAMILIES
from engine.training.clips.palettes import EXAM_PALETTES, PALETTES
from engine.training.clips.spec import (
    CAMERAS,
    EVENTS,
    FINISHES,
    GROUNDS,
    MIRRORS,
    SWITCH_FRAMES,
    ClipPlan,
    ClipSpec,
    Variety,
    plan_from,
    random_plan,
    random_spec,
)

SIZE = (32, 48)
VARIATIONS = [
    {name: value}
    for name, values in (
        ("camera", CAMERAS),
        ("ground", GROUNDS),
        ("finish", FINISHES),
        ("event", EVENTS),
        ("mirror", MIRRORS),
    )
    for value in values[1:]
]


def motion(clip: torch.Tensor) -> torch.Tensor:
    """Mean difference of every frame from the one before."""
    return (clip[1:] - clip[:-1]).abs().mean(dim=(1, 2, 3))


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_moves_within_range_and_repeats(family: str) -> None:
    spec = ClipSpec(family, "teal", "normal", 11)
    clip = draw_clip(spec, 48, 80, 0, 17)
    assert clip.shape == (17, 3, 48, 80)
    assert clip.min() >= -1.0
    assert clip.max() <= 1.0
    assert clip.std() > 0.05
    assert motion(clip).mean() > 0.002
    assert torch.equal(clip, draw_clip(spec, 48, 80, 0, 17))
    assert not torch.equal(clip, draw_clip(ClipSpec(family, "teal", "normal", 12), 48, 80, 0, 17))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_later_span_is_the_same_picture(family: str) -> None:
    spec = ClipSpec(family, "gold", "fast", 5)
    whole = draw_clip(spec, *SIZE, 0, 12)
    torch.testing.assert_close(draw_clip(spec, *SIZE, 7, 5), whole[7:], atol=2e-3, rtol=0)


@pytest.mark.parametrize("family", FAMILIES)
def test_last_bits_of_sines_do_not_change_a_clip(family: str) -> None:
    """Another device rounds sines otherwise: drawn in double precision it must be the same picture."""
    line = torch.linspace(-0.5, 0.5, 40, dtype=torch.float64)
    plan = ClipPlan(ClipSpec(family, "neon", "normal", 31))
    fine, coarse = (
        drawing._draw(plan, drawing.Lines(x[None, None], x[None, :, None], 1 / 40), 300.0, 3)
        for x in (line, line.float())
    )
    off = (fine - coarse).abs()
    assert off.mean() < 1e-3
    assert (off > 2 / 255).float().mean() < 0.002  # single pixels on an edge may fall to the other side


@pytest.mark.parametrize("family", FAMILIES)
def test_a_clip_needs_nothing_of_the_cpu_on_another_device(family: str) -> None:
    for finish, ground, camera in (("gloss", "gradient", "drift"), ("pastel", "colour", "still")):
        spec = ClipSpec(family, "opal", "slow", 3, finish=finish, ground=ground, camera=camera)
        assert draw_plan(ClipPlan(spec), SIZE, 0, 5, device="meta").device.type == "meta"


def test_threads_do_not_change_a_clip() -> None:
    before = torch.get_num_threads()
    plan = ClipPlan(ClipSpec("particles", "ice", "normal", 4), ClipSpec("smoke", "red", "fast", 5), share=0.4)
    try:
        torch.set_num_threads(1)
        one = draw_plan(plan, (144, 256), 0, 6)
        torch.set_num_threads(2)
        torch.testing.assert_close(draw_plan(plan, (144, 256), 0, 6), one, atol=1e-5, rtol=0)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("variation", VARIATIONS, ids=str)
def test_every_variation_is_seen_and_stays_in_range(variation: dict[str, str]) -> None:
    spec = ClipSpec("smoke", "sunset", "normal", 8)
    plain = draw_clip(spec, *SIZE, 8, 16)
    varied = draw_clip(dataclasses.replace(spec, **variation), *SIZE, 8, 16)
    assert torch.isfinite(varied).all()
    assert varied.min() >= -1.0
    assert varied.max() <= 1.0
    assert (varied - plain).abs().mean() > 0.002


def test_a_freezing_clip_stands_and_goes_on() -> None:
    steps = motion(draw_clip(ClipSpec("plasma", "blue", "fast", 3, event="freeze"), *SIZE, 0, 57))
    assert (steps < 1e-5).sum() > 8
    assert (steps > 0.01).sum() > 20


def test_a_zoom_goes_on_without_a_jump() -> None:
    for camera in ("in", "out"):
        steps = motion(draw_clip(ClipSpec("cells", "teal", "fast", 6, camera=camera), *SIZE, 0, 100))
        assert steps.max() < 3.0 * steps.median()


def test_a_mirrored_clip_is_mirrored() -> None:
    clip = draw_clip(ClipSpec("smoke", "pink", "normal", 2, mirror="both"), *SIZE, 0, 2)
    torch.testing.assert_close(clip, clip.flip(-1), atol=1e-3, rtol=0)
    torch.testing.assert_close(clip, clip.flip(-2), atol=1e-3, rtol=0)


def test_a_blend_shows_both_and_a_switch_goes_over() -> None:
    first, second = ClipSpec("particles", "red", "normal", 1), ClipSpec("labyrinth", "blue", "normal", 2)
    one, other = (draw_clip(spec, *SIZE, 0, 30) for spec in (first, second))
    blend = draw_plan(ClipPlan(first, second, share=0.5), SIZE, 0, 30)
    assert (blend - one).abs().mean() < (one - other).abs().mean()
    assert (blend - other).abs().mean() < (one - other).abs().mean()
    switch = draw_plan(ClipPlan(first, second, switch_frame=9), SIZE, 0, 30)
    torch.testing.assert_close(switch[:9], one[:9], atol=1e-4, rtol=0)
    torch.testing.assert_close(switch[9 + SWITCH_FRAMES :], other[9 + SWITCH_FRAMES :], atol=1e-4, rtol=0)
    assert motion(switch).max() < 0.3


@pytest.mark.parametrize("palette", PALETTES)
def test_palettes_run_from_dark_to_light_and_the_exam_has_its_own(palette: str) -> None:
    for table in (PALETTES, EXAM_PALETTES):
        light = [sum(stop) for stop in table[palette]]
        assert light[0] == min(light)
        assert light[-1] > 1.8 * light[0]
    assert not set(PALETTES[palette]) & set(EXAM_PALETTES[palette])
    assert len(PALETTES) == len(EXAM_PALETTES) == 16


def test_speed_is_speed() -> None:
    slow, normal, fast = (
        float(motion(draw_clip(ClipSpec("plasma", "blue", speed, 3), *SIZE, 0, 9)).mean())
        for speed in ("slow", "normal", "fast")
    )
    assert slow < 0.7 * normal < 0.7 * fast


def test_random_clips_cover_everything_and_crops_are_square() -> None:
    generator = torch.Generator().manual_seed(0)
    specs = [random_spec(generator) for _ in range(400)]
    assert {spec.family for spec in specs} == set(FAMILIES)
    assert {spec.palette for spec in specs} == set(PALETTES)
    assert {(spec.camera, spec.finish, spec.event) for spec in specs} == {("still", "plain", "none")}
    assert draw_crop(specs[0], 32, 5, generator).shape == (5, 3, 32, 32)


def test_random_plans_vary_as_often_as_asked_and_survive_a_file() -> None:
    generator = torch.Generator().manual_seed(1)
    plans = [random_plan(generator, Variety()) for _ in range(600)]
    for name, values in (("camera", CAMERAS), ("ground", GROUNDS), ("finish", FINISHES), ("mirror", MIRRORS)):
        assert {getattr(plan.first, name) for plan in plans} == set(values)
    switches = [plan for plan in plans if plan.switch_frame]
    blends = [plan for plan in plans if plan.second is not None and not plan.switch_frame]
    assert 0.05 < len(switches) / 600 < 0.15
    assert 0.05 < len(blends) / 600 < 0.15
    assert all(plan.first.family != plan.second.family for plan in blends)
    assert [plan_from(plan.flat()) for plan in plans] == plans
    upright = {name for name, family in FAMILIES.items() if not family.turns}
    assert not [plan for plan in plans if plan.first.family in upright and plan.first.camera == "turn"]
    assert Variety().times(0.0) == Variety(0, 0, 0, 0, 0, 0, 0)
