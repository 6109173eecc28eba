"""The folder of one run: in memory where there is room, deleted at the end, and after a crash by the next run.

Knows nothing of what is put into it.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

MEMORY_FOLDER = Path("/dev/shm")  # Linux: files here never touch a disk
_NAME = re.compile(r"vj-run-(\d+)-.+")
_KEEPER = "keeper-"
_SYNCHRONIZE = 0x00100000  # Windows access right that suffices to ask whether a process has ended
_STILL_RUNNING = 0x102  # WAIT_TIMEOUT


def make_run_folder(needed_bytes: int) -> Path:
    """Make an empty folder with room for so many bytes, and delete those of runs that have died.

    Raises OSError when neither the memory folder nor the temporary one can be written.
    """
    remove_stale_folders()
    prefix = f"vj-run-{os.getpid()}-"
    if has_room(MEMORY_FOLDER, needed_bytes):
        with contextlib.suppress(OSError):
            return Path(tempfile.mkdtemp(prefix=prefix, dir=MEMORY_FOLDER))
    return Path(tempfile.mkdtemp(prefix=prefix))


def remove_run_folder(folder: Path) -> None:
    """Delete a run's folder; what the system still holds open is left to the next run."""
    shutil.rmtree(folder, ignore_errors=True)


def keep_run_folder(folder: Path) -> None:
    """Say that this process uses a folder which another one made: it stays as long as either runs. Raises OSError."""
    (folder / f"{_KEEPER}{os.getpid()}").touch()


def remove_stale_folders() -> None:
    """Delete the folders of which every process is gone: who made it and who said that they use it."""
    for parent in {MEMORY_FOLDER, Path(tempfile.gettempdir())}:
        for folder in parent.glob("vj-run-*"):
            match = _NAME.fullmatch(folder.name)
            if match and not any(map(is_running, (int(match[1]), *_keepers(folder)))):
                remove_run_folder(folder)


def _keepers(folder: Path) -> list[int]:
    numbers = [path.name.removeprefix(_KEEPER) for path in folder.glob(f"{_KEEPER}*")]
    return [int(number) for number in numbers if number.isdecimal()]


def has_room(folder: Path, needed_bytes: int) -> bool:
    """Whether a folder exists, can be written, and has twice the bytes free: others write there too."""
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        return False
    return shutil.disk_usage(folder).free >= 2 * needed_bytes


def is_running(process_id: int) -> bool:
    """Whether a process with this id exists; one that only waits to be buried does not."""
    if sys.platform == "win32":
        return _is_running_on_windows(process_id)
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # another user's
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except (OSError, IndexError):
        return not Path("/proc/self/stat").exists() or Path(f"/proc/{process_id}").exists()


def _is_running_on_windows(process_id: int) -> bool:
    import ctypes

    kernel = ctypes.WinDLL("kernel32")
    handle = kernel.OpenProcess(_SYNCHRONIZE, False, process_id)
    if not handle:
        return False
    try:
        return kernel.WaitForSingleObject(handle, 0) == _STILL_RUNNING
    finally:
        kernel.CloseHandle(handle)
