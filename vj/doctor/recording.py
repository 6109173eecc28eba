"""What recordings are made with: encoders that really encode here, and the folder they go to."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from engine.finding import MISSING, Finding, found, missing
from vj.recording.params import CODECS

PART = "recording"
LITTLE_BYTES = 10e9  # half an hour of 1080p in H.264


def check_recording() -> Iterator[Finding]:
    """Yield the encoders of each codec, the best first, and the folder."""
    try:
        from vj.recording.names import recording_folder
        from vj.recording.video_encoder import working_coders
    except ImportError as error:
        yield missing(PART, "encoders", f"PyAV or what it needs cannot be loaded: {error}", "python3 start.py")
        return
    for codec in CODECS:
        coders = working_coders(codec)
        if not coders:
            detail = "no encoder in this build of FFmpeg: h264 is recorded instead"
            fix = f"choose another /vj/record/codec, or build PyAV over an FFmpeg that writes {codec}"
            yield Finding(PART, codec, MISSING, detail, fix, is_extra=True)
            continue
        words = f"{coders[0].words} ({coders[0].name}){', on the card' if coders[0].is_hardware else ''}"
        others = ", ".join(coder.name for coder in coders[1:])
        yield found(PART, codec, f"{words}; {others} if that fails" if others else words)
    yield _folder(recording_folder(""))


def _folder(folder: Path) -> Finding:
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    fix = "choose another with /vj/record/folder"
    if not there.is_dir() or not os.access(there, os.W_OK):
        return missing(PART, "folder", f"{folder}: {there} cannot be written", fix)
    free = shutil.disk_usage(there).free
    detail = f"{folder}, {free / 1e9:.0f} GB free"
    return found(PART, "folder", detail) if free > LITTLE_BYTES else missing(PART, "folder", f"{detail}: little", fix)
