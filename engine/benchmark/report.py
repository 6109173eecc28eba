"""A result as a table for people. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping

Figures = Mapping[str, object]
COLUMNS = (
    ("fps", ("fps",)),
    ("transformer", ("transformer", "fps")),
    ("p50 ms", ("chunk_ms", "p50")),
    ("p90", ("chunk_ms", "p90")),
    ("p99", ("chunk_ms", "p99")),
    ("max", ("chunk_ms", "max")),
    ("first frame ms", ("first_frame", "cached_prompt_ms", "p50")),
    ("cold s", ("cold", "first_frames_s")),
    ("full speed s", ("cold", "full_speed_s")),
    ("GB", ("memory", "allocated_bytes")),
    ("of matmul", ("arithmetic", "of_matmul")),
)
NAME_WIDTH, COLUMN_WIDTH = 28, 15


def look_up(figures: Figures, path: tuple[str, ...]) -> float | None:
    """The number at a path of keys; None where there is none."""
    found: object = figures
    for key in path:
        if not isinstance(found, Mapping) or key not in found:
            return None
        found = found[key]
    return float(found) if isinstance(found, int | float) else None


def lines(result: Figures) -> list[str]:
    """The result as a table: one row per configuration, then switches, ratios and what failed."""
    environment = result["environment"]
    assert isinstance(environment, Mapping)
    about = [f"{key} {environment.get(key, '?')}" for key in ("gpu", "processor", "torch", "cuda", "cudnn", "commit")]
    told = [", ".join(about)]
    if result["smoke"]:
        told.append("SMOKE: tiny sizes; these figures say that it works, not how fast it is")
    told += ["", f"{'':{NAME_WIDTH}}" + "".join(f"{name:>{COLUMN_WIDTH}}" for name, _ in COLUMNS)]
    for group in ("ours", "upstream"):
        for name, figures in _items(result[group]):
            cells = (_cell(look_up(figures, path), path) for _, path in COLUMNS)
            told.append(f"{group + '.' + name:{NAME_WIDTH}}" + "".join(f"{cell:>{COLUMN_WIDTH}}" for cell in cells))
    for name, figures in _items(result["ours"]):
        told += _stage_lines(name, figures) + _switch_lines(name, figures)
    for name, variants in _items(result["ratios"]):
        for variant, pair in _items(variants):
            parts = ", ".join(f"{part} {ratio:.2f} times" for part, ratio in pair.items())
            told.append(f"ours.{name} / upstream.{variant}: {parts}")
    for group in ("ours", "upstream"):
        told += [f"{group}.{name}: {figures['said']}" for name, figures in _items(result[group]) if "said" in figures]
    told += [f"{name} FAILED: {why}" for name, why in _items(result["failures"])]
    left_out = result["left_out"]
    if left_out:
        told.append(f"left out, the time was over: {left_out}")
    return told


def _items(found: object) -> list[tuple[str, dict]]:
    assert isinstance(found, Mapping)
    return list(found.items())


def _cell(value: float | None, path: tuple[str, ...]) -> str:
    if value is None:
        return "-"
    return f"{value / 1e9:.2f}" if path[-1].endswith("_bytes") else f"{value:.4g}"


def _stage_lines(name: str, figures: Figures) -> list[str]:
    stages = figures.get("stages_ms")
    if not isinstance(stages, Mapping):
        return []
    parts = ", ".join(f"{stage} {spread['p50']:.4g}" for stage, spread in stages.items())
    return [f"ours.{name}, median ms of each stage: {parts}"]


def _switch_lines(name: str, figures: Figures) -> list[str]:
    switches = figures.get("prompt_switch")
    if not isinstance(switches, Mapping):
        return []
    return [
        f"ours.{name}, prompt switch to pixel, chunks of {told['chunk_frames']} at {told['rate_fps']:g} fps: "
        f"p50 {told['p50_ms']:g} ms, p99 {told['p99_ms']:g}, max {told['max_ms']:g} over {told['switches']}"
        for told in switches.values()
    ]
