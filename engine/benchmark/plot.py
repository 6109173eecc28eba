"""A result as a picture: frames per second of every configuration, and how its chunk times spread. Needs matplotlib."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from engine.benchmark.report import Figures

INSTALL = "a plot needs matplotlib: pip install 'vj[plot]'"
COLOURS = {"ours": "tab:blue", "upstream": "tab:gray"}


class PlotError(Exception):
    """The plot cannot be drawn; the message is a sentence."""


def draw(result: Figures, path: Path) -> None:
    """Write the plot as its ending says: .svg, .png or .pdf. Raises PlotError, or OSError."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise PlotError(INSTALL) from None
    figure = Figure(figsize=(10, 4.5), layout="constrained")  # no window system is touched
    speeds, times = figure.subplots(1, 2)
    rows = [
        (group, name, figures)
        for group in ("ours", "upstream")
        for name, figures in _configurations(result[group]).items()
    ]
    labels = [f"{group}.{name}" for group, name, _ in rows]
    bars = speeds.barh(labels, [told["fps"] for _, _, told in rows], color=[COLOURS[group] for group, _, _ in rows])
    speeds.bar_label(bars, fmt="%.1f", padding=3)
    speeds.invert_yaxis()
    speeds.margins(x=0.15)
    speeds.set_xlabel("frames per second, end to end")
    for (group, _, told), label in zip(rows, labels, strict=True):
        ordered = sorted(told["chunk_times_ms"])
        shares = [100 * (rank + 1) / len(ordered) for rank in range(len(ordered))]
        times.step(ordered, shares, where="post", label=label, linestyle="-" if group == "ours" else "--")
    times.set_xlabel("milliseconds per chunk")
    times.set_ylabel("% of the chunks take at most this")
    times.set_xlim(left=0)
    if rows:
        times.legend(fontsize="small")
    figure.suptitle(f"{result['gpu']}, {result['commit']}" + (", SMOKE" if result["smoke"] else ""))
    try:
        figure.savefig(path)
    except ValueError as error:  # an ending it cannot write
        raise PlotError(f"{path}: {error}") from None


def _configurations(found: object) -> dict[str, dict]:
    assert isinstance(found, Mapping)
    return dict(found)
