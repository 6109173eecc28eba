"""Stage `compare`: several transformers of one run asked for the same captions with the same noise, side by side."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from engine.chunk_source import SourceChoice
from engine.evaluation.classifier import read_classifier
from engine.evaluation.model_report import Extent, Judges, ModelReport
from engine.evaluation.reward_scores import load_rewards, missing_rewards
from engine.evaluation.streams import Streams
from engine.frame_size import parse_size
from engine.progress import Progress
from engine.training.run_model import RunModelSettings, write_run_model
from engine.training.stage import Job

WEIGHTS = "generator.safetensors"


@dataclass(frozen=True)
class CompareSettings:
    """Stage `compare`. Variants are folders of stages in the run's; each becomes VARIANT.toml, a model that plays."""

    variants: tuple[str, ...] = ("causal", "redmd")
    base: str = "ember"  # a preset's name
    to: str = "compare"  # .json in the run's folder
    rewards: tuple[str, ...] = ("looks", "motion")
    captions: int = 28  # held-out ones, a stream each
    seconds: float = 4.0
    size: str = "160x96"
    threads: int = 1

    def __post_init__(self) -> None:
        parse_size(self.size)
        if not self.variants or self.captions < 1 or self.threads < 1 or self.seconds < 0.5:
            raise ValueError("variants, captions and threads must be at least 1, seconds at least 0.5")


def missing(settings: CompareSettings, folder: Path) -> list[str]:
    """What is not there, as sentences."""
    problems = missing_rewards(settings.rewards, folder)
    for name in settings.variants:
        if not (folder / name / WEIGHTS).is_file():
            problems.append(f"variants: {folder / name / WEIGHTS}: there is no such file; an earlier stage writes it")
    return problems


def compare(settings: CompareSettings, folder: Path) -> None:
    """Write OUT/TO.json, a row of means per variant; what is there already is not made again."""
    path = folder / f"{settings.to}.json"
    table = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    for name in settings.variants:
        if name in table:
            continue
        table[name] = _measured(settings, folder, name)
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(table, indent=1) + "\n", "utf-8")
        partial.replace(path)


def _measured(settings: CompareSettings, folder: Path, name: str) -> dict[str, object]:
    write_run_model(RunModelSettings(settings.base, file=f"{name}.toml", transformer=f"{name}/{WEIGHTS}"), folder)
    model = str(folder / f"{name}.toml")
    choice = SourceChoice(model, parse_size(settings.size), threads=settings.threads, is_reproducible=True)
    try:
        classifier = read_classifier()
    except ValueError as error:
        classifier = None
        sys.stderr.write(f"what pictures show is not judged: {error}\n")
    judges = Judges(classifier, load_rewards(settings.rewards, folder))
    extent = Extent(seconds=settings.seconds, captions=settings.captions)
    streams = Streams(choice, lambda sentence: None)
    try:
        with Progress(
            name, ModelReport(streams, judges, extent, lambda frames: None).frames_of("captions")
        ) as progress:
            found = ModelReport(streams, judges, extent, progress.advance).captions()
    finally:
        streams.close()
    means = found.pop("means")
    found.pop("prompts")
    return found | (means if isinstance(means, dict) else {})


STAGE = Job(CompareSettings, compare, missing)
