"""An X display in memory (Xvfb), with OpenGL by llvmpipe and RandR, and what is on it as an array.

Knows nothing of Qt. Swaps do not wait for a vertical blank here: never judge pacing by them.
"""

from __future__ import annotations

import os
import select
import struct
from pathlib import Path
from types import TracebackType

import numpy as np

from tests.servers.process import find_program, start_tied, stop_group

START_S = 20.0
XWD_HEADER = struct.Struct(">25I")  # X Window Dump, version 7: header size first, colour count at index 19


class XDisplay:
    """One display with one screen. Use as a context manager; `env` is what a program needs to appear on it."""

    def __init__(self, folder: Path, width: int = 1280, height: int = 720) -> None:
        self.width, self.height = width, height
        read_end, write_end = os.pipe()
        command = [find_program("Xvfb"), "-displayfd", str(write_end), "-screen", "0", f"{width}x{height}x24"]
        command += ["+extension", "GLX", "+extension", "RANDR", "-noreset", "-ac", "-nolisten", "tcp"]
        command += ["-fbdir", str(folder)]
        self._log = folder / "xvfb.log"
        self.framebuffer = folder / "Xvfb_screen0"
        self._process = start_tied(command, self._log, pass_fds=[write_end])
        os.close(write_end)
        self.name = f":{self._read_number(read_end)}"
        self.env = {"DISPLAY": self.name, "QT_QPA_PLATFORM": "xcb", "LIBGL_ALWAYS_SOFTWARE": "1", "WAYLAND_DISPLAY": ""}

    def _read_number(self, read_end: int) -> int:
        with os.fdopen(read_end, "rb") as pipe:
            ready, _, _ = select.select([pipe], [], [], START_S)
            text = pipe.readline() if ready else b""
        if not text.strip().isdigit():
            self.stop()
            raise RuntimeError(f"Xvfb did not start: {self._log.read_text(errors='replace')[-500:]}")
        return int(text)

    def grab(self) -> np.ndarray:
        """Return what the audience sees now: (H, W, 3) uint8 RGB, top row first."""
        dump = self.framebuffer.read_bytes()
        header = XWD_HEADER.unpack_from(dump)
        size, width, height, bytes_per_line, colours = header[0], header[4], header[5], header[12], header[19]
        start = size + colours * 12  # 12 bytes per colour map entry
        rows = np.frombuffer(dump, np.uint8, height * bytes_per_line, start).reshape(height, bytes_per_line)
        bgrx = rows[:, : width * 4].reshape(height, width, 4)
        return np.ascontiguousarray(bgrx[..., 2::-1])

    def stop(self) -> None:
        """End the server; programs on it lose their connection."""
        stop_group(self._process)

    def __enter__(self) -> XDisplay:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        self.stop()
