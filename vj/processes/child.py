"""What a Python process of ours is started with, so that it finds the same code as this one, and how it ends with it.

Knows nothing of what it is started for.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
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


def end_with_parent(farewell: Callable[[], None] = lambda: None, grace_s: float = 0.0) -> None:
    """End this process when its stdin ends, which whoever started it keeps open: also if they are killed or this hangs.

    Then `farewell` is called on a thread of its own and may have the main thread end it in order within `grace_s`.
    A signal to the whole group, as Ctrl+C and a terminal that closes send, is for them: a driver left without a word
    holds up others that use it (JACK). Called once by the main thread.
    """
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if name in signal.Signals.__members__:  # Windows has fewer
            signal.signal(signal.Signals[name], signal.SIG_IGN)
    threading.Thread(target=_wait_for_parents_end, args=(farewell, grace_s), name="parent", daemon=True).start()


def _wait_for_parents_end(farewell: Callable[[], None], grace_s: float) -> None:
    while os.read(0, 1024):  # not sys.stdin, whose lock would be held when the interpreter ends
        pass
    farewell()
    time.sleep(grace_s)
    os._exit(0)
