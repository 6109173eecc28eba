"""Holds screen saver, blanking and sleep off while an output covers a display; each system by its own means.

Where none is at hand the show goes on and says so once. Knows nothing of windows.
"""

from __future__ import annotations

import ctypes
import logging
import os
import subprocess
import sys
from collections.abc import Callable

from PyQt6.QtCore import QMetaType, QVariant

try:
    from PyQt6.QtDBus import QDBus, QDBusConnection, QDBusMessage
except ImportError:  # builds of Qt without it
    QDBusConnection = None

PROGRAM, REASON = "vj", "a show is on the output"
ANSWER_MS = 500  # a desktop that takes longer is not asked again
SAVER = ("org.freedesktop.ScreenSaver", "/org/freedesktop/ScreenSaver", "org.freedesktop.ScreenSaver")
ES_CONTINUOUS, ES_SYSTEM_REQUIRED, ES_DISPLAY_REQUIRED = 0x80000000, 0x1, 0x2
Release = Callable[[], None]
_LOG = logging.getLogger(__name__)


class Wakefulness:
    """Belongs to one thread; `hold` and `release` may be called in any order and number."""

    def __init__(self) -> None:
        self.method = ""  # what holds the display awake now; empty = nothing
        self._releases: list[Release] = []
        self._has_complained = False

    def hold(self) -> None:
        """Keep display and machine awake until `release`, or until this process ends however it may."""
        if self._releases:
            return
        named = []
        for name, hold in _means():
            release = hold()
            if release is not None:
                self._releases.append(release)
                named.append(name)
        self.method = ", ".join(named)
        if not named and not self._has_complained:
            self._has_complained = True
            _LOG.warning("nothing here holds the screen saver off: switch it and the power saving off by hand")

    def release(self) -> None:
        """Let display and machine sleep again."""
        for release in self._releases:
            release()
        self._releases, self.method = [], ""


def _means() -> tuple[tuple[str, Callable[[], Release | None]], ...]:
    if sys.platform == "win32":
        return (("SetThreadExecutionState", _hold_windows),)
    if sys.platform == "darwin":
        return (("caffeinate", _hold_macos),)
    return (("D-Bus", _hold_by_dbus), ("X screen saver", _hold_x))


def _hold_windows() -> Release | None:
    set_state = ctypes.windll.kernel32.SetThreadExecutionState
    if not set_state(ES_CONTINUOUS | ES_SYSTEM_REQUIRED | ES_DISPLAY_REQUIRED):
        return None

    def release() -> None:
        set_state(ES_CONTINUOUS)

    return release


def _hold_macos() -> Release | None:
    try:
        # -w: it ends with this process, even a killed one
        child = subprocess.Popen(["caffeinate", "-d", "-i", "-m", "-s", "-w", str(os.getpid())])
    except OSError:
        return None

    def release() -> None:
        child.terminate()
        child.wait()

    return release


def _hold_by_dbus() -> Release | None:
    """Ask the desktop; its answer is a cookie, and the wish ends with the connection."""
    if QDBusConnection is None or not os.environ.get("DBUS_SESSION_BUS_ADDRESS"):
        return None  # without an address libdbus would start a bus of its own
    bus = QDBusConnection.sessionBus()
    if not bus.isConnected():
        return None
    answer = bus.call(_message("Inhibit", [PROGRAM, REASON]), QDBus.CallMode.Block, ANSWER_MS)
    if answer.type() != QDBusMessage.MessageType.ReplyMessage or not answer.arguments():
        return None
    cookie = QVariant(answer.arguments()[0])
    cookie.convert(QMetaType(QMetaType.Type.UInt.value))

    def release() -> None:
        bus.call(_message("UnInhibit", [cookie]), QDBus.CallMode.NoBlock)

    return release


def _message(method: str, arguments: list[object]) -> QDBusMessage:
    message = QDBusMessage.createMethodCall(*SAVER, method)
    message.setAutoStartService(False)
    message.setArguments(arguments)
    return message


def _hold_x() -> Release | None:
    """Suspend the X server's own saver and power saving; that ends with the connection, so one is kept open."""
    if not os.environ.get("DISPLAY"):
        return None
    try:
        xlib, saver = ctypes.CDLL("libX11.so.6"), ctypes.CDLL("libXss.so.1")
    except OSError:
        return None
    xlib.XOpenDisplay.restype = ctypes.c_void_p
    xlib.XCloseDisplay.argtypes = xlib.XFlush.argtypes = [ctypes.c_void_p]
    saver.XScreenSaverSuspend.argtypes = [ctypes.c_void_p, ctypes.c_int]
    saver.XScreenSaverQueryExtension.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
    connection = xlib.XOpenDisplay(None)
    if not connection:
        return None
    event, error = ctypes.c_int(), ctypes.c_int()
    if not saver.XScreenSaverQueryExtension(connection, ctypes.byref(event), ctypes.byref(error)):
        xlib.XCloseDisplay(connection)
        return None
    saver.XScreenSaverSuspend(connection, 1)
    xlib.XFlush(connection)

    def release() -> None:
        xlib.XCloseDisplay(connection)

    return release
