"""Stage `curves`: the figures of every stage of a run as one JSON, and as a plot (SVG) each. Knows no stage."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from statistics import fmean

from engine.training.recipe import NOTES
from engine.training.stage import Job
from engine.training.trainer.figures import LOG

Rows = list[dict[str, float]]
NO_FIGURES = ("step", "shard", "clips", "used_s", "skipped", "samples_per_s")  # counted, not learnt
PANEL_PX, PLOT_PX, GAP_PX, COLUMNS = (260, 150), (200, 96), 46, 4


@dataclass(frozen=True)
class CurvesSettings:
    """Stage `curves`."""

    to: str = "curves"  # folder, in the run's
    points: int = 120  # of each curve in the files; more steps than that are averaged

    def __post_init__(self) -> None:
        if self.points < 2:
            raise ValueError(f"points = {self.points} must be at least 2")


def read_run(folder: Path) -> dict[str, Rows]:
    """Figures of every stage that has run in a folder, a row per line of its log, by the stage's name."""
    logs = {path.parent.name: path for path in sorted(folder.glob(f"*/{LOG}"))}
    logs |= {path.stem: path for path in sorted(folder.glob("*.jsonl"))}
    stages = {name: _rows(path) for name, path in logs.items()}
    return {name: rows for name, rows in stages.items() if rows}


def _rows(path: Path) -> Rows:
    rows: Rows = []
    for line in path.read_text("utf-8").splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue  # torn by a kill
        figures = {name: value for name, value in row.items() if isinstance(value, int | float)}
        if "step" in figures:
            while rows and rows[-1]["step"] >= figures["step"]:
                rows.pop()  # trained, lost by a kill, and trained again
            rows.append(figures)
    return rows


def thinned(rows: Rows, points: int) -> Rows:
    """Average neighbouring rows so that at most `points` are left; the step is that of the last of each group."""
    size = math.ceil(len(rows) / points)
    groups = [rows[start : start + size] for start in range(0, len(rows), size)]
    return [_mean(group) for group in groups]


def _mean(rows: Rows) -> dict[str, float]:
    row: dict[str, float] = {"step": rows[-1]["step"]}
    for name in dict.fromkeys(name for one in rows for name in one):
        values = [one[name] for one in rows if name in one and math.isfinite(one[name])]
        if name != "step" and values:
            row[name] = float(f"{sum(values) / len(values):.5g}")
    return row


def draw(title: str, rows: Rows) -> str:
    """All curves of a stage over its steps as SVG, a panel each with its first, least, most and last value."""
    names = [name for name in dict.fromkeys(name for row in rows for name in row) if name not in NO_FIGURES]
    panels = {name: [(row["step"], row[name]) for row in rows if name in row] for name in names}
    return draw_panels(title, {name: points for name, points in panels.items() if len(points) > 1})


def draw_panels(title: str, panels: dict[str, list[tuple[float, float]]]) -> str:
    """Named curves of (step, value) as one SVG."""
    columns = min(COLUMNS, max(1, len(panels)))
    width, height = columns * PANEL_PX[0], 30 + math.ceil(len(panels) / columns) * PANEL_PX[1]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" '
        f'font-size="10"><rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text x="12" y="20" font-size="13">{escape(title)}</text>',
    ]
    for number, (name, points) in enumerate(panels.items()):
        x, y = number % columns * PANEL_PX[0], 30 + number // columns * PANEL_PX[1]
        parts.append(f'<g transform="translate({x + GAP_PX} {y + 20})">{_panel(name, points)}</g>')
    return "\n".join([*parts, "</svg>\n"])


def _panel(name: str, points: list[tuple[float, float]]) -> str:
    steps, values = zip(*points, strict=True)
    low, high, smooth = min(values), max(values), _smooth(values)
    across, up = PLOT_PX[0] / max(steps[-1] - steps[0], 1), PLOT_PX[1] / ((high - low) or 1.0)

    def line(heights: Sequence[float], look: str) -> str:
        places = zip(steps, heights, strict=True)
        drawn = " ".join(f"{(x - steps[0]) * across:.1f},{PLOT_PX[1] - (y - low) * up:.1f}" for x, y in places)
        return f'<polyline points="{drawn}" fill="none" {look}/>'

    right, bottom = PLOT_PX
    return (
        f'<text y="-6">{escape(name)}: {smooth[0]:.4g} to {smooth[-1]:.4g}</text>'
        f'<rect width="{right}" height="{bottom}" fill="none" stroke="#ccc"/>'
        + line(values, 'stroke="#9bd" stroke-width="0.8"')
        + line(smooth, 'stroke="#049" stroke-width="1.5"')
        + f'<text x="-4" y="8" text-anchor="end">{high:.3g}</text>'
        f'<text x="-4" y="{bottom}" text-anchor="end">{low:.3g}</text>'
        f'<text y="{bottom + 12}">{steps[0]:g}</text>'
        f'<text x="{right}" y="{bottom + 12}" text-anchor="end">{steps[-1]:g}</text>'
    )


def _smooth(values: Sequence[float]) -> list[float]:
    """Means over a tenth of the curve, around each of its points."""
    reach = len(values) // 20
    return [fmean(values[max(0, at - reach) : at + reach + 1]) for at in range(len(values))]


def main_curves(stages: dict[str, Rows]) -> dict[str, list[tuple[float, float]]]:
    """A loss of each stage, the generator's where it has one: what a plot of a whole run shows."""
    curves = {}
    for name, rows in stages.items():
        keys = dict.fromkeys(key for row in rows for key in row)
        losses = [key for key in keys if key == "loss" or key.endswith(".loss")]
        losses.sort(key=lambda key: key != "generator.loss")
        points = [(row["step"], row[losses[0]]) for row in rows if losses and losses[0] in row]
        if len(points) > 1:
            curves[f"{name}, {losses[0]}"] = points
    return curves


def write_curves(settings: CurvesSettings, folder: Path) -> None:
    """Write `figures.json`, STAGE.svg for each, and `run.svg` with all losses. Raises ValueError for an empty run."""
    stages = {name: thinned(rows, settings.points) for name, rows in read_run(folder).items()}
    if not stages:
        raise ValueError(f"{folder}: no stage has left figures here yet")
    target = folder / settings.to
    target.mkdir(parents=True, exist_ok=True)
    notes = folder / NOTES
    lines = json.loads(notes.read_text("utf-8")) if notes.is_file() else {}
    report = {"lines": lines, "stages": stages}
    (target / "figures.json").write_text(_compact(report), "utf-8")
    for name, rows in stages.items():
        (target / f"{name}.svg").write_text(draw(name, rows), "utf-8")
    (target / "run.svg").write_text(draw_panels("losses of every stage", main_curves(stages)), "utf-8")


def _compact(report: dict[str, dict]) -> str:
    """JSON with a row per line: short, and its changes can be read."""
    stages = []
    for name, rows in report["stages"].items():
        lines = ",\n".join(f"   {json.dumps(row)}" for row in rows)
        stages.append(f"  {json.dumps(name)}: [\n{lines}\n  ]")
    return f'{{\n "lines": {json.dumps(report["lines"])},\n "stages": {{\n' + ",\n".join(stages) + "\n }\n}\n"


STAGE = Job(CurvesSettings, write_curves)
