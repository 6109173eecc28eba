"""Several processes make one chunk: the same latents as one alone makes, through cuts and other chunk sizes."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from tests.engine.parallel.streamed import stream
from tests.servers.instrument import ROOT
from tests.servers.process import start_tied

PROCESSES = 2
TOLERANCE = 1e-5


def test_two_processes_make_what_one_makes(tmp_path: Path) -> None:
    env = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    command = [sys.executable, "-m", "tests.engine.parallel.streamed", str(tmp_path / "latents")]
    logs = [tmp_path / f"{rank}.log" for rank in range(PROCESSES)]
    running = [start_tied([*command, str(rank), str(PROCESSES)], log, env, ROOT) for rank, log in enumerate(logs)]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    alone = stream(1)
    torch.set_num_threads(threads)
    assert [process.wait(60) for process in running] == [0] * PROCESSES, [log.read_text() for log in logs]
    for rank in range(PROCESSES):
        together = torch.load(tmp_path / f"latents.{rank}")
        assert (together - alone).abs().max() <= TOLERANCE * alone.abs().max()
