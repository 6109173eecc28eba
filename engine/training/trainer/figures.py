"""Figures of a run: lines of JSON always, TensorBoard where it is installed. Only the first process writes."""

from __future__ import annotations

import importlib.util
import json
import math
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from engine.training.objective import MicroLoss

LOG = "figures.jsonl"


class FigureLog:
    """The log of one run. After a restart at `step` it holds what an uninterrupted run would have written."""

    def __init__(self, folder: Path, step: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / LOG
        if self._path.exists():  # steps that were trained and lost are trained again
            lines = self._path.read_text("utf-8").splitlines(keepends=True)
            kept = "".join(line for line in lines if line.endswith("\n") and json.loads(line)["step"] <= step)
            self._path.write_text(kept, "utf-8")
        self._board = _board(folder, step)

    def write(self, step: int, figures: Mapping[str, float]) -> None:
        """Append the figures of a step."""
        with self._path.open("a", encoding="utf-8") as log:
            log.write(json.dumps({"step": step, "at": time.strftime("%H:%M:%S")} | dict(figures)) + "\n")
        if self._board is not None:
            for name, value in figures.items():
                self._board.add_scalar(name.replace(".", "/"), value, step)

    def close(self) -> None:
        """Flush what TensorBoard has not written."""
        if self._board is not None:
            self._board.close()


def _board(folder: Path, step: int):
    if importlib.util.find_spec("tensorboard") is None:
        return None
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1)


def read_figures(folder: Path) -> list[dict[str, float]]:
    """The lines of a run's log."""
    return [json.loads(line) for line in (folder / LOG).read_text("utf-8").splitlines()]


def summary(losses: Iterable[MicroLoss]) -> list[tuple[float, float, float, dict[str, float]]]:
    """Micro losses as plain data, to be exchanged: total, weight, squared weights, figures."""
    return [
        (
            float(loss.total.detach()),
            float(loss.weight),
            math.nan if loss.weight_squares is None else float(loss.weight_squares),
            dict(loss.figures),
        )
        for loss in losses
    ]


def merge(parts: Iterable[tuple[float, float, float, dict[str, float]]]) -> tuple[float, dict[str, float]]:
    """The weight of a whole batch and its figures: the weighted loss, the effective sample size, means of the rest."""
    rows = list(parts)
    weight = sum(row[1] for row in rows)
    squares = sum(row[2] for row in rows)
    figures = {"loss": sum(row[0] for row in rows) / weight if weight else math.nan}
    if not math.isnan(squares):
        figures["effective_samples"] = weight * weight / squares if squares else 0.0
    for name in sorted({name for row in rows for name in row[3]}):
        values = [row[3][name] for row in rows if name in row[3]]
        figures[name] = sum(values) / len(values)
    return weight, figures
