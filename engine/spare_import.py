"""Importing what a model needs, before anyone knows which model: an engine that waits as a spare has it done.

Runs beside a show, so that it takes only what processor time nobody wants.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import threading
from collections.abc import Callable

MODULES = ("torch", "safetensors.torch", "engine.loading", "engine.generator", "engine.weight_files")
LOWEST_PRIORITY = 19


def import_engine(on_done: Callable[[], None]) -> threading.Thread:
    """Begin to import on a thread of the lowest priority; `on_done` comes from it. What is missing is told later."""
    thread = threading.Thread(target=_import, args=(on_done,), name="import", daemon=True)
    thread.start()
    return thread


def _import(on_done: Callable[[], None]) -> None:
    if sys.platform == "linux":  # where priority is a thread's own; elsewhere the engine would stay slow
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOWEST_PRIORITY)
    with contextlib.suppress(ImportError):
        for name in MODULES:
            importlib.import_module(name)
        _rehearse()
    on_done()


def _rehearse() -> None:
    """Lay out a transformer without weights: torch imports 800 modules more, for over a second, at the first one."""
    import torch

    from engine.model.config import ModelConfig
    from engine.model.transformer import CausalWanTransformer

    with torch.device("meta"):
        CausalWanTransformer(ModelConfig(num_layers=1)).to(torch.bfloat16)
