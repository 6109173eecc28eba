"""The classifier: what it looks at, how it learns, and how it is kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.evaluation.classifier import (
    SHIPPED,
    SIZE,
    Classifier,
    FamilyClassifier,
    colour_shares,
    read_classifier,
    windows_of,
    write_classifier,
)
from engine.evaluation.classifier_training import ClassifierSettings, build, examine, labels_of
from engine.training.clips.drawing import draw_plan
from engine.training.clips.families import FAMILIES
from engine.training.clips.palettes import EXAM_PALETTES, PALETTES
from engine.training.clips.spec import ClipPlan, ClipSpec
from engine.training.objective import Draw


def test_windows_are_three_frames_a_quarter_of_a_second_apart():
    frames = torch.arange(16.0)[:, None, None, None].expand(16, 3, 108, 192)
    windows = windows_of(frames)
    assert windows.shape == (3, 9, *SIZE)
    assert windows[:, ::3, 0, 0].tolist() == [[0, 3, 6], [4, 7, 10], [8, 11, 14]]
    with pytest.raises(ValueError, match="7 are needed"):
        windows_of(frames[:6])


def test_colour_shares_tell_colours_and_not_places():
    picture = torch.zeros(1, 3, *SIZE)
    picture[:, 0, :, :48] = 1.0
    shares = colour_shares(picture)[0] ** 2
    assert shares.sum() == pytest.approx(1.0, abs=1e-3)
    assert sorted(shares.tolist())[-2:] == pytest.approx([0.5, 0.5], abs=1e-3)
    assert torch.equal(colour_shares(picture.flip(3)), colour_shares(picture))


def test_labels_of_a_blend_are_its_shares():
    first, second = ClipSpec("plasma", "red", "slow", 1), ClipSpec("fire", "blue", "slow", 2)
    labels = labels_of([ClipPlan(first), ClipPlan(first, second, share=0.3)])
    names, colours = list(FAMILIES), list(PALETTES)
    assert labels.families[0, names.index("plasma")] == 1.0
    assert labels.families[1, names.index("fire")] == pytest.approx(0.3)
    assert labels.palettes[1, colours.index("red")] == pytest.approx(0.7)
    assert labels.families.sum(1).tolist() == pytest.approx([1.0, 1.0])


def test_its_palettes_are_others_than_those_models_are_trained_with():
    assert list(EXAM_PALETTES) == list(PALETTES)
    assert not set(EXAM_PALETTES.values()) & set(PALETTES.values())


def test_a_few_steps_learn_a_few_clips():
    objective = build(ClassifierSettings(clips=4, noise=0.0, light=0.0, blur=0.0), Path())
    net = objective.trained["classifier"]
    optimiser = torch.optim.Adam(net.parameters(), lr=0.003)
    losses = []
    for step in range(10):
        found = objective.loss("classifier", step, Draw(1, step, "classifier", 0, step, 8))
        optimiser.zero_grad()
        (found.total / found.weight).backward()
        optimiser.step()
        losses.append(float(found.total.detach()) / found.weight)
    assert losses[-1] < 0.6 * losses[0]
    assert set(found.figures) == {"family_loss", "palette_loss", "family_accuracy", "palette_accuracy"}


def test_the_loss_is_cross_entropy_and_the_same_place_gives_the_same_clips():
    objective = build(ClassifierSettings(clips=4), Path())
    first, again = (objective.loss("classifier", 3, Draw(1, 3, "classifier", 0, 3, 2)) for _ in range(2))
    assert torch.equal(first.total, again.total)
    assert float(first.total.detach()) == pytest.approx(
        2 * (first.figures["family_loss"] + first.figures["palette_loss"]), rel=1e-5
    )


def test_it_is_kept_with_its_accuracies_and_refused_for_other_classes(tmp_path: Path):
    torch.manual_seed(1)
    net = FamilyClassifier()
    path = tmp_path / "classifier.safetensors"
    write_classifier(path, net.state_dict(), {"clips": 5.0})
    read = read_classifier(path)
    assert read.exam == {"clips": 5.0}
    clip = np.random.default_rng(1).integers(0, 256, (12, 60, 100, 3), dtype=np.uint8)
    opinions = [judge.opinion(clip) for judge in (Classifier(net), read)]
    assert opinions[0].families == pytest.approx(opinions[1].families, abs=5e-3)
    assert sum(opinions[1].palettes.values()) == pytest.approx(1.0)
    assert opinions[1].family in FAMILIES
    with pytest.raises(ValueError, match="vj train classifier"):
        read_classifier(tmp_path / "none.safetensors")


def test_settings_that_leave_no_picture_are_refused():
    with pytest.raises(ValueError, match="noise = 2 must lie in 0..1"):
        ClassifierSettings(noise=2.0)
    with pytest.raises(ValueError, match="clips = 0 must be at least 1"):
        ClassifierSettings(clips=0)


def test_an_exam_counts_hits_in_both_sets_of_palettes_and_in_varied_pictures():
    figures = examine(FamilyClassifier(), 6)
    assert set(figures) == {
        "clips",
        *(
            f"{palettes}_{what}"
            for palettes in ("held_out", "models_palettes", "varied")
            for what in ("family", "palette")
        ),
    }
    assert all(0.0 <= value <= 1.0 for name, value in figures.items() if name != "clips")


def test_the_shipped_one_names_drawn_pictures_and_is_small():
    judge = read_classifier()
    assert min(judge.exam["held_out_family"], judge.exam["held_out_palette"]) >= 0.97
    assert SHIPPED.stat().st_size < 2_000_000
    hits = []
    for number, family in enumerate(FAMILIES):
        plan = ClipPlan(ClipSpec(family, list(PALETTES)[number % len(PALETTES)], "normal", 90_100 + number))
        clip = draw_plan(plan, (90, 160), 5, 12, EXAM_PALETTES).permute(0, 2, 3, 1)
        seen = judge.opinion(((clip + 1.0) * 127.5).round().byte().numpy())
        hits += [seen.family == family, seen.palette == plan.first.palette]
    assert sum(hits) >= 0.9 * len(hits)
