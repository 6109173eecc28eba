"""The strip along the bottom: rates, buffer, latency, the last controller message, ports and the last error.

Shows frozen statuses that are handed in; asks nobody.
"""

from __future__ import annotations

from dataclasses import dataclass

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from engine.messages import GeneratorStatus
from vj.app import theme
from vj.app.durations import clock_text
from vj.app.parameter_widgets import QuietLabel
from vj.controllers.router import Played
from vj.output.playback import PlaybackStatus
from vj.recording.desk import RecordStatus
from vj.tempo.latency import Latency

LOW_RATE_SHARE = 0.95  # of content rate: below it the generator is shown in amber
REFRESHES_TO_SCREEN = 1.5  # half a one until it is drawn, on average, and one until it is shown


@dataclass(frozen=True)
class Ports:
    """How the outside world reaches the instrument."""

    osc: str = ""  # HOST:PORT, or why there is none
    has_osc_moved: bool = False  # the usual port was taken
    midi: str = ""
    is_open: bool = False  # others on the network can play


class Meter(QWidget):
    """A large figure over a small word."""

    def __init__(self, word: str, help_text: str) -> None:
        super().__init__()
        self._figure = QuietLabel("large")
        self._figure.setAlignment(Qt.AlignmentFlag.AlignLeft)
        label = QuietLabel("note", word)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._figure)
        layout.addWidget(label)
        self.setToolTip(help_text)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    @property
    def figure(self) -> str:
        """What it shows now."""
        return self._figure.text()

    def show_figure(self, text: str, colour: str = theme.TEXT) -> None:
        """Show a figure in a colour."""
        self._figure.show_text(text, f"color: {colour};")


class StatusStrip(QWidget):
    """Meters, controllers, ports and the last error."""

    def __init__(self) -> None:
        super().__init__()
        self._detail = ""  # of the state; shown while there is no error to show
        self.generator_fps = Meter("generator fps", "Frames the engine makes per second of work")
        self.display_fps = Meter("display fps", "Refreshes of the output per second")
        self.buffered = Meter("buffer", "Frames ready and not yet shown, and how long they last")
        self.repeats = Meter("repeats", "Frames that were due while nothing newer was there, since the start")
        self.effect_latency = Meter("effects", "From a hand to the screen: level, blackout, effects")
        self.model_latency = Meter("prompts", "From a hand to the screen: prompts, seeds, the model's settings")
        self.input_latency = Meter("input", "From a frame that comes in to the picture the model makes of it")
        self.recording = Meter("recording", "How long the recording plays by now; in amber when it lacks pictures")
        self.message, self.played = QuietLabel(), QuietLabel("note")
        self.osc, self.midi = QuietLabel(), QuietLabel("note")
        self.error = QuietLabel()
        for label in (self.message, self.played, self.osc, self.midi, self.error):
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        top = QHBoxLayout()
        top.setSpacing(14)
        for meter in self._meters():
            top.addWidget(meter)
        top.addLayout(_pair(self.message, self.played), 3)
        top.addLayout(_pair(self.osc, self.midi), 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 0, 4, 0)
        layout.setSpacing(2)
        layout.addLayout(top)
        layout.addWidget(self.error)

    def _meters(self) -> tuple[Meter, ...]:
        return (
            self.generator_fps,
            self.display_fps,
            self.buffered,
            self.repeats,
            self.effect_latency,
            self.model_latency,
            self.input_latency,
            self.recording,
        )

    def show_status(self, generator: GeneratorStatus, playback: PlaybackStatus, latency: Latency | None) -> None:
        """Show rates, buffer and latency."""
        is_slow = 0.0 < generator.generator_fps < LOW_RATE_SHARE * playback.rate_fps
        warning = theme.WARNING
        self.generator_fps.show_figure(_rate(generator.generator_fps), warning if is_slow else theme.TEXT)
        self.display_fps.show_figure(_rate(playback.display_fps))
        self.buffered.show_figure(_buffer(playback), warning if playback.is_starved else theme.TEXT)
        self.repeats.show_figure(str(playback.repeats))
        effects_s = REFRESHES_TO_SCREEN / playback.display_fps if playback.display_fps > 0.0 else None
        self.effect_latency.show_figure("–" if effects_s is None else _milliseconds(effects_s))
        is_measured = latency is not None and playback.is_streaming
        self.model_latency.show_figure(_milliseconds(latency.value_s) if is_measured else "–")
        self.input_latency.show_figure(_milliseconds(playback.input_latency_s) if playback.input_latency_s else "–")

    def show_recording(self, status: RecordStatus) -> None:
        """Show that and for how long something is recorded."""
        if not status.is_on:
            self.recording.show_figure("–")
            return
        is_short = bool(status.recorder.dropped + status.missed)
        length = clock_text(status.recorder.length_s if status.recorder.take else 0.0)
        self.recording.show_figure(f"● {length}", theme.WARNING if is_short else theme.ALARM)

    def show_ports(self, ports: Ports) -> None:
        """Show where controllers are heard; a port that moved or is open cannot be missed."""
        is_loud = ports.has_osc_moved or ports.is_open
        notes = ("usual port taken" if ports.has_osc_moved else "", "open to the network" if ports.is_open else "")
        note = "".join(f" · {word}" for word in notes if word)
        words = f"OSC {ports.osc}{note}" if ports.osc else "OSC –"
        self.osc.show_fitting(words, f"color: {theme.WARNING if is_loud else theme.TEXT}; font-weight: 600;")
        self.midi.show_fitting(ports.midi or "MIDI –")

    def show_played(self, played: Played | None) -> None:
        """Show the last controller message and what it moved."""
        words, detail, colour = describe_played(played)
        self.message.show_fitting(words)
        self.played.show_fitting(detail, f"color: {colour};")

    def show_osc(self, words: str, colour: str) -> None:
        """Show the last OSC message instead, when it is newer."""
        self.message.show_fitting("OSC")
        self.played.show_fitting(words, f"color: {colour};")

    def show_error(self, sentence: str, detail: str = "") -> None:
        """Show the last thing that went wrong, in one line; `detail` of the state while nothing did."""
        if sentence:
            self.error.show_fitting(" ".join(sentence.split()), f"color: {theme.ALARM}; font-weight: 600;")
        else:
            self.error.show_fitting(detail or "no errors", f"color: {theme.FAINT};")


def describe_played(played: Played | None) -> tuple[str, str, str]:
    """Two lines for the newest controller message, and the colour of the second."""
    if played is None:
        return "–", "no controller moved yet", theme.FAINT
    event = played.event
    words = f"{event.device}  {event.control}  {event.value:.2f}"
    if played.is_waiting:
        return words, f"waits to pick up {', '.join(played.addresses)}", theme.WARNING
    if played.addresses:
        return words, ", ".join(played.addresses), theme.GOOD
    return words, "not mapped: M, click a widget, move it", theme.WARNING


def _pair(upper: QWidget, lower: QWidget) -> QVBoxLayout:
    layout = QVBoxLayout()
    layout.setSpacing(0)
    layout.addWidget(upper)
    layout.addWidget(lower)
    return layout


def _rate(rate: float) -> str:
    return f"{rate:.1f}" if rate > 0.0 else "–"


def _buffer(playback: PlaybackStatus) -> str:
    if playback.playback_fps <= 0.0:
        return str(playback.buffered_frames)
    return f"{playback.buffered_frames} / {playback.buffered_frames / playback.playback_fps * 1000:.0f} ms"


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
