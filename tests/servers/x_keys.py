"""Keys pressed on an X display as a keyboard presses them (XTEST), without starting a program for each.

Knows nothing of windows: whoever has the keyboard gets them.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from types import TracebackType

from tests.servers.process import ServerMissingError


class XKeys:
    """One connection to a display. Use as a context manager; one thread."""

    def __init__(self, display: str) -> None:
        names = [ctypes.util.find_library(name) for name in ("X11", "Xtst")]
        if None in names:
            raise ServerMissingError("libX11 or libXtst is not installed; they come with xdotool")
        self._x11, self._xtst = (ctypes.CDLL(name) for name in names)
        self._x11.XOpenDisplay.restype = ctypes.c_void_p
        self._x11.XStringToKeysym.restype = ctypes.c_ulong
        self._x11.XKeysymToKeycode.argtypes = (ctypes.c_void_p, ctypes.c_ulong)
        self._x11.XSync.argtypes = (ctypes.c_void_p, ctypes.c_int)
        self._x11.XCloseDisplay.argtypes = (ctypes.c_void_p,)
        self._xtst.XTestFakeKeyEvent.argtypes = (ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_ulong)
        self._display = self._x11.XOpenDisplay(display.encode())
        if not self._display:
            raise ServerMissingError(f"no display answers at {display}")

    def press(self, name: str) -> None:
        """Press and let go of a key by its X name ("b", "minus"); returns when the server has it."""
        code = self._x11.XKeysymToKeycode(self._display, self._x11.XStringToKeysym(name.encode()))
        for is_down in (1, 0):
            self._xtst.XTestFakeKeyEvent(self._display, code, is_down, 0)
        self._x11.XSync(self._display, 0)

    def __enter__(self) -> XKeys:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        self._x11.XCloseDisplay(self._display)
