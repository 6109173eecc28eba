"""Imports what plays a stream out of a checkout of Reward-Forcing, and stands in for what a stream does not use.

A package's own `__init__` is not run: it would import training, image input and what those need. Modules that ask for
a GPU when they are imported get an answer where there is none.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

import torch
from torch import nn

BARE_PACKAGES = ("pipeline", "utils", "demo_utils", "wan", "wan.modules")
NEEDED = ("einops",)  # computes while a stream is made


@dataclass(frozen=True)
class Checkout:
    """Modules of the reference that a stream needs, and which packages are only stood in for."""

    pipeline: ModuleType  # pipeline.causal_inference
    wrapper: ModuleType  # utils.wan_wrapper
    attention: ModuleType  # wan.modules.attention
    causal_model: ModuleType  # wan.modules.causal_model
    model: ModuleType  # wan.modules.model
    taehv: ModuleType  # demo_utils.taehv
    stubs: tuple[str, ...]
    config: dict[str, object]  # of its YAML files


def open_checkout(folder: Path) -> Checkout:
    """Import the reference. Raises ValueError with a sentence when it is another project or lacks a package."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise ValueError(f"the reference needs {', '.join(missing)}: pip install {' '.join(missing)}")
    for name in BARE_PACKAGES:
        place = folder / name.replace(".", "/")
        if not place.is_dir():
            raise ValueError(f"{folder} is no checkout of Reward-Forcing: it has no folder {name.replace('.', '/')}")
        package = ModuleType(name)
        package.__path__ = [str(place)]
        sys.modules[name] = package
    stubs = _stand_in()
    with _no_gpu_asked():
        names = (
            "pipeline.causal_inference",
            "utils.wan_wrapper",
            "wan.modules.attention",
            "wan.modules.causal_model",
            "wan.modules.model",
            "demo_utils.taehv",
        )
        modules = [importlib.import_module(name) for name in names]
    return Checkout(*modules, stubs=stubs, config=_config(folder))


def _config(folder: Path) -> dict[str, object]:
    """Its default configuration with the published one over it."""
    import yaml

    read: dict[str, object] = {}
    for name in ("default_config.yaml", "reward_forcing.yaml"):
        read |= yaml.safe_load((folder / "configs" / name).read_text(encoding="utf-8"))
    return read


@contextlib.contextmanager
def _no_gpu_asked() -> Iterator[None]:
    """Let modules be imported that ask for the current GPU, on a machine without one."""
    if torch.cuda.is_available():
        yield
        return
    with patch.object(torch.cuda, "current_device", lambda: 0):
        yield


def _stand_in() -> tuple[str, ...]:
    """Put modules in the place of what a stream needs no function of; returns their names."""
    _module("diffusers")
    _module("diffusers.models")
    _module("diffusers.configuration_utils", ConfigMixin=_ConfigMixin, register_to_config=_as_it_is)
    _module("diffusers.models.modeling_utils", ModelMixin=_ModelMixin)
    _module("wan.modules.tokenizers", HuggingfaceTokenizer=None)
    _module("wan.modules.t5", umt5_xxl=None)
    made = ["diffusers", "its text encoder"]
    if importlib.util.find_spec("tqdm") is None:
        made.append("tqdm")
        _module("tqdm")
        _module("tqdm.auto", tqdm=_all_of)
    return tuple(made)


def _module(name: str, **members: object) -> None:
    module = ModuleType(name)
    vars(module).update(members)
    sys.modules[name] = module


class _ConfigMixin:
    """In place of diffusers' class of the name: a stream reads no configuration back."""


class _ModelMixin(nn.Module):
    """In place of diffusers' class of the name."""


def _as_it_is(function: Callable[..., None]) -> Callable[..., None]:
    return function


def _all_of(items: object, disable: bool = False) -> object:
    return items
