"""The log of a process of ours: a file of its own in the platform's log folder, of which the newest are kept.

Knows nothing of what is written into it.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from pathlib import Path

_numbers = itertools.count(1)


def make_log(kind: str, run_folder: Path, kept: int, folder: Path | None = None) -> Path:
    """Make a new log `kind`-MOMENT-... and delete the oldest of its kind beyond `kept`; return its path.

    `folder` None = the platform's log folder. Where that cannot be written it is in the run's own.
    """
    name = f"{kind}-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}-{next(_numbers)}.log"
    folder = folder or _platform_log_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for old in sorted(folder.glob(f"{kind}-*.log"))[: -(kept - 1)]:
            with contextlib.suppress(OSError):
                old.unlink()
        (folder / name).touch()
    except OSError:
        return run_folder / name
    return folder / name


def _platform_log_folder() -> Path:
    import platformdirs

    return platformdirs.user_log_path("vj", appauthor=False)
