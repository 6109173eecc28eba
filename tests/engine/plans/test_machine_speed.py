"""What start-up chooses for a processor: number type and size, measured once and kept."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from engine import generator_loading
from engine.generator_loading import size_for_cpu
from engine.loading import choose_dtype
from engine.model_presets import load_preset
from engine.plans import machine_speed as speeds
from engine.plans.machine_speed import MachineSpeed, machine_speed

CPU = torch.device("cpu")
QUICK, SLOW = MachineSpeed(0.3, 0.2), MachineSpeed(0.72, math.inf)


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(speeds, "_kept_file", lambda: tmp_path / "cache" / "speed.json")
    machine_speed.cache_clear()
    yield tmp_path / "cache" / "speed.json"
    machine_speed.cache_clear()


def test_the_processor_is_measured_once_and_kept(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = torch.get_num_threads()
    first = machine_speed()
    assert first.float32_s > 0.0
    assert torch.get_num_threads() == threads
    assert json.loads(kept.read_text())["float32_s"] == first.float32_s
    monkeypatch.setattr(speeds, "measure", lambda: pytest.fail("it is kept"))
    machine_speed.cache_clear()
    assert machine_speed() == first


def test_another_processor_and_a_spoiled_file_are_measured_anew(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speeds, "measure", lambda: QUICK)
    machine_speed()
    for spoiled in ("", '{"machine": 3}', json.dumps(json.loads(kept.read_text()) | {"machine": "another"})):
        kept.write_text(spoiled)
        machine_speed.cache_clear()
        assert machine_speed() == QUICK


def test_bfloat16_must_be_clearly_faster() -> None:
    assert MachineSpeed(0.5, 0.3).number_type == "bfloat16"
    assert MachineSpeed(0.5, 0.49).number_type == "float32"
    assert SLOW.number_type == "float32"
    assert SLOW.fps("bfloat16", 1) == 0.0
    assert SLOW.fps("float32", 1) < 2 * SLOW.fps("float32", 2) / 1.2


@pytest.mark.parametrize(("is_native", "wanted"), [(True, torch.bfloat16), (False, torch.float32)])
def test_only_a_native_bfloat16_is_taken(is_native: bool, wanted: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.loading.is_bfloat16_native", lambda: is_native)
    monkeypatch.setattr("engine.loading.machine_speed", lambda: QUICK)
    assert choose_dtype("auto", CPU) == wanted
    assert choose_dtype("float16", CPU) == torch.float16


def test_a_small_picture_where_the_rate_is_not_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    ember, told = load_preset("ember"), []
    monkeypatch.setattr(generator_loading, "machine_speed", lambda: SLOW)
    assert size_for_cpu(ember, "float32", 1, told.append) == (160, 96)
    assert "--size 256x144" in told[0]
    assert size_for_cpu(ember, "float32", 4) is None
    assert size_for_cpu(load_preset("reward-forcing"), "float32", 1) is None, "it has no small size"
    monkeypatch.setattr(generator_loading, "machine_speed", lambda: QUICK)
    assert size_for_cpu(ember, "float32", 1) is None
