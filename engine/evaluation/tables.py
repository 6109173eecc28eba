"""Figures as lines people read. Knows nothing of how they were measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.evaluation.vbench_run import VbenchRun
from engine.evaluation.vbench_scores import DIMENSIONS, VbenchScores

VIDEO_COLUMNS = {
    "frames": "frames",
    "temporal_flickering": "flickering",
    "smoothness": "smooth",
    "motion_degree_dis": "motion",
    "seam": "seam",
    "drift_mean": "drift",
    "drift_contrast": "contrast",
    "longest_still_s": "still s",
}
NAME_WIDTH, COLUMN_WIDTH = 34, 11
LISTS = ("prompts", "blends", "switches", "means", "families")  # of sections: in the JSON, too long for a table


def video_lines(rows: Mapping[str, Mapping[str, object]]) -> list[str]:
    """One line per video, by its name, under a line of titles."""
    titles = "".join(f"{title:>{COLUMN_WIDTH}}" for title in VIDEO_COLUMNS.values())
    lines = [f"{'':{NAME_WIDTH}}{titles}"]
    for name, figures in rows.items():
        cells = "".join(f"{_cell(figures.get(key)):>{COLUMN_WIDTH}}" for key in VIDEO_COLUMNS)
        lines.append(f"{_short(name):{NAME_WIDTH}}{cells}")
    return lines


def section_lines(title: str, figures: Mapping[str, object]) -> list[str]:
    """A section's own figures, without its long lists."""
    plain = {name: value for name, value in figures.items() if name not in LISTS and not isinstance(value, Sequence)}
    named = {name: value for name, value in figures.items() if isinstance(value, str)}
    rows = [f"  {name:{NAME_WIDTH}}{_cell(value):>{COLUMN_WIDTH}}" for name, value in (named | plain).items()]
    return [title, *rows]


def vbench_lines(run: VbenchRun, scores: VbenchScores) -> list[str]:
    """Dimensions, scores in percent as published, and what is missing."""
    rows = [
        f"  {name:{NAME_WIDTH}}{100.0 * run.raw[name]:>{COLUMN_WIDTH}.2f}" for name in DIMENSIONS if name in run.raw
    ]
    totals = {"Quality": scores.quality, "Semantic": scores.semantic, "Total": scores.total}
    rows += [f"  {name:{NAME_WIDTH}}{100.0 * value:>{COLUMN_WIDTH}.2f}" for name, value in totals.items()]
    if scores.missing:
        rows.append(
            f"  {len(scores.missing)} of {len(DIMENSIONS)} dimensions are missing and count as 0, as in the published "
            f"program; compare these scores with none: {', '.join(scores.missing)}"
        )
    return ["VBench, in percent", *rows]


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _short(name: str) -> str:
    return name if len(name) < NAME_WIDTH else f"{name[: NAME_WIDTH - 5]}... "
