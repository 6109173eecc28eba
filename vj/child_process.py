"""What a Python process of ours is started with, so that it finds the same code as this one.

Knows nothing of what it is started for.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def python_command(module: str) -> list[str]:
    """Return the words that run a module of ours. A folder called engine in the current folder is not the engine."""
    return [sys.executable, "-P", "-m", module]


def python_environment() -> dict[str, str]:
    """Return this process's environment, with the folder `engine` was imported from first on the path.

    A checkout that is run from another folder has it on no path of its own.
    """
    import engine

    root = str(Path(engine.__file__).resolve().parents[1])
    paths = [root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return dict(os.environ) | {"PYTHONPATH": os.pathsep.join(paths)}
