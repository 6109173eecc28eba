"""Prompt pads 1 to 4 with their weights, and the crossfader between the first two.

Shows what the store holds and what the engine really plays; knows nothing of how either gets there.
"""

from __future__ import annotations

from collections.abc import Mapping

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QKeyEvent
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from engine.messages import GeneratorStatus
from engine.parameter import Value
from engine.params import PROMPT_PADS
from vj.app import theme
from vj.app.parameter_widgets import SOURCE, Fader, ParameterFader, QuietLabel, card, tooltip
from vj.controls import CROSSFADED_WEIGHTS, Controls
from vj.parameters import find_parameter

SHOWN_CHARACTERS = 46  # of an old text in a pad's note
LONGEST_TEXT = 2000  # characters; far beyond what any text encoder reads


class PromptText(QLineEdit):
    """One line of words. Esc gives up what was typed; leaving it hands the keyboard back to the instrument."""

    given_up = pyqtSignal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Watch for Esc."""
        if event.key() == Qt.Key.Key_Escape:
            self.given_up.emit()
        else:
            super().keyPressEvent(event)


class PromptPad(QWidget):
    """One pad: number, text, what of it is on screen, weight."""

    def __init__(self, controls: Controls, pad: int) -> None:
        super().__init__()
        self.setObjectName("row")
        self._controls = controls
        self.pad = pad
        self.text_address = f"/vj/prompt/{pad}/text"
        self.weight_address = f"/vj/prompt/{pad}/weight"
        self._shown_text = ""
        self._number = QLabel(str(pad))
        self._number.setObjectName("number")
        self._number.setFixedWidth(30)
        self.text = PromptText()
        self.text.setMaxLength(LONGEST_TEXT)
        self.text.setPlaceholderText("words for this pad, then Enter")
        self.text.setToolTip(tooltip(find_parameter(self.text_address)))
        self.text.returnPressed.connect(self.commit)
        self.text.given_up.connect(self._give_up)
        self.note = QuietLabel("note")
        self.note.setMinimumWidth(120)
        self.weight = ParameterFader(controls, self.weight_address)
        top, bottom = QHBoxLayout(), QHBoxLayout()
        top.addWidget(self._number)
        top.addWidget(self.text, 1)
        bottom.addSpacing(36)
        bottom.addWidget(self.weight, 3)
        bottom.addSpacing(12)
        bottom.addWidget(self.note, 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 2, 0, 2)
        layout.setSpacing(2)
        layout.addLayout(top)
        layout.addLayout(bottom)

    def commit(self) -> None:
        """Send the text to the engine; it plays as soon as it is encoded."""
        self._shown_text = str(self._controls.set(self.text_address, self.text.text(), SOURCE))
        self.text.setText(self._shown_text)
        self._leave_text()

    def _give_up(self) -> None:
        self.text.setText(self._shown_text)
        self._leave_text()

    def _leave_text(self) -> None:
        self.text.setModified(False)
        self.text.setCursorPosition(0)
        self.window().setFocus()

    def show_values(self, values: Mapping[str, Value]) -> None:
        """Show what the store holds; a text being typed is not disturbed."""
        text = str(values[self.text_address])
        is_typing = self.text.hasFocus() and self.text.isModified()
        if text != self._shown_text and not is_typing:
            self._shown_text = text
            self.text.setText(text)
            self.text.setCursorPosition(0)
        self.weight.show_value(values[self.weight_address])

    def show_status(self, status: GeneratorStatus, held_text: str, weight: float) -> None:
        """Say whether the text is typed, waiting or on screen."""
        on_screen = status.prompts_on_screen
        if self.text.isModified() and self.text.text().strip() != held_text:
            self.note.show_text("Enter sends it", f"color: {theme.ACCENT};")
        elif self.pad in status.prompts_waiting:
            old = on_screen[self.pad - 1] if len(on_screen) >= self.pad else ""
            still = f": still “{_shorten(old)}”" if old else ""
            self.note.show_text(f"waiting{still}", f"color: {theme.WARNING}; font-weight: 700;")
        elif len(on_screen) >= self.pad and on_screen[self.pad - 1] == held_text and held_text and weight > 0.0:
            self.note.show_text("on screen", f"color: {theme.GOOD};")
        else:
            self.note.show_text("ready" if held_text else "empty", f"color: {theme.FAINT};")


class PromptPanel(QWidget):
    """All pads and the crossfader."""

    def __init__(self, controls: Controls) -> None:
        super().__init__()
        self._controls = controls
        frame, inside = card("Prompts")
        self.pads = tuple(PromptPad(controls, pad) for pad in range(1, PROMPT_PADS + 1))
        for pad in self.pads:
            inside.addWidget(pad, 1)
        self.crossfader = Fader(lambda position: controls.crossfade(position, SOURCE))
        self.crossfader.setObjectName("crossfader")
        self.crossfader.setToolTip(
            "Crossfader: moves the weights of pads 1 and 2.<br><i>" + "<br>".join(CROSSFADED_WEIGHTS) + "</i>"
        )
        row = QHBoxLayout()
        for text, alignment in (("1", Qt.AlignmentFlag.AlignLeft), ("2", Qt.AlignmentFlag.AlignRight)):
            end = QLabel(text)
            end.setObjectName("number")
            end.setAlignment(alignment | Qt.AlignmentFlag.AlignVCenter)
            row.addWidget(end)
            if text == "1":
                row.addWidget(self.crossfader, 1)
        inside.addLayout(row)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(frame)

    def show_values(self, values: Mapping[str, Value]) -> None:
        """Show what the store holds."""
        for pad in self.pads:
            pad.show_values(values)
        self.crossfader.show_position(self._controls.crossfader_position())

    def show_status(self, status: GeneratorStatus, values: Mapping[str, Value]) -> None:
        """Show what the engine says of the texts."""
        for pad in self.pads:
            pad.show_status(status, str(values[pad.text_address]), float(values[pad.weight_address]))


def _shorten(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"
