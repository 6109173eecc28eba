"""The measures of one video, whatever it comes from, and of many together."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from engine.evaluation.measures import drift, seam, smoothness, stillness, switch_latency, temporal_flickering
from engine.evaluation.optical_flow import FlowMeter, MissingOpenCvError
from engine.evaluation.picture_log import PictureLog

ROUNDED_TO = 5
Figures = dict[str, object]


@dataclass(frozen=True)
class ChunkGrid:
    """Where chunks of a stream begin: Wan's first one is three frames shorter."""

    chunk_frames: int  # 0 = unknown, and no seam is looked for
    first_boundary: int


@dataclass(frozen=True)
class VideoFigures:
    """What was measured, by name, and what could not be and why."""

    figures: Figures
    notes: tuple[str, ...] = ()


def measure_video(
    frames: Iterable[np.ndarray], rate_hz: float, grid: ChunkGrid, switch_s: float | None = None
) -> VideoFigures:
    """Measure frames (H, W, 3) uint8 as they come. Raises ValueError for no frames, and for a switch out of reach."""
    log, notes = PictureLog(), []
    try:
        meter: FlowMeter | None = FlowMeter(rate_hz)
    except MissingOpenCvError as error:
        meter = None
        notes.append(str(error))
    for frame in frames:
        log.add(frame)
        if meter is not None:
            meter.add(frame)
    figures = figures_of(log, rate_hz, grid)
    if meter is not None:
        figures |= {"motion_degree_dis": meter.motion_degree_dis, "is_dynamic_dis": meter.is_dynamic_dis}
    if switch_s is not None:
        latency = switch_latency(log, round(switch_s * rate_hz), rate_hz)
        figures |= {f"switch_{name}": value for name, value in dataclasses.asdict(latency).items()}
    return VideoFigures(rounded(figures), tuple(notes))


def figures_of(log: PictureLog, rate_hz: float, grid: ChunkGrid) -> Figures:
    """All that needs no flow and no classifier. Raises ValueError for no frames."""
    still = stillness(log, rate_hz)
    figures: Figures = {
        "frames": len(log),
        "rate_hz": rate_hz,
        "temporal_flickering": temporal_flickering(log),
        "smoothness": smoothness(log),
        "seam": seam(log, grid.chunk_frames, grid.first_boundary) if grid.chunk_frames else None,
        "mean_luminance": float(log.luminance.mean()),
        "mean_contrast": float(log.contrast.mean()),
        **dataclasses.asdict(still),
    }
    moved = drift(log, rate_hz)
    if moved is not None:
        figures |= {f"drift_{name}": value for name, value in dataclasses.asdict(moved).items()}
    return figures


def rounded(value: object) -> object:
    """Round every float of a nest of figures to five places: enough to read, and short."""
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(one) for one in value]
    return round(value, ROUNDED_TO) if isinstance(value, float) else value


def mean_figures(videos: Iterable[Figures]) -> Figures:
    """Means over videos of every figure that is a number or a yes; `is_dynamic_dis` becomes `dynamic_degree_dis`."""
    columns: dict[str, list[float]] = {}
    for figures in videos:
        for name, value in figures.items():
            if isinstance(value, bool | int | float) and name not in ("rate_hz",):
                columns.setdefault(name, []).append(float(value))
    means: Figures = {name: float(np.mean(values)) for name, values in columns.items()}
    if "is_dynamic_dis" in means:
        means["dynamic_degree_dis"] = means.pop("is_dynamic_dis")
    return rounded(means)
