"""The folder of one training run: its log, and its checkpoint, which survives being killed at any moment.

Knows nothing of what is trained.
"""

import json
import time
from pathlib import Path

import torch


class RunFolder:
    """Log and checkpoint of one stage. One process at a time."""

    def __init__(self, folder: Path, stage: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._log = folder / f"{stage}.jsonl"
        self._checkpoint = folder / f"{stage}.checkpoint.pt"

    def report(self, **figures: float | int | str) -> None:
        """Append one line of figures to the log."""
        with self._log.open("a", encoding="utf-8") as log:
            log.write(json.dumps({"at": time.strftime("%H:%M:%S")} | figures) + "\n")

    def save(self, state: dict) -> None:
        """Write the checkpoint; the old one stays valid until the new one is whole."""
        partial = self._checkpoint.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(self._checkpoint)

    def load(self) -> dict | None:
        """Return the last checkpoint, None if there is none."""
        if not self._checkpoint.exists():
            return None
        return torch.load(self._checkpoint, weights_only=True)


class Stopwatch:
    """Progress of a run that may be resumed: the share of its minutes, or of its steps if those are given."""

    def __init__(self, minutes: float, steps: int = 0) -> None:
        self._total_s = minutes * 60.0
        self._total_steps = steps  # 0 = minutes decide
        self._start_s = time.monotonic()
        self.step = 0

    def resume(self, step: int, used_s: float) -> None:
        """Go on after `step` steps and `used_s` seconds."""
        self.step = step
        self._start_s = time.monotonic() - used_s

    @property
    def used_s(self) -> float:
        """Seconds of training so far, those before a restart included."""
        return time.monotonic() - self._start_s

    @property
    def progress(self) -> float:
        """Share of the run that is over, 0..1."""
        if self._total_steps:
            return min(1.0, self.step / self._total_steps)
        return min(1.0, self.used_s / self._total_s) if self._total_s > 0 else 1.0


def rate_factor(progress: float, hold: float, floor: float = 0.02, warm_up: float = 0.01) -> float:
    """Return the learning rate's share of its peak: short warm-up, level until `hold`, then linear to `floor`."""
    if progress < warm_up:
        return 0.1 + 0.9 * progress / warm_up
    if progress <= hold:
        return 1.0
    return 1.0 - (1.0 - floor) * (progress - hold) / (1.0 - hold)
