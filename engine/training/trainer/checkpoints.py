"""Checkpoints of a run in many processes: written beside the training, whole or not there at all.

A checkpoint is a folder `step-000050`. It is written as `saving-000050`, its metadata last, and renamed then: whatever
ends the run, the newest folder of that name can be read, by any number of processes.
"""

from __future__ import annotations

import json
import shutil
import sys
import threading
import warnings
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from torch.distributed import checkpoint as dcp
from torch.distributed.checkpoint.api import CheckpointException

from engine.training.trainer.world import World

NAME, PARTIAL = "step-", "saving-"
METADATA = ".metadata"  # written by torch after every process's file
NOTE = "run.json"


class Checkpoints:
    """The checkpoints of one run. Every process holds one and calls together; the folder is seen by all."""

    def __init__(self, folder: Path, world: World, keep: int) -> None:
        self._folder, self._world, self._keep = folder, world, keep
        self._saving: Future | None = None
        self._saving_step = -1
        self._is_published = threading.Event()
        self.best_step: int | None = None
        # said of every checkpoint of a run in one process
        warnings.filterwarnings("ignore", "torch.distributed is disabled", UserWarning)
        if world.is_first:
            folder.mkdir(parents=True, exist_ok=True)
            for torn in folder.glob(f"{PARTIAL}*"):
                shutil.rmtree(torn)

    def steps(self) -> list[int]:
        """Steps of the whole checkpoints, ascending, as the first process sees them."""
        return self._world.from_first(self._whole_steps() if self._world.is_first else None)

    def save(self, state: dict[str, Any], step: int, note: dict[str, Any]) -> None:
        """Copy `state` and write it from a thread; `note` is written beside it as JSON, for people."""
        self.wait()
        partial = self._folder / f"{PARTIAL}{step:06d}"
        if self._world.is_first:
            shutil.rmtree(partial, ignore_errors=True)
        self._world.gather(None)  # nobody writes before the folder is clean
        self._saving_step = step
        self._is_published.clear()
        alone = self._world.mesh is None
        response = dcp.async_save(state, checkpoint_id=partial, process_group=self._world.saving_group, no_dist=alone)
        self._saving = response if isinstance(response, Future) else response.upload_completion
        if self._world.is_first:
            self._saving.add_done_callback(lambda done: self._publish(done, partial, step, note))

    def wait(self) -> bool:
        """Wait for the checkpoint being written; say whether it is whole. A failed one is told, not raised."""
        if self._saving is None:
            return True
        try:
            self._saving.result()
            problem = ""
        except (OSError, RuntimeError, CheckpointException) as error:
            problem = (str(error).strip().splitlines() or [type(error).__name__])[-1]
        if self._world.is_first:
            self._is_published.wait()  # a result is there before its callbacks have run
        self._saving = None
        problems = [text for text in self._world.gather(problem) if text]
        step = self._saving_step
        is_whole = not problems and self._world.from_first((self._folder / f"{NAME}{step:06d}").is_dir())
        if not is_whole and self._world.is_first:
            reason = problems[0] if problems else "it could not be renamed"
            sys.stderr.write(f"{self._folder}: step {step} was NOT saved: {reason}; the training goes on\n")
        return is_whole

    def load(self, state: dict[str, Any], step: int) -> None:
        """Read a checkpoint into the tensors of `state`, whatever number of processes wrote it.

        Raises ValueError with a sentence where it holds another model.
        """
        folder = self._folder / f"{NAME}{step:06d}"
        try:
            group, alone = self._world.figures_group, self._world.mesh is None
            dcp.load(state, checkpoint_id=folder, process_group=group, no_dist=alone)
        except (OSError, RuntimeError, ValueError, CheckpointException) as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[-1]
            raise ValueError(
                f"{folder}: cannot be resumed ({reason}); was it made with other settings? "
                "Take another --name, or delete the folder to begin anew"
            ) from error

    def _publish(self, done: Future, partial: Path, step: int, note: dict[str, Any]) -> None:
        """First process, in the writing thread or, where that was quick, in the caller's."""
        try:
            if done.exception() is None:
                self._rename(partial, step, note)
        finally:
            self._is_published.set()

    def _rename(self, partial: Path, step: int, note: dict[str, Any]) -> None:
        (partial / NOTE).write_text(json.dumps(note, indent=2) + "\n", "utf-8")
        final = self._folder / f"{NAME}{step:06d}"
        shutil.rmtree(final, ignore_errors=True)
        partial.rename(final)
        kept = {*self._whole_steps()[-self._keep :], self.best_step}
        for old in self._whole_steps():
            if old not in kept:
                shutil.rmtree(self._folder / f"{NAME}{old:06d}", ignore_errors=True)

    def _whole_steps(self) -> list[int]:
        folders = [path for path in self._folder.glob(f"{NAME}*") if (path / METADATA).is_file()]
        return sorted(int(path.name.removeprefix(NAME)) for path in folders)
