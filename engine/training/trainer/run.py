"""One stage from its settings to its exported weights, in every process of the run."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import torch

from engine.training.objective import Objective
from engine.training.stage import Stage
from engine.training.stage_config import StageConfig
from engine.training.trainer.export import export_weights
from engine.training.trainer.limit import Limit
from engine.training.trainer.loop import Trainer
from engine.training.trainer.panel import read_prompts
from engine.training.trainer.settings import TrainerSettings
from engine.training.trainer.world import World, open_world

SETTINGS = "settings.json"
GOES_ON = "the same command goes on"  # ends the sentence of a stage that is not done
EXPORT_TYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16, "float32": torch.float32}


def train_stage(stage: Stage, config: StageConfig, folder: Path, minutes: float = 0.0) -> str:
    """Train in `folder` until the last step or for so many minutes, and export; return a sentence on how it ended.

    Raises ValueError or OSError with a sentence. Every process calls it; the first one writes.
    """
    limit = Limit(minutes)
    prompts = read_prompts(Path(config.trainer.panel_prompts)) if config.trainer.panel_prompts else ()
    with limit.on_signals(), opened(stage, config, folder) as (objective, trainer, world):
        is_resumed = trainer.resume()
        if world.is_first:
            _note_settings(config, folder, is_resumed)
        reason = trainer.train(limit, prompts)
        trainer.paint(prompts)
        _export(stage, objective, trainer, folder, world)
        return _ending(reason, trainer, folder)


def export_stage(stage: Stage, config: StageConfig, folder: Path, which: str) -> str:
    """Write the weights of a checkpoint: its step, "newest" or "best". Raises ValueError with a sentence."""
    with opened(stage, config, folder) as (objective, trainer, world):
        if not trainer.resume():
            raise ValueError(f"{folder}: holds no checkpoint")
        if which == "best":
            if trainer.state.best_step < 0:
                raise ValueError(f"{folder}: no figure is followed; name one with best in [trainer]")
            trainer.resume(trainer.state.best_step)
        elif which != "newest":
            if not which.isdigit():
                raise ValueError(f"--export {which}: must be a step, newest or best")
            trainer.resume(int(which))
        _export(stage, objective, trainer, folder, world)
        return f"{folder}: exported step {trainer.state.step}"


@contextlib.contextmanager
def opened(stage: Stage, config: StageConfig, folder: Path) -> Iterator[tuple[Objective, Trainer, World]]:
    """Objective and trainer of a stage in this process's place among the others; once per process."""
    settings = config.trainer
    if settings.threads:
        torch.set_num_threads(settings.threads)
    with open_world(settings.device, settings.shard) as world:
        objective = stage.build(config.settings, folder.parent)
        yield objective, Trainer(objective, settings, config.optimisers, folder, world), world


def _export(stage: Stage, objective: Objective, trainer: Trainer, folder: Path, world: World) -> None:
    weights = {name: part.whole_weights() for name, part in trainer.parts.items()}
    if not world.is_first:
        return
    if stage.export is not None:
        stage.export(objective, weights, folder)
        return
    dtype = EXPORT_TYPES[trainer.settings.export]
    for name, module in objective.trained.items():
        export_weights(module, weights[name], folder / f"{name}.safetensors", dtype)


def _note_settings(config: StageConfig, folder: Path, is_resumed: bool) -> None:
    """Keep the settings as used; where a resumed run has others than before, keep those under another name."""
    path = folder / SETTINGS
    text = json.dumps(config.as_table(), indent=2) + "\n"
    if is_resumed and path.exists() and path.read_text("utf-8") != text:
        number = len(list(folder.glob("settings.before*.json"))) + 1
        path.rename(folder / f"settings.before{number}.json")
    path.write_text(text, "utf-8")


def _ending(reason: str, trainer: Trainer, folder: Path) -> str:
    settings: TrainerSettings = trainer.settings
    state = dataclasses.replace(trainer.state)
    skipped = f", {state.skipped} of them skipped" if state.skipped else ""
    done = f"{folder}: {state.step} of {settings.steps} steps{skipped}"
    if state.ending:
        return f"{done}; ended: {state.ending}"
    return f"{done}; stopped because {reason}; {GOES_ON}" if reason else f"{done}; done"
