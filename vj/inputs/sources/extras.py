"""Optional packages that some sources need: loaded when one is opened, else a sentence with the install line."""

from __future__ import annotations

import importlib
from types import ModuleType

from vj.inputs.sources.source import SourceError


def import_extra(module: str, what: str, install: str) -> ModuleType:
    """Load a module of an extra. Raises SourceError that says what to install."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        missing = error.name or module
        raise SourceError(f"{what} needs {missing.partition('.')[0]}, which is not installed: {install}") from None
