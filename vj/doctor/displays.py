"""Displays and OpenGL, found out as the show does, and whether the window's code can be loaded at all."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterator

from engine.finding import Finding, found, missing

PART = "displays"
SET_UP = "python3 start.py"
WINDOW_MODULES = ("vj.app.application", "vj.stage.stage")  # the panels, and the output in its own process


def check_displays(wanted: str) -> Iterator[Finding]:
    """Yield what the output can be shown on; `wanted` is the name or number asked for, or nothing."""
    logging.getLogger("OpenGL").setLevel(logging.ERROR)
    try:
        for module in WINDOW_MODULES:
            importlib.import_module(module)
    except ImportError as error:
        yield missing(PART, "window", f"cannot be loaded: {error}", SET_UP, stops_show=True)
    try:
        from PyQt6.QtGui import QGuiApplication, QSurfaceFormat

        from vj.output.displays import DisplayError, check_display_server, check_opengl, output_format
    except ImportError:
        return  # told above
    try:
        check_display_server()
        QSurfaceFormat.setDefaultFormat(output_format())
        application = QGuiApplication(["vj"])
        yield from _check_screens(wanted)
        check_opengl()
    except DisplayError as error:
        detail, _, fix = str(error).partition(": ")
        yield missing(PART, "display", detail, fix, stops_show=True)
        return
    yield from _check_renderer()
    del application


def _check_screens(wanted: str) -> Iterator[Finding]:
    """Yield every display. Raises DisplayError when the wanted one is not there."""
    from PyQt6.QtGui import QGuiApplication

    from vj.output.displays import describe, find_displays
    from vj.output.placing_params import MOST_OUTPUTS

    for number, screen in enumerate(QGuiApplication.screens(), start=1):
        yield found(PART, f"display {number}", describe(screen))
    if wanted:
        find_displays(wanted, MOST_OUTPUTS)


def _check_renderer() -> Iterator[Finding]:
    """Yield version and maker of the OpenGL that the output would draw with."""
    try:
        from OpenGL import GL
    except ImportError:
        return  # told where the window was loaded
    from PyQt6.QtGui import QOffscreenSurface, QOpenGLContext

    from vj.output.displays import is_software, output_format

    context, surface = QOpenGLContext(), QOffscreenSurface()
    context.setFormat(output_format())
    if not context.create():
        return  # has just been possible; the display has gone
    surface.setFormat(context.format())
    surface.create()
    if not context.makeCurrent(surface):
        return
    version, renderer = (GL.glGetString(name).decode(errors="replace") for name in (GL.GL_VERSION, GL.GL_RENDERER))
    context.doneCurrent()
    detail = f"{version}, {renderer}"
    if is_software(renderer):
        yield missing(
            PART,
            "graphics card",
            f"the processor draws: {detail}",
            "install the graphics driver; the show runs without",
        )
    yield found(PART, "OpenGL", detail)
