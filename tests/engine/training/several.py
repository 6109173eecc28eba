"""The toy stage in several processes on this machine, with what `torchrun` would set, and without its start-up time."""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.servers.process import start_tied

ROOT = Path(__file__).resolve().parents[3]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(folder: Path, steps: int, processes: int, *words: str) -> list[subprocess.Popen]:
    """Start `processes` that train together to `steps` in `folder`; further words as toy_run takes them."""
    together = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port()), "WORLD_SIZE": str(processes)}
    together |= {"LOCAL_WORLD_SIZE": str(processes), "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    started = []
    for rank in range(processes):
        env = (together if processes > 1 else {}) | {"RANK": str(rank), "LOCAL_RANK": str(rank)}
        command = [sys.executable, "-m", "tests.engine.training.toy_run", str(folder), str(steps), *words]
        started.append(start_tied(command, _log(folder, rank), env, ROOT))
    return started


def _log(folder: Path, rank: int) -> Path:
    return folder.parent / f"{folder.name}.{rank}.log"


def finish(folder: Path, started: list[subprocess.Popen], timeout_s: float = 120.0) -> str:
    """Wait for all of them; return the hash the first one printed."""
    try:
        codes = [process.wait(timeout_s) for process in started]
    finally:
        kill(started)
    said = "\n".join(_log(folder, rank).read_text() for rank in range(len(started)))
    assert codes == [0] * len(started), f"exit codes {codes}:\n{said[-4000:]}"
    return re.findall(r"^digest (\w+)$", said, re.MULTILINE)[-1]


def kill(started: list[subprocess.Popen]) -> None:
    """End them at once, as a machine that loses its power does."""
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait()


def train(folder: Path, steps: int, processes: int, *words: str) -> str:
    """Train to the end; return the hash of all weights and averages."""
    return finish(folder, start(folder, steps, processes, *words))


def saved_steps(folder: Path) -> list[int]:
    """Steps of the whole checkpoints, ascending."""
    return sorted(int(path.name.removeprefix("step-")) for path in (folder / "checkpoints").glob("step-*"))


def torn(folder: Path) -> Iterator[Path]:
    """Checkpoints that are being written, or never were finished."""
    return (folder / "checkpoints").glob("saving-*")
