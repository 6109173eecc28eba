"""The loop: parts stepped, figures kept, checkpoints written and resumed from, the panel painted, the run ended."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from engine.progress import Progress
from engine.training.objective import Draw, Judge, MicroLoss, Objective, Painter, Remembering
from engine.training.trainer.checkpoints import Checkpoints
from engine.training.trainer.figures import FigureLog
from engine.training.trainer.limit import Limit
from engine.training.trainer.panel import sheet, write_png
from engine.training.trainer.part import Part
from engine.training.trainer.settings import OptimiserSettings, TrainerSettings
from engine.training.trainer.sharding import place
from engine.training.trainer.world import World


class TrainingError(ValueError):
    """A run that cannot go on, in one sentence."""


@dataclass
class RunState:
    """What a checkpoint holds besides weights: the same on every process."""

    step: int = 0  # steps taken
    used_s: float = 0.0  # before this invocation
    skipped: int = 0  # steps without a finite gradient
    skips_in_a_row: int = 0
    best: float | None = None  # highest is best
    best_step: int = -1
    ending: str = ""  # the verdict that ended the run, if one did


class Trainer:
    """Trains one objective in one folder. Every process makes one and calls together."""

    def __init__(
        self,
        objective: Objective,
        settings: TrainerSettings,
        optimisers: Mapping[str, OptimiserSettings],
        folder: Path,
        world: World,
    ) -> None:
        self._objective, self.settings, self._folder, self._world = objective, settings, folder, world
        for module in objective.frozen.values():
            place(module, world, settings, is_trained=False)
        for module in objective.trained.values():
            place(module, world, settings, is_trained=True)
        self.parts = {
            name: Part(name, module, settings, optimisers.get(name, OptimiserSettings()), world)
            for name, module in objective.trained.items()
        }
        self._checkpoints = Checkpoints(folder / "checkpoints", world, settings.keep)
        self.state = RunState()
        self._saved_step = -1
        self._best_sum, self._best_count = 0.0, 0

    def resume(self, step: int | None = None) -> bool:
        """Go on from a checkpoint (None = the newest); False where there is none."""
        steps = self._checkpoints.steps()
        if not steps and step is None:
            return False
        if step is not None and step not in steps:
            raise TrainingError(f"{self._folder}: has no checkpoint of step {step}; there are {steps or 'none'}")
        chosen = steps[-1] if step is None else step
        state = self._everything()
        self._checkpoints.load(state, chosen)
        for name, part in self.parts.items():
            part.restore(state["parts"][name])
        if isinstance(self._objective, Remembering):
            self._objective.load_state_dict(state["objective"])
        self.state = RunState(**state["run"])
        self._saved_step = chosen
        self._checkpoints.best_step = self.state.best_step
        return True

    def train(self, limit: Limit, prompts: tuple[str, ...] = ()) -> str:
        """Train until the last step, a verdict or the limit; return why it ended ("" = the last step is done).

        The last step taken is in a checkpoint then. Raises TrainingError where no gradient is finite any more.
        """
        began_s, before_s = time.monotonic(), self.state.used_s
        log = FigureLog(self._folder, self.state.step) if self._world.is_first else None
        reason = self.state.ending
        with self._progress() as progress, contextlib.ExitStack() as stack:
            if log is not None:
                stack.callback(log.close)
            while not reason and self.state.step < self.settings.steps:
                step_began_s = time.monotonic()
                figures = self._step()
                if isinstance(self._objective, Judge):
                    reason = self.state.ending = self._objective.verdict(self.state.step, figures) or ""
                figures["samples_per_s"] = self.settings.batch / (time.monotonic() - step_began_s)
                self.state.used_s = before_s + time.monotonic() - began_s
                if log is not None and self.state.step % self.settings.report_every_steps == 0:
                    log.write(self.state.step, figures)
                if progress is not None:
                    progress.advance(1, _note(figures))
                reason = reason or next((r for r in self._world.gather(limit.reason()) if r), "")
                if reason or self.state.step % self.settings.save_every_steps == 0:
                    self.save()
                if self._is_due(self.settings.panel_every_steps):
                    self.paint(prompts)
        self.save()
        self._checkpoints.wait()
        return reason

    def save(self) -> None:
        """Begin to write a checkpoint of the last step taken, unless there is one."""
        if self._saved_step == self.state.step:
            return
        if self._best_count:
            mean = self._best_sum / self._best_count
            self._best_sum, self._best_count = 0.0, 0
            if self.state.best is None or mean > self.state.best:
                self.state.best, self.state.best_step = mean, self.state.step
                self._checkpoints.best_step = self.state.step
        self._saved_step = self.state.step
        self._checkpoints.save(self._everything(), self.state.step, dataclasses.asdict(self.state))

    def wait(self) -> bool:
        """Wait for the checkpoint being written; say whether it is whole."""
        return self._checkpoints.wait()

    @contextlib.contextmanager
    def averaged(self):
        """Every part holds its averaged weights meanwhile."""
        with contextlib.ExitStack() as stack:
            for part in self.parts.values():
                stack.enter_context(part.averaged())
            yield

    def paint(self, prompts: tuple[str, ...]) -> None:
        """Paint the panel with the averaged weights into the run's folder."""
        if not isinstance(self._objective, Painter):
            return
        with torch.no_grad(), self.averaged():
            clips = self._objective.paint(prompts, self.settings.seed)
        if self._world.is_first:
            write_png(sheet(clips), self._folder / "panel" / f"{self.state.step:06d}.png")

    def _step(self) -> dict[str, float]:
        step, figures, is_finite = self.state.step, {}, True
        for name in self._objective.parts(step):
            for part in self.parts.values():
                part.zero_grad()

            def micro_loss(turn: int, micro: int, name: str = name) -> MicroLoss:
                draw = Draw(self.settings.seed, step, name, turn, micro, self.settings.micro_batch)
                return self._objective.loss(name, step, draw)

            was_stepped, own = self.parts[name].step(step, micro_loss)
            is_finite &= was_stepped
            figures |= own
        self.state.step += 1
        self._count_skip(is_finite)
        figures["skipped"] = self.state.skipped
        best = figures.get(self.settings.best.removeprefix("-"))
        if best is not None and is_finite:
            self._best_sum += -best if self.settings.best.startswith("-") else best
            self._best_count += 1
        return figures

    def _count_skip(self, is_finite: bool) -> None:
        if is_finite:
            self.state.skips_in_a_row = 0
            return
        self.state.skipped += 1
        self.state.skips_in_a_row += 1
        if self.state.skips_in_a_row > self.settings.skips_in_a_row:
            self._checkpoints.wait()
            raise TrainingError(
                f"step {self.state.step}: no finite gradient for {self.state.skips_in_a_row} steps in a row; the "
                "newest checkpoint stands; lower the rate, or look at the figures for what left its range"
            )

    def _everything(self) -> dict:
        state: dict = {"parts": {name: part.state() for name, part in self.parts.items()}}
        state["run"] = dataclasses.asdict(self.state)
        if isinstance(self._objective, Remembering):
            state["objective"] = self._objective.state_dict()
        return state

    def _progress(self) -> contextlib.AbstractContextManager[Progress | None]:
        if not self._world.is_first:
            return contextlib.nullcontext()
        return Progress(self._folder.name, self.settings.steps, "step", self.state.step)

    def _is_due(self, every_steps: int) -> bool:
        return every_steps > 0 and self.state.step % every_steps == 0


def _note(figures: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in figures.items() if name.endswith(".loss"))
