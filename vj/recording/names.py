"""What files are called: date, time and look, in the folder the performer chose."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import platformdirs

_NOT_IN_NAMES = re.compile(r'[\\/:*?"<>|\x00-\x1f]+')  # on any system: disks are carried from one to another
LONGEST_LOOK = 60
SAVED_FILE = "saved:"  # how the sentence begins that tells of a new file and of no problem


def recording_folder(chosen: str) -> Path:
    """The folder for recordings; `chosen` empty = `vj` in the folder of the user's videos. It may not exist yet."""
    return Path(chosen).expanduser() if chosen.strip() else Path(platformdirs.user_videos_dir()) / "vj"


def file_stem(folder: Path, look: str, what: str = "", now: datetime | None = None) -> Path:
    """Name a file without its suffix: `2026-11-21 22-04-09 Ink`; `what` says what it is besides ("replay")."""
    moment = (now or datetime.now().astimezone()).strftime("%Y-%m-%d %H-%M-%S")
    words = _NOT_IN_NAMES.sub(" ", look)[:LONGEST_LOOK].strip(" .")
    return folder / " ".join(filter(None, (moment, words, what)))
