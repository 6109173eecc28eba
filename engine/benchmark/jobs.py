"""One process's work: what it is to measure and for how long, as JSON both ways. Imports no torch."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

PARTS = ("transformer", "first-frame", "stages", "kernels", "switch")  # besides the speed, which always is measured
DEFAULT_PARTS = ("transformer", "first-frame", "stages", "kernels")


@dataclass(frozen=True)
class Job:
    """What one process measures. `model` is a model's name or preset file; `started_ns` is time.monotonic_ns()."""

    name: str  # under `ours` or `upstream` in the result
    model: str
    size: tuple[int, int]  # pixels; (0, 0) = the model's own
    chunks: int
    parts: tuple[str, ...] = ()
    accelerate: tuple[str, ...] = ()
    chunk_frames: int = 3
    device: str = "auto"
    dtype: str = "auto"
    threads: int = 0  # 0 = as many as torch takes
    memory_gb: float | None = None
    switches: int = 50  # of the prompt, per pace
    paces: tuple[tuple[int, float], ...] = ((3, 16.0), (3, 24.0), (1, 16.0))  # latent frames per chunk, frames/s
    most_warm_up_chunks: int = 60
    seed: int = 0
    started_ns: int = 0  # just before the process was started
    checkout: str = ""  # of the reference; empty = ours is measured
    weights: str = ""  # folder of the random weights, for the reference
    variant: str = ""
    is_smoke: bool = False

    @property
    def group(self) -> str:
        """Where its figures go in a result: "ours" or "upstream"."""
        return "upstream" if self.checkout else "ours"

    def write(self, path: Path) -> None:
        """Write it for the process."""
        path.write_text(json.dumps(dataclasses.asdict(self)))


def read_job(path: Path) -> Job:
    """The job another process wrote."""
    read = json.loads(path.read_text())
    lists = {name: tuple(read[name]) for name in ("size", "parts", "accelerate")}
    return Job(**{**read, **lists, "paces": tuple((int(frames), float(rate)) for frames, rate in read["paces"])})
