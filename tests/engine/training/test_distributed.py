"""Two processes train one model, sharded: short forms of tests/long/distributed_training.py."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from engine.training.trainer.figures import read_figures
from tests.engine.training import several
from tests.engine.training.toy_run import main


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """What the toy stage asks for is not left to other tests."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_two_processes_are_killed_in_a_save_and_one_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "toy"
    words = ("slow", "save_every_steps=1", "batch=2", "micro_batch=1", "panel_every_steps=0")
    started = several.start(folder, 50, 2, *words)
    deadline = time.monotonic() + 60.0
    # the first checkpoint is whole, the second is being written
    while not (several.saved_steps(folder) and any(several.torn(folder))):
        assert time.monotonic() < deadline, "no checkpoint was written"
        assert all(process.poll() is None for process in started)
        time.sleep(0.05)
    several.kill(started)
    whole = several.saved_steps(folder)[-1]
    torn = next(several.torn(folder))
    assert int(torn.name.removeprefix("saving-")) > whole

    assert main(folder, whole + 1, False, {"batch": 2, "micro_batch": 1})
    lines = read_figures(folder)
    assert [line["step"] for line in lines] == list(range(1, whole + 2))
    # the same batches are drawn by any number of processes
    alone = tmp_path / "alone"
    main(alone, whole + 1, False, {"batch": 2, "micro_batch": 1})
    assert lines[-1]["critic.loss"] == pytest.approx(read_figures(alone)[-1]["critic.loss"], rel=1e-3)
