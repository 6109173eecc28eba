"""The programme as the audience sees it, under one word that says what state it is in.

Draws frames that are handed in; knows nothing of the output window.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PyQt6.QtCore import QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PyQt6.QtWidgets import QFrame, QSizePolicy, QVBoxLayout, QWidget

from engine.frame_ring import Frame
from engine.messages import GeneratorStatus
from vj.app import theme
from vj.app.parameter_widgets import QuietLabel
from vj.output.effects import UNCHANGED, colour_matrix, colour_offset, letterbox
from vj.output.params import OutputParams
from vj.output.playback import PlaybackStatus

FRAME_WIDTH = 3
HELD_COLOURS = {"freeze": theme.ACCENT, "fallback": theme.WARNING}  # by the switch's name
LARGEST_PICTURE = 320  # pixels across; more would cost the window its time


@dataclass(frozen=True)
class State:
    """One word for the whole, in its colour."""

    word: str
    colour: str
    detail: str = ""


def describe_state(generator: GeneratorStatus, playback: PlaybackStatus, params: OutputParams, held: str = "") -> State:
    """Say what the audience sees now and why; the gravest first. `held` names a switch that takes the stream away.

    What is seen goes before why: with the engine down the audience still sees something.
    """
    if params.blackout:
        return State("BLACKOUT", theme.ALARM, "the audience sees black")
    is_down = generator.state == "failed"
    if held:
        return State(held.upper(), HELD_COLOURS.get(held, theme.WARNING), f"the performer pressed {held}")
    if not playback.is_streaming and not is_down:
        return State("STARTING", theme.WARNING, generator.detail or f"loading {generator.model}")
    if playback.state == "fallback":
        why = f"the engine is down: {generator.detail}" if is_down else "the stream is late"
        return State("FALLBACK", theme.WARNING, f"{why}; the last good seconds or the film play")
    if is_down:
        return State("ENGINE DOWN", theme.ALARM, generator.detail)
    if playback.is_starved or playback.state == "waiting":
        return State("WAITING", theme.WARNING, "the next frame is late: the last good seconds play")
    if params.level <= 0.0:
        return State("LEVEL 0", theme.WARNING, "the audience sees black")
    return State("LIVE", theme.GOOD, generator.model)


class Picture(QWidget):
    """A small, cheap copy of the output: the frame on screen with its effects, its level and its blackout."""

    def __init__(self) -> None:
        super().__init__()
        self._frame: Frame | None = None
        self._params = OutputParams()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def sizeHint(self) -> QSize:
        """Prefer the shape of a screen."""
        return QSize(280, 158)

    def show_frame(self, frame: Frame | None, params: OutputParams) -> None:
        """Draw this frame at the next repaint, if it is another one."""
        if self.isVisible() and (frame is not self._frame or params != self._params):
            self._frame, self._params = frame, params
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the frame whole and undistorted on black."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(0, 0, 0))
        if self._frame is not None and not self._params.blackout:
            pixels = coloured(self._frame.pixels, self._params)
            height, width, _ = pixels.shape
            shown = QImage(pixels.data, width, height, pixels.strides[0], QImage.Format.Format_RGBX8888)
            room = letterbox((width, height), (self.width(), self.height()))
            zoom = self._params.zoom
            source = QRectF(0, 0, width / zoom, height / zoom)
            source.moveCenter(QRectF(shown.rect()).center())
            painter.setOpacity(self._params.level)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(QRectF(room.x, room.y, room.width, room.height), shown, source)
        painter.end()


def coloured(pixels: np.ndarray, params: OutputParams) -> np.ndarray:
    """RGBA8 pixels as the effects on colour make them, at most twice `LARGEST_PICTURE` wide."""
    step = max(1, pixels.shape[1] // LARGEST_PICTURE)
    matrix = colour_matrix(params)
    if matrix == UNCHANGED:
        return pixels if step == 1 else np.ascontiguousarray(pixels[::step, ::step])
    small = pixels[::step, ::step]
    rgb = small[..., :3] @ np.array(matrix, np.float32).reshape(3, 3).T + np.float32(255.0 * colour_offset(params))
    changed = np.full_like(small, 255, order="C")
    changed[..., :3] = np.clip(rgb, 0.0, 255.0)
    return changed


class ProgramPanel(QFrame):
    """State and picture in a frame of the state's colour."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("program")
        self._colour = ""
        self.state = QuietLabel("large")
        self.state.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.state.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.picture = Picture()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(FRAME_WIDTH, FRAME_WIDTH, FRAME_WIDTH, FRAME_WIDTH)
        layout.setSpacing(0)
        layout.addWidget(self.state)
        layout.addWidget(self.picture, 1)

    def show_status(
        self, generator: GeneratorStatus, playback: PlaybackStatus, params: OutputParams, held: str = ""
    ) -> State:
        """Show the state; return it."""
        state = describe_state(generator, playback, params, held)
        style = None
        if state.colour != self._colour:
            self._colour = state.colour
            self.setStyleSheet(f"QFrame#program {{ background: {state.colour}; border-radius: 6px; }}")
            style = f"background: {state.colour}; color: {theme.ON_COLOUR};"
        self.state.show_text(f"PROGRAM  {state.word}", style)
        self.state.setToolTip(state.detail)
        return state
