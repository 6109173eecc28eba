"""Training in several processes under `torchrun`: it learns, is stopped, resumed, killed and goes on with others.

Two gloo processes on the CPU, models of 0.1 M parameters; the code is that of many GPUs.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from engine.training.trainer.figures import read_figures
from tests.engine.training import several
from tests.servers.process import start_tied

STEPS = 24
KILLS = 6
BATCH = ("batch=4", "micro_batch=1", "panel_every_steps=0")


def run() -> dict[str, object]:
    """Train, stop, resume, kill; raises AssertionError where a promise is broken."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return {
            **_stop_and_resume(folder),
            **_other_numbers_of_processes(folder),
            **_copies_of_shards(folder),
            **_kills(folder),
            **_elastic_restart(folder),
        }


def _losses(folder: Path) -> list[float]:
    return [line["critic.loss"] for line in read_figures(folder)]


def _stop_and_resume(folder: Path) -> dict[str, object]:
    straight = several.train(folder / "straight", STEPS, 2, *BATCH)
    losses = _losses(folder / "straight")
    assert sum(losses[-4:]) < 0.7 * sum(losses[:4]), f"the loss does not fall: {losses}"
    several.train(folder / "halted", STEPS // 2, 2, *BATCH)
    shutil.copytree(folder / "halted", folder / "half")
    resumed = several.train(folder / "halted", STEPS, 2, *BATCH)
    assert resumed == straight, "a resumed run is not the same to the bit"

    stopped = folder / "stopped"
    started = several.start(stopped, STEPS, 2, *BATCH)
    _wait(lambda: several.saved_steps(stopped), started)
    for process in started:
        process.send_signal(signal.SIGTERM)
    assert several.finish(stopped, started), "SIGTERM does not end a run in order"
    step = several.saved_steps(stopped)[-1]
    assert several.train(stopped, STEPS, 2, *BATCH) == straight, "a run stopped by SIGTERM is not the same to the bit"
    return {"loss_first": losses[0], "loss_last": losses[-1], "resume_is_bit_identical": True, "sigterm_at_step": step}


def _other_numbers_of_processes(folder: Path) -> dict[str, object]:
    wanted = _losses(folder / "straight")
    figures = {}
    for processes in (1, 3):
        other = folder / f"on_{processes}"
        shutil.copytree(folder / "half", other)
        several.train(other, STEPS, processes, *BATCH)
        apart = max(abs(a / b - 1.0) for a, b in zip(_losses(other), wanted, strict=True))
        assert apart < 1e-2, f"2 -> {processes} processes: losses differ by {apart:.1e}"
        figures[f"two_to_{processes}_loss_apart"] = apart
    return figures


def _copies_of_shards(folder: Path) -> dict[str, object]:
    mesh = folder / "mesh"
    several.train(mesh, STEPS, 4, *BATCH, "shard=2")
    apart = max(abs(a / b - 1.0) for a, b in zip(_losses(mesh), _losses(folder / "straight"), strict=True))
    assert apart < 1e-2, f"2 copies of 2 shards: losses differ by {apart:.1e}"
    return {"two_by_two_mesh_loss_apart": apart}


def _kills(folder: Path) -> dict[str, object]:
    """Kill all processes at random moments of a run that saves at every step, slowly: most kills tear a save."""
    killed, dice = folder / "killed", random.Random(7)
    words = (*BATCH, "save_every_steps=1", "keep=3")
    torn = lost_most = 0
    for _ in range(KILLS):
        before = (several.saved_steps(killed) or [0])[-1]
        started = several.start(killed, STEPS, 2, *words, "slow")
        _wait(lambda before=before: (several.saved_steps(killed) or [0])[-1] > before, started)
        time.sleep(dice.uniform(0.0, 2.0))
        several.kill(started)
        torn += any(several.torn(killed))
        whole = several.saved_steps(killed)[-1]
        lost_most = max(lost_most, read_figures(killed)[-1]["step"] - whole)
    assert torn, "no kill fell into a save"
    # one step is being saved, one more is trained beside it
    assert lost_most <= 2, f"{lost_most} steps were lost"
    made = several.train(killed, STEPS, 2, *words)
    assert made == several.train(folder / "straight", STEPS, 2, *words), "a killed run is not the same to the bit"
    return {"kills": KILLS, "kills_in_a_save": torn, "steps_lost_most": lost_most}


def _elastic_restart(folder: Path) -> dict[str, object]:
    """`torchrun --max-restarts`: one of two processes dies, both are started again and go on."""
    out, log = folder / "elastic", folder / "elastic.log"
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "--max-restarts=2"]
    command += ["-m", "tests.engine.training.toy_run", str(out), str(STEPS), *BATCH]
    agent = start_tied(command, log, {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(several.ROOT)}, several.ROOT)
    try:
        _wait(lambda: several.saved_steps(out), [agent])
        os.kill(_children(agent.pid)[-1], signal.SIGKILL)
        code = agent.wait(180.0)
    finally:
        several.kill([agent])
    said = log.read_text()
    assert code == 0, f"torchrun ended with {code}:\n{said[-4000:]}"
    made = said.rsplit("digest ", 1)[1].split()[0]
    assert made == several.train(folder / "straight", STEPS, 2, *BATCH), "a restarted run is not the same to the bit"
    assert [line["step"] for line in read_figures(out)] == list(range(1, STEPS + 1))
    return {"restarted_by_torchrun": True}


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


def _wait(is_there, started: list) -> None:
    deadline = time.monotonic() + 120.0
    while not is_there():
        assert time.monotonic() < deadline, "nothing was saved in two minutes"
        assert all(process.poll() is None for process in started), "a process ended by itself"
        time.sleep(0.02)
