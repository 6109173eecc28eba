"""Golden files of many shapes, made by an oracle that shares no code with the engine, all pass."""

import json
from pathlib import Path

import pytest
from safetensors import safe_open
from safetensors.torch import load_file

from engine.verify import verify_file
from tests.engine.golden_files import SMALL, make_autoencoder_file, make_stream_file, write
from tests.engine.vace_golden import FILE as GUIDED

ROUNDING_ERROR = 5e-5  # the most that float32 was seen to be away from the oracle's float64, doubled
FOUR_STEPS = [1000.0, 937.5, 2500 / 3, 625.0]


VARIANTS: dict[str, tuple[tuple[int, int, int, list[float]], dict[str, object]]] = {
    "head_30_two_steps_decay_0.9": ((4, 10, 5, [1000.0, 625.0]), {"dim": 60, "sink_decay": 0.9}),
    "prompt_switch": ((2, 6, 5, FOUR_STEPS), {"prompt_switch_chunk": 3, "sink_decay": 0.95}),
    "prompt_switch_at_first_chunk": ((2, 4, 2, FOUR_STEPS[:2]), {"prompt_switch_chunk": 0}),
    "one_step_chunk_1": (
        (4, 4, 7, [1000.0]),
        {"chunk_frames": 1, "sink_frames": 1, "window_frames": 4, "sink_decay": 0.5, "text_len": 3},
    ),
    "chunk_1_in_groups_of_3": ((2, 4, 13, [1000.0, 750.0]), {"chunk_frames": 1, "sink_decay": 0.8}),
    "small_window_head_10": (
        (6, 4, 5, [1000.0, 900.0, 500.0]),
        {"num_heads": 4, "window_frames": 6, "sink_decay": 0.0, "num_layers": 1},
    ),
    "long_window_shift_3": (
        (2, 2, 6, [1000.0, 900.0, 750.0, 500.0, 250.0]),
        {"window_frames": 12, "timestep_shift": 3.0, "sink_decay": 1.0, "num_layers": 3, "dim": 24},
    ),
    "chunk_2": ((4, 2, 6, FOUR_STEPS), {"chunk_frames": 2, "sink_frames": 2, "window_frames": 6, "ffn_dim": 20}),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_files_of_other_shapes_pass(tmp_path: Path, name: str) -> None:
    (height, width, chunks, steps), changes = VARIANTS[name]
    tensors = make_stream_file(tmp_path / "golden.safetensors", height, width, chunks, steps, **changes)
    report = verify_file(tmp_path / "golden.safetensors")
    assert report.passed, report.lines()
    assert len(report.measures) == sum(name.startswith("fp32.") for name in tensors)
    assert max(m.error for m in report.measures) < ROUNDING_ERROR
    assert tensors["fp32.out"].std() > 0.3


def test_the_second_prompt_and_the_decay_are_really_used(tmp_path: Path) -> None:
    path = tmp_path / "golden.safetensors"
    changes = {"prompt_switch_chunk": 2, "sink_decay": 0.9}
    tensors = make_stream_file(path, 2, 4, 5, FOUR_STEPS, **changes)
    write(path, tensors, "causal_dit", SMALL | changes | {"prompt_switch_chunk": 3})
    bad = [m.name for m in verify_file(path).measures if not m.passed]
    assert "fp32.x0.b2.s3" in bad
    assert "fp32.x0.b1.s3" not in bad
    write(path, tensors, "causal_dit", SMALL | changes | {"sink_decay": 0.8})
    bad = [m.name for m in verify_file(path).measures if not m.passed]
    assert "fp32.cacheK.l0.b3" in bad
    assert "fp32.cacheK.l0.b2" not in bad


@pytest.mark.parametrize(
    "config",
    [
        {"dim": 4, "z_dim": 16, "dim_mult": [1, 2, 4, 4], "num_res_blocks": 1},
        {"dim": 6, "dim_mult": [1, 1, 2], "num_res_blocks": 2, "temperal_downsample": [True, True]},
        {"dim": 4, "dim_mult": [1, 2, 2, 4], "num_res_blocks": 2, "temporal_downsample": [False, False, True]},
    ],
)
def test_autoencoders_of_other_shapes_pass(tmp_path: Path, config: dict[str, object]) -> None:
    make_autoencoder_file(tmp_path / "golden.safetensors", config, (5, 2, 3))
    report = verify_file(tmp_path / "golden.safetensors")
    assert report.passed, report.lines()
    assert [m.way for m in report.measures][:4] == ["all at once", "3+3..", "1+3+3..", "one by one"]
    assert max(m.error for m in report.measures) < ROUNDING_ERROR


def spoil_guided(path: Path, changes: dict[str, object], spoilt: str = "") -> list[str]:
    """Names of what no longer passes, or the problems, when the config or one tensor of the guided file is changed."""
    tensors = load_file(GUIDED)
    with safe_open(GUIDED, framework="pt") as file:
        config = json.loads(file.metadata()["config"])
    if spoilt:
        tensors[spoilt] = tensors[spoilt] * 1.5
    write(path, tensors, "vace_dit", config | changes)
    report = verify_file(path)
    return [m.name for m in report.measures if not m.passed] or list(report.problems)


def test_what_diffusers_made_of_a_guided_clip_is_made_here(tmp_path: Path) -> None:
    report = verify_file(GUIDED)
    assert report.passed, report.lines()
    assert [m.name for m in report.measures] == ["fp32.guided", "fp32.unguided"]
    assert max(m.error for m in report.measures) < ROUNDING_ERROR
    expected = load_file(GUIDED)
    assert (expected["fp32.guided"] - expected["fp32.unguided"]).abs().max() > 0.1
    path = tmp_path / "golden.safetensors"
    assert spoil_guided(path, {}) == []
    for name in ("in.scales", "in.context", "w.vace_blocks.0.before_proj.weight", "w.vace_blocks.2.after_proj.bias"):
        assert spoil_guided(path, {}, name) == ["fp32.guided"]
    assert spoil_guided(path, {"vace_layers": [0, 1, 2]}) == ["fp32.guided"]
    for layers, told in (([0, 1], "in.scales"), ([1, 0, 2], "must rise"), ("all", "a list of whole numbers")):
        assert told in spoil_guided(path, {"vace_layers": layers})[0]
