"""`vj train STAGE` and `python -m engine train STAGE`: one stage, alone or in each process of `torchrun`.

Exit codes: 0 done, or stopped at a checkpoint; 1 failed; 2 wrong use.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from engine.reward_forcing.config_file import SUFFIXES
from engine.training.config import SettingsError
from engine.training.published_settings import read_published_settings
from engine.training.recipe import Line, follow, read_recipe
from engine.training.stage import Job, Stage
from engine.training.stage_config import StageConfig, make_config, read_table
from engine.training.stages import STAGES, load_stage
from engine.training.trainer.world import mesh_shape, world_size

DEFAULT_CONFIGS = Path(__file__).parent / "configs"
RECIPE = "recipe"
RECIPES = Path(__file__).parent / "recipes"
DEFAULT_RECIPE = RECIPES / "ember.toml"
EPILOG = """\
Stages: {stages}

  {recipe:17} all stages of a model in order, from a file of them; given again it goes on

A stage resumes from the newest checkpoint in OUT/NAME, with any number of processes. Many processes:
  torchrun --nproc-per-node=gpu -m engine train redmd --config FILE --out runs/wan
docs/training.md has the stages' order, the files, the memory they need and the commands for several machines."""


def _parser() -> argparse.ArgumentParser:
    stages = "".join(f"\n  {name:17} {place.help}" for name, place in STAGES.items())
    parser = argparse.ArgumentParser(
        prog="vj train",
        description="Train ember or a model like it, stage by stage.",
        epilog=EPILOG.format(stages=stages, recipe=RECIPE),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("stage", metavar="STAGE", choices=[*STAGES, RECIPE], help="what to train or make; listed below")
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="settings, TOML (default: engine/training/configs/STAGE.toml); stage redmd also reads a Reward Forcing "
        "configuration, YAML",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="over the file, for example trainer.steps=10; may be repeated",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("runs/ember"),
        help="folder of the model, with a folder per stage in it (default: runs/ember)",
    )
    parser.add_argument("--name", default="", help="of this stage's folder (default: the stage's)")
    parser.add_argument(
        "--minutes", type=float, default=0.0, help="stop at a checkpoint after so long; the same command goes on"
    )
    parser.add_argument(
        "--export", default="", metavar="STEP", help="only write the weights of a checkpoint: a step, newest or best"
    )
    parser.add_argument("--check", action="store_true", help="only check settings and files")
    return parser


def _config(name: str, stage: Stage | Job, path: Path, overrides: tuple[str, ...]) -> StageConfig:
    if path.suffix.lower() not in SUFFIXES:
        return make_config(name, stage, read_table(path, overrides), str(path))
    config, notes = read_published_settings(name, path)
    for note in notes:
        _say(note)
    return config


def _check(stage: Stage | Job, config: StageConfig, options: argparse.Namespace) -> None:
    """Raise SettingsError for what can be seen to fail before anything is computed."""
    problems = stage.missing(config.settings, options.out)
    if isinstance(stage, Job) and (options.minutes or options.export):
        problems.append(f"--minutes and --export: stage {options.stage} has none; its settings and `--set` tell it")
    if isinstance(stage, Stage):
        size = world_size()
        try:
            mesh_shape(size, int(os.environ.get("LOCAL_WORLD_SIZE", size)), config.trainer.shard)
        except ValueError as fault:
            problems.append(str(fault))
    if problems:
        raise SettingsError("\n".join(problems))


def _say(text: object) -> None:
    if os.environ.get("RANK", "0") == "0":  # of many processes one speaks
        print(text, file=sys.stderr)


def main(arguments: list[str] | None = None) -> int:
    """Run one stage; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        if options.stage == RECIPE:
            return _run_recipe(options)
        stage = load_stage(options.stage)
        path = options.config or DEFAULT_CONFIGS / f"{options.stage}.toml"
        config = _config(options.stage, stage, path, tuple(options.set))
        _check(stage, config, options)
    except SettingsError as fault:
        _say(fault)
        return 2
    if options.check:
        _say(f"{path}: settings and files of stage {options.stage} are in order")
        return 0
    try:
        return _run(stage, config, options)
    except (OSError, ValueError) as fault:
        _say(f"{options.stage}: {fault}")
        return 1


def _run(stage: Stage | Job, config: StageConfig, options: argparse.Namespace) -> int:
    if options.export:
        from engine.training.trainer.run import export_stage

        _say(export_stage(stage, config, options.out / (options.name or options.stage), options.export))
        return 0
    said, _ = _train(stage, config, options.out, options.name or options.stage, options.minutes)
    if said:
        _say(said)
    return 0


def _train(stage: Stage | Job, config: StageConfig, out: Path, name: str, minutes: float) -> tuple[str, bool]:
    """Run a stage; return a sentence, empty for a job, and whether it is done."""
    if isinstance(stage, Job):
        stage.run(config.settings, out)
        return "", True
    from engine.training.trainer.run import GOES_ON, train_stage

    said = train_stage(stage, config, out / name, minutes)
    return said, not said.endswith(GOES_ON)


def _run_recipe(options: argparse.Namespace) -> int:
    """Run the lines of a recipe. Raises SettingsError for a line whose settings or files are not in order."""
    if options.set or options.name or options.export:
        raise SettingsError("--set, --name and --export belong to one stage: write them into the recipe's lines")
    path = options.config or DEFAULT_RECIPE
    lines = read_recipe(path, tuple(STAGES), options.out)
    configs = {}
    for line in lines:  # all of them first: a slip in the last line is not found after hours
        file = DEFAULT_CONFIGS / (line.config or f"{line.stage}.toml")
        configs[line.folder] = _config(line.stage, load_stage(line.stage), file, line.overrides)
    if options.check:
        _say(f"{path}: settings of {len(lines)} lines are in order")
        return 0

    def run_line(line: Line, minutes: float) -> tuple[str, bool]:
        stage, config = load_stage(line.stage), configs[line.folder]
        _say(f"recipe: {line.folder}")
        if problems := stage.missing(config.settings, options.out):
            raise SettingsError("\n".join(f"{line.folder}: {problem}" for problem in problems))
        return _train(stage, config, options.out, line.folder, minutes)

    _say(follow(lines, options.out, options.minutes, run_line))
    return 0
