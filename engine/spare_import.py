"""Importing what a model needs, before anyone knows which model: an engine that waits as a spare has it done.

Runs beside a show, so that it takes only what processor time nobody wants.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import threading

MODULES = ("torch", "safetensors.torch", "engine.loading", "engine.generator", "engine.weight_files")
LOWEST_PRIORITY = 19


def import_engine() -> threading.Thread:
    """Begin to import on a thread of the lowest priority; join it to have it done. What is missing is told later."""
    thread = threading.Thread(target=_import, name="import", daemon=True)
    thread.start()
    return thread


def _import() -> None:
    if sys.platform == "linux":  # where priority is a thread's own; elsewhere the engine would stay slow
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOWEST_PRIORITY)
    with contextlib.suppress(ImportError):
        for name in MODULES:
            importlib.import_module(name)
