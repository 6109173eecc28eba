"""Displays by name or number, and whether there is one at all, found out before Qt would abort the process.

Knows nothing of what is shown.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from PyQt6.QtCore import QRect
from PyQt6.QtGui import QGuiApplication, QOffscreenSurface, QOpenGLContext, QScreen, QSurfaceFormat

from engine.preset_table import did_you_mean

NO_DISPLAY = "no display: set DISPLAY (or WAYLAND_DISPLAY), or use `vj render`"
DISPLAYLESS_PLATFORMS = ("offscreen", "minimal", "vnc", "eglfs", "linuxfb")  # Qt plugins that need no server
WINDOW_SHARE = 3  # of the display's width goes to an output that is not fullscreen
SOFTWARE_RENDERERS = ("llvmpipe", "softpipe", "swrast", "software", "microsoft basic")
LOWEST_GL, LOWEST_ES = (3, 3), (3, 0)


class DisplayError(ValueError):
    """A display that cannot be used; the text is the sentence for the user."""


def check_display_server(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> None:
    """Raise DisplayError when no window can be opened. Qt itself would end the process with a core dump."""
    wanted = environment.get("QT_QPA_PLATFORM", "")
    if not platform.startswith("linux") or wanted.partition(":")[0] in DISPLAYLESS_PLATFORMS:
        return
    if environment.get("WAYLAND_DISPLAY") and not wanted.startswith("xcb"):
        socket = Path(environment.get("XDG_RUNTIME_DIR", "/")) / environment["WAYLAND_DISPLAY"]
        if socket.exists():
            return
    if not environment.get("DISPLAY"):
        raise DisplayError(NO_DISPLAY)
    _check_x_server(environment["DISPLAY"])


def _check_x_server(name: str) -> None:
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
        ctypes.CDLL("libxcb-cursor.so.0")
    except OSError as error:
        missing = str(error).partition(":")[0]
        raise DisplayError(
            f"{missing} is missing: install it (Debian, Ubuntu: apt install libxcb-cursor0), or use `vj render`"
        ) from None
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connection_has_error.argtypes = xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(name.encode(), None)
    has_error = xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    if has_error:
        raise DisplayError(f"no display: nothing answers at DISPLAY={name}; correct DISPLAY, or use `vj render`")


def output_format() -> QSurfaceFormat:
    """Describe the GL surface of an output: 3.3 core, no depth, swaps with the display."""
    wanted = QSurfaceFormat()
    wanted.setVersion(*LOWEST_GL)
    wanted.setProfile(QSurfaceFormat.OpenGLContextProfile.CoreProfile)
    wanted.setDepthBufferSize(0)
    wanted.setStencilBufferSize(0)
    wanted.setSwapInterval(1)
    return wanted


def is_software(gl_name: str) -> bool:
    """Whether what draws is a program, by the name OpenGL gives for it."""
    return any(name in gl_name.lower() for name in SOFTWARE_RENDERERS)


def check_opengl() -> None:
    """Raise DisplayError when the display offers no OpenGL the renderer can use. Needs the Qt application."""
    context, surface = QOpenGLContext(), QOffscreenSurface()
    context.setFormat(output_format())
    found = ""
    if context.create():
        surface.setFormat(context.format())
        surface.create()
        version = context.format().version()
        if version >= (LOWEST_ES if context.isOpenGLES() else LOWEST_GL) and context.makeCurrent(surface):
            context.doneCurrent()
            return
        found = f", only {version[0]}.{version[1]}"
    raise DisplayError(
        f"this display offers no OpenGL {LOWEST_GL[0]}.{LOWEST_GL[1]}{found}: update the graphics driver, or set "
        "LIBGL_ALWAYS_SOFTWARE=1 to draw without one"
    )


def describe(screen: QScreen) -> str:
    """Name, size and rate of a display in one line."""
    size = screen.geometry().size() * screen.devicePixelRatio()
    return f"{screen.name()} {size.width()}x{size.height()} {screen.refreshRate():.0f} Hz"


def corner_of(screen: QScreen) -> QRect:
    """A window's place in the lower right corner of a display: what lies beside it stays in reach."""
    free = screen.availableGeometry()
    width = free.width() // WINDOW_SHARE
    height = width * 9 // 16
    return QRect(free.right() - width, free.bottom() - height, width, height)


def find_displays(wanted: str, most: int) -> list[QScreen]:
    """Find displays by names or numbers with commas between them. Raises DisplayError: unknown, twice, too many."""
    if any(screen.name() == wanted for screen in QGuiApplication.screens()):
        return [find_display(wanted)]
    found = [find_display(name.strip()) for name in wanted.split(",")]
    twice = next((screen for screen in found if found.count(screen) > 1), None)
    if twice is not None:
        raise DisplayError(f"--display {wanted}: {twice.name()} is named twice; each output takes a display of its own")
    if len(found) > most:
        raise DisplayError(f"--display {wanted}: {len(found)} displays; there are {most} outputs at most")
    return found


def find_display(wanted: str) -> QScreen:
    """Find a display by its name or its number (1 = first). Raises DisplayError listing those there are."""
    screens = QGuiApplication.screens()
    for screen in screens:
        if screen.name() == wanted:
            return screen
    if wanted.isascii() and wanted.isdigit() and 1 <= int(wanted[:4]) <= len(screens):
        return screens[int(wanted[:4]) - 1]
    known = "; ".join(f"{number}: {describe(screen)}" for number, screen in enumerate(screens, start=1))
    near = did_you_mean(wanted, [screen.name() for screen in screens])
    raise DisplayError(f"--display {wanted}: there is no such display{near}; there are {known}")
