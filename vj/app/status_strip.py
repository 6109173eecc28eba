"""The strip along the bottom: rates, buffer, repeats, ports, state and the last error, at a glance.

Shows frozen statuses that are handed in; asks nobody.
"""

from __future__ import annotations

from dataclasses import dataclass

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from engine.messages import GeneratorStatus
from vj.app import theme
from vj.app.parameter_widgets import QuietLabel
from vj.output.params import OutputParams
from vj.output.playback import PlaybackStatus

LOW_RATE_SHARE = 0.95  # of content rate: below it the generator is shown in amber
SHOWN_SENTENCE = 150  # characters of an error on the strip; all of it in the bubble


@dataclass(frozen=True)
class Ports:
    """How the outside world reaches the instrument."""

    osc: str = ""  # HOST:PORT, or why there is none
    has_osc_moved: bool = False  # the usual port was taken
    midi: str = ""


@dataclass(frozen=True)
class State:
    """One word for the whole, in its colour."""

    word: str
    colour: str
    detail: str = ""


def describe_state(generator: GeneratorStatus, playback: PlaybackStatus, params: OutputParams) -> State:
    """Say what the audience sees now and why; the gravest first."""
    if params.blackout:
        return State("BLACKOUT", theme.ALARM, "the audience sees black")
    if generator.state == "failed":
        return State("ENGINE DOWN", theme.ALARM, generator.detail)
    if not playback.is_streaming:
        return State("STARTING", theme.WARNING, generator.detail or f"loading {generator.model}")
    if playback.is_starved:
        return State("WAITING", theme.WARNING, "the next frame is late")
    if params.level <= 0.0:
        return State("LEVEL 0", theme.WARNING, "the audience sees black")
    return State("LIVE", theme.GOOD, generator.model)


class _Meter(QWidget):
    """A large figure over a small word."""

    def __init__(self, word: str, help_text: str) -> None:
        super().__init__()
        self._figure = QuietLabel()
        self._figure.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._figure.setMinimumWidth(70)
        label = QuietLabel("note", word)
        label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 0, 4, 0)
        layout.setSpacing(0)
        layout.addWidget(self._figure)
        layout.addWidget(label)
        self.setToolTip(help_text)

    @property
    def figure(self) -> str:
        return self._figure.text()

    def show_figure(self, text: str, colour: str = theme.TEXT) -> None:
        self._figure.show_text(text, f"font-size: 24px; font-weight: 700; color: {colour};")


class StatusStrip(QWidget):
    """State, meters, ports and the last error."""

    def __init__(self) -> None:
        super().__init__()
        self.state = QuietLabel()
        self.state.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.state.setMinimumWidth(190)
        self.generator_fps = _Meter("generator fps", "Frames the engine makes per second of work")
        self.display_fps = _Meter("display fps", "Refreshes of the output per second")
        self.buffered = _Meter("buffered", "Frames ready and not yet shown")
        self.repeats = _Meter("repeats", "Frames that were due while nothing newer was there, since the start")
        self._detail = ""  # of the state; shown while there is no error to show
        self.osc = QuietLabel()
        self.midi = QuietLabel("note")
        self.error = QuietLabel()
        self.error.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        ports = QVBoxLayout()
        ports.setSpacing(0)
        ports.addWidget(self.osc)
        ports.addWidget(self.midi)
        top = QHBoxLayout()
        top.addWidget(self.state)
        top.addStretch(1)
        for meter in (self.generator_fps, self.display_fps, self.buffered, self.repeats):
            top.addWidget(meter)
        top.addStretch(1)
        top.addLayout(ports)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2, 0, 2, 0)
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addWidget(self.error)

    def show_status(self, generator: GeneratorStatus, playback: PlaybackStatus, params: OutputParams) -> None:
        """Show rates and state."""
        state = describe_state(generator, playback, params)
        self.state.show_text(state.word, theme.badge(state.colour, size_px=24))
        self.state.setToolTip(state.detail)
        self._detail = state.detail
        is_slow = 0.0 < generator.generator_fps < LOW_RATE_SHARE * playback.rate_fps
        self.generator_fps.show_figure(_rate(generator.generator_fps), theme.WARNING if is_slow else theme.TEXT)
        self.display_fps.show_figure(_rate(playback.display_fps))
        self.buffered.show_figure(str(playback.buffered_frames), theme.WARNING if playback.is_starved else theme.TEXT)
        self.repeats.show_figure(str(playback.repeats))

    def show_ports(self, ports: Ports) -> None:
        """Show where controllers are heard; a port that moved cannot be missed."""
        osc_style = theme.badge(theme.WARNING, size_px=18) if ports.has_osc_moved else f"color: {theme.TEXT};"
        moved = "  (usual port taken)" if ports.has_osc_moved else ""
        self.osc.show_text(f"OSC {ports.osc}{moved}", osc_style)
        self.midi.show_text(ports.midi)

    def show_error(self, sentence: str) -> None:
        """Show the last thing that went wrong, in one line."""
        if not sentence:
            self.error.show_text(self._detail or "no errors", f"color: {theme.FAINT}; font-size: 15px;")
            return
        line = " ".join(sentence.split())
        shown = line if len(line) <= SHOWN_SENTENCE else line[: SHOWN_SENTENCE - 1] + "…"
        self.error.show_text(shown, f"color: {theme.ALARM}; font-size: 16px; font-weight: 600;")
        self.error.setToolTip(sentence)


def _rate(rate: float) -> str:
    return f"{rate:.1f}" if rate > 0.0 else "–"
