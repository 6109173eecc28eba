"""The quality guard: the exact path is no different from itself, and each switch is as far off as it should be."""

import math

import pytest
import torch

from engine.acceleration import EXACT
from engine.model_presets import load_preset
from engine.quantised.guard import Scene, another_seed, compare, distance, exact_chunks

MARKS = (1, 4)  # the fourth chunk looks back at a window out of which one group has gone


@pytest.fixture(scope="module")
def scene():
    return Scene(load_preset("ember"), "violet smoke", (64, 48), torch.device("cpu"), torch.float32)


@pytest.fixture(scope="module")
def exact(scene):
    return exact_chunks(scene, MARKS[-1], lambda: None)


@pytest.mark.parametrize(
    ("words", "nearest", "farthest"),
    [((), 0.0, 0.0), (("linears=fp8", "attention=fp8"), 1e-3, 0.2), (("clean_pass=off",), 0.01, 2.0)],
)
def test_each_switch_is_compared_on_the_same_noise(scene, exact, words, nearest, farthest):
    figures = compare(scene, EXACT.changed(words), exact, MARKS, lambda: None)
    assert figures["switches"] == list(words)
    assert ("led" in figures) == ("clean_pass=off" not in words)
    last = figures["free"]["4"]["relative_error"]
    assert nearest <= last <= farthest
    if not words:
        assert figures["led"]["4"] == {"relative_error": 0.0, "psnr_db": None}
        assert figures["last_chunks"] == {"spread": 1.0, "movement": 1.0}


def test_the_yardstick_is_another_stream(scene, exact):
    figures = another_seed(scene, exact, MARKS, lambda: None)
    assert figures["free"]["1"]["relative_error"] > 0.5


def test_distances_are_those_of_the_formulas():
    exact = torch.tensor([0.0, 1.0, 2.0, 4.0])
    found = distance(exact + 0.1, exact)
    assert found["psnr_db"] == pytest.approx(20 * math.log10(4 / 0.1), abs=0.01)
    assert found["relative_error"] == pytest.approx(0.2 / math.sqrt(21.0), abs=1e-4)
