"""What was played when the program ended, however it ended: one file per running program.

A clean end sets the file aside; one that is left by a program that is gone tells of a crash. May wait for the disk.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import time
from pathlib import Path

import platformdirs

from vj.presets.show_file import FILE_NAME, ShowState, read_show, show_text
from vj.run_folder import is_running
from vj.written_files import FileError, write_text

LAST = "last.toml"
SILENT_S = 150.0  # a running program touches its file twice a minute: an older one was left, even after a reboot


def autosave_folder() -> Path:
    """Return the platform's folder for the state of programs; it may not exist."""
    return platformdirs.user_state_path("vj", appauthor=False) / "autosave"


class Autosave:
    """The file of this program. Belongs to one thread."""

    def __init__(self) -> None:
        self._path = autosave_folder() / f"{os.getpid()}.toml"
        self._written: ShowState | None = None

    def write(self, state: ShowState) -> None:
        """Write the state if it has changed. Raises FileError."""
        if state == self._written:
            with contextlib.suppress(OSError):
                os.utime(self._path)
            return
        write_text(self._path, show_text(state))
        self._written = state

    def end(self) -> None:
        """Set the file aside: the program ends as it was asked to."""
        with contextlib.suppress(OSError):
            self._path.replace(autosave_folder() / LAST)


def left_behind() -> Path | None:
    """Find the newest file of a program that is gone without a clean end; None after a clean one."""
    found = [path for path in _files() if path.name != LAST and _is_left(path)]
    return max(found, key=_modified_s, default=None)


def last_saved() -> Path | None:
    """Find the newest file of all but this program's own, after a clean end too."""
    own = f"{os.getpid()}.toml"
    return max((path for path in _files() if path.name != own), key=_modified_s, default=None)


def set_aside(path: Path) -> None:
    """Keep a file that was read as the last one, so that it is not found a second time."""
    with contextlib.suppress(OSError):
        path.replace(path.with_name(LAST))


@dataclasses.dataclass(frozen=True)
class Restored:
    """What comes back at the start, and what to say about it."""

    state: ShowState | None = None
    sentences: tuple[str, ...] = ()


def restore(show: str = "", is_asked: bool = False) -> Restored:
    """Bring back what a crash left behind, or when asked the newest state there is.

    `show` is the folder of the show that was asked for, empty = none: the state of another one stays where it is.
    """
    path = left_behind()
    is_crash = path is not None
    if path is None and is_asked:
        path = last_saved()
    if path is None:
        return Restored(None, ("there is no saved state to restore",) if is_asked else ())
    moment = time.strftime("%H:%M", time.localtime(_modified_s(path)))
    try:
        state, problems = read_show(path)
    except FileError as error:
        set_aside(path)
        return Restored(None, (f"the last state cannot be restored: {error}",))
    if show and state.folder != show and not is_asked:
        kept = "the last run did not end properly"
        return Restored(
            None, (f"{kept}; it played another show: `vj run --restore` brings its state of {moment} back",)
        )
    set_aside(path)
    why = "the last run did not end properly" if is_crash else "as asked"
    sentence = f"{why}: its state of {moment} is back (`vj run --fresh` begins without)"
    return Restored(state, (sentence, *(str(problem).replace(path.name, FILE_NAME, 1) for problem in problems)))


def _files() -> list[Path]:
    try:
        return sorted(autosave_folder().glob("*.toml"))
    except OSError:
        return []


def _is_left(path: Path) -> bool:
    if not path.stem.isdigit():
        return False
    process_id = int(path.stem)
    return process_id == os.getpid() or not is_running(process_id) or time.time() - _modified_s(path) > SILENT_S


def _modified_s(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
