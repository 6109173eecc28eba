"""Two results side by side: every figure both have, as a ratio. Imports no torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.benchmark.report import Figures, look_up

# what is compared: label, where it is, and whether more of it is better
COMPARED = (
    ("fps", ("fps",), True),
    ("transformer fps", ("transformer", "fps"), True),
    ("chunk p50 ms", ("chunk_ms", "p50"), False),
    ("chunk p99 ms", ("chunk_ms", "p99"), False),
    ("first frame ms", ("first_frame", "cached_prompt_ms", "p50"), False),
    ("cold start s", ("cold", "first_frames_s"), False),
    ("memory bytes", ("memory", "allocated_bytes"), False),
)
SWITCH_FIGURES = ("p50_ms", "p99_ms")
SPREAD_FIGURES = {"fps", "chunk p50 ms"}  # those of which every round has its own


@dataclass(frozen=True)
class Row:
    """One figure of both results."""

    name: str  # "ours.exact fps"
    before: float
    after: float
    more_is_better: bool
    is_noise: bool  # the rounds of either result lie further apart than the two results

    @property
    def ratio(self) -> float:
        """After over before."""
        return self.after / self.before if self.before else float("nan")

    @property
    def loss(self) -> float:
        """How much worse after is, as a share; negative = better, 0 within the noise."""
        if self.is_noise:
            return 0.0
        return 1.0 - self.ratio if self.more_is_better else self.ratio - 1.0


def read_result(path: Path) -> Figures:
    """A result file. Raises ValueError with a sentence, or OSError."""
    try:
        result = json.loads(path.read_text())
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is no JSON: {error}") from None
    if not isinstance(result, dict) or not {"ours", "upstream", "gpu"} <= result.keys():
        raise ValueError(f"{path} is no result of `vj bench`: it lacks ours, upstream or gpu")
    return result


def compare(before: Figures, after: Figures) -> list[Row]:
    """Every figure that both results have."""
    rows = []
    for group in ("ours", "upstream"):
        old, new = before[group], after[group]
        assert isinstance(old, Mapping) and isinstance(new, Mapping)
        for name in old.keys() & new.keys():
            rows += _rows(f"{group}.{name}", old[name], new[name])
    return sorted(rows, key=lambda row: row.name)


def comparison_lines(before: Figures, after: Figures, rows: list[Row]) -> list[str]:
    """The rows as a table."""
    told = []
    if before["gpu"] != after["gpu"]:
        told.append(f"NOT THE SAME GPU: {before['gpu']} and {after['gpu']}")
    told.append(f"{'':44}{str(before['commit']):>14}{str(after['commit']):>14}{'ratio':>9}")
    for row in rows:
        word = "within the noise" if row.is_noise else "better" if row.loss < 0 else "worse" if row.loss > 0 else ""
        told.append(f"{row.name:44}{row.before:>14.5g}{row.after:>14.5g}{row.ratio:>9.3f}  {word}")
    return told


def _rows(name: str, old: Figures, new: Figures) -> list[Row]:
    paths = list(COMPARED)
    switches = old.get("prompt_switch", {})
    assert isinstance(switches, Mapping)
    for pace in switches:
        paths += [(f"switch {pace} {figure}", ("prompt_switch", pace, figure), False) for figure in SWITCH_FIGURES]
    rows = []
    for label, path, more_is_better in paths:
        values = look_up(old, path), look_up(new, path)
        if values[0] is None or values[1] is None:
            continue
        is_noise = label in SPREAD_FIGURES and abs(values[1] / values[0] - 1.0) <= max(_unrest(old), _unrest(new))
        rows.append(Row(f"{name} {label}", values[0], values[1], more_is_better, is_noise))
    return rows


def _unrest(figures: Figures) -> float:
    """How far the rounds of one result lie apart, as a share."""
    rounds = figures.get("rounds_fps")
    if not isinstance(rounds, list) or len(rounds) < 2:
        return 0.0
    return max(rounds) / min(rounds) - 1.0
