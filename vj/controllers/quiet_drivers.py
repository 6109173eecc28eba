"""Keeps ALSA and JACK from writing to the terminal whenever a device or server is missing."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import sys
from pathlib import Path

SETTERS = {
    "libasound": ("snd_lib_error_set_handler",),
    "libjack": ("jack_set_error_function", "jack_set_info_function"),
}


@functools.cache
def silence_drivers() -> None:
    """Silence what is loaded now, wheels' own copies included. Any thread.

    They are given a C function that takes no arguments and does nothing, which is safe on any thread and at exit.
    """
    if not sys.platform.startswith("linux"):
        return
    nothing = ctypes.cast(ctypes.CDLL(None).getpid, ctypes.c_void_p)
    lines = Path("/proc/self/maps").read_text("utf-8", "replace").splitlines()
    for path in {line.split(maxsplit=5)[5] for line in lines if line.count("/")}:
        for name in SETTERS.get(Path(path).name.partition(".")[0].partition("-")[0], ()):
            with contextlib.suppress(OSError, AttributeError):  # a library without it does not write
                ctypes.CDLL(path)[name](nothing)
