"""The record of a running stage, by which panels that start anew find it: who it is, where its folder and display are.

One small file per stage in the user's state folder. Knows nothing of windows or of what is in the folder.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vj.run_folder import is_running

DISPLAY_VARIABLES = ("DISPLAY", "WAYLAND_DISPLAY")


@dataclass(frozen=True)
class StageRecord:
    """One stage. `started` tells it from another process that got its number later."""

    process_id: int
    started: str
    folder: str
    display: str  # of the display server

    @classmethod
    def of_this_process(cls, folder: Path) -> StageRecord:
        """Describe this process."""
        return cls(os.getpid(), process_start(os.getpid()), str(folder), display_server())

    @property
    def is_alive(self) -> bool:
        """Whether this very process is running, and ours."""
        return is_ours(self.process_id) and process_start(self.process_id) == self.started

    def write(self) -> None:
        """Let others find it. Raises OSError."""
        path = _record_path(self.process_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(dataclasses.asdict(self)), "utf-8")
        partial.replace(path)

    def remove(self) -> None:
        """Take the file away."""
        remove_record(self.process_id)


def running_stages() -> Iterator[StageRecord]:
    """Read the record of every stage of this user that is alive, newest first; those of the dead are deleted."""
    for path in sorted(_folder().glob("stage-*.json"), key=_changed_ns, reverse=True):
        try:
            record = StageRecord(**json.loads(path.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            continue
        if record.is_alive and Path(record.folder).is_dir():
            yield record
        elif not record.is_alive:
            record.remove()


def remove_record(process_id: int) -> None:
    """Take away the record of a stage that has ended."""
    with contextlib.suppress(OSError):
        _record_path(process_id).unlink()


def display_server() -> str:
    """Name the display server this process would use."""
    return " ".join(os.environ.get(name, "") for name in DISPLAY_VARIABLES)


def is_ours(process_id: int) -> bool:
    """Whether a process of this user runs under this number; one that only waits to be buried does not."""
    if process_id <= 0 or not is_running(process_id):
        return False
    about = Path(f"/proc/{process_id}")
    try:
        if about.is_dir():
            return about.stat().st_uid == os.getuid() and _stat_words(process_id)[0] not in ("Z", "X")
    except OSError:
        return False
    return True


def process_start(process_id: int) -> str:
    """When a process began, in whatever words the system has; empty = it does not say."""
    try:
        return _stat_words(process_id)[19]
    except (OSError, IndexError):
        pass
    if sys.platform in ("win32", "linux"):
        return ""
    asked = ["ps", "-o", "lstart=", "-p", str(process_id)]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()


def _stat_words(process_id: int) -> list[str]:
    """Read the words of /proc's stat after the name: state first, start time twentieth."""
    return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()


def _changed_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _record_path(process_id: int) -> Path:
    return _folder() / f"stage-{process_id}.json"


def _folder() -> Path:
    import platformdirs

    return platformdirs.user_state_path("vj", appauthor=False)
