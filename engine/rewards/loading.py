"""Rewards by name: `motion`, `hps`, `videoreward:MQ`; and what each is and needs, without loading its weights."""

from __future__ import annotations

import importlib
from pathlib import Path

from engine.preset_table import did_you_mean
from engine.rewards.contrast import FILE, Contrast, read_contrast
from engine.rewards.protocol import RewardError, RewardKind, RewardModel, split_name
from engine.rewards.published import missing_files

FORMULAS = ("motion", "looks")
PUBLISHED = ("hps", "pickscore", "imagereward", "mps", "aesthetic", "videoreward")
CONTRAST = Contrast.name
NAMES = (*FORMULAS, CONTRAST, *PUBLISHED)
EMBER_FOLDER = Path(__file__).parents[1] / "ember"


def reward_class(written: str) -> type[RewardModel]:
    """Class of `NAME` or `NAME:DIMENSION`; loads nothing. Raises RewardError for an unknown name or dimension."""
    name, dimension = split_name(written)
    if name not in NAMES:
        raise RewardError(f"reward {name!r} is unknown{did_you_mean(name, NAMES)} (known: {', '.join(NAMES)})")
    model = Contrast if name == CONTRAST else _kind(name).model
    if dimension and dimension not in model.dimensions:
        raise RewardError(f"reward {name}: {dimension!r} is none of its scores ({', '.join(model.dimensions)})")
    return model


def reward_dimension(written: str) -> str:
    """Key in `score` of what is meant by `NAME` or `NAME:DIMENSION`. Raises RewardError."""
    return split_name(written)[1] or reward_class(written).dimensions[0]


def missing_for(written: str, folder: Path) -> list[str]:
    """A sentence per thing a reward lacks on this machine; `folder` is that of the run, for a model trained there."""
    try:
        reward_class(written)
    except RewardError as error:
        return [str(error)]
    name = split_name(written)[0]
    if name == CONTRAST:
        return [] if _contrast_file(folder) else [f"contrast: no {FILE} in {folder}; `vj train contrast` makes it"]
    return missing_files(_kind(name).parts)


def load_reward(written: str, folder: Path) -> RewardModel:
    """Load `NAME` or `NAME:DIMENSION` on the CPU. Raises RewardError with what is missing or does not fit."""
    reward_class(written)
    name = split_name(written)[0]
    if name == CONTRAST:
        return read_contrast(_contrast_file(folder) or folder / FILE)
    return _kind(name).load()


def _kind(name: str) -> RewardKind:
    # only the one that is asked for: the published ones bring large parts of transformers
    return importlib.import_module(f"engine.rewards.{name}").REWARD


def _contrast_file(folder: Path) -> Path | None:
    """That of the run, else the one shipped with ember."""
    places = (folder / CONTRAST / FILE, folder / FILE, EMBER_FOLDER / FILE)
    return next((path for path in places if path.is_file()), None)
