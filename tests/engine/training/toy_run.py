"""`python -m tests.engine.training.toy_run FOLDER STEPS [slow]`: the toy stage in one process of several.

The first process prints the hash of every weight and average at the end. `slow` = a save takes seconds.
"""

from __future__ import annotations

import hashlib
import sys
import time
from pathlib import Path

from torch.distributed.checkpoint import FileSystemWriter

from engine.training.stage_config import make_config
from engine.training.trainer.limit import Limit
from engine.training.trainer.loop import Trainer
from engine.training.trainer.run import opened
from engine.training.trainer.sharding import whole_weights
from tests.engine.training.toy import TOY

SLOW_S = 1.5


def digest(trainer: Trainer) -> str:
    """A hash of all weights and averages. Every process must call it."""
    made = hashlib.sha256()
    for part in trainer.parts.values():
        for weights in (whole_weights(part.module), part.whole_weights()):
            for name in sorted(weights):
                made.update(weights[name].numpy().tobytes())
    return made.hexdigest()


def main(folder: Path, steps: int, is_slow: bool, changes: dict) -> str:
    """Train to `steps`, resuming; return the hash, "" on all processes but the first."""
    if is_slow:
        write = FileSystemWriter.write_data

        def slow_write(self, plan, planner):
            time.sleep(SLOW_S)
            return write(self, plan, planner)

        FileSystemWriter.write_data = slow_write
    config = make_config("toy", TOY, {"trainer": {"steps": steps} | changes}, "toy")
    limit = Limit()
    with limit.on_signals(), opened(TOY, config, folder) as (_, trainer, world):
        trainer.resume()
        reason = trainer.train(limit)
        made = digest(trainer)
        print(f"process {world.rank}: step {trainer.state.step} {reason}", flush=True)
        return made if world.is_first else ""


if __name__ == "__main__":
    words = dict(word.split("=") for word in sys.argv[3:] if "=" in word)
    changes = {key: int(value) if value.isdigit() else value for key, value in words.items()}
    if made := main(Path(sys.argv[1]), int(sys.argv[2]), "slow" in sys.argv, changes):
        print("digest", made, flush=True)
