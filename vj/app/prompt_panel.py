"""Sixteen prompt pads: words, weight, solo, GO, and how far each is on its way to the screen.

Shows what the store holds and what the engine really plays; knows nothing of how either gets there.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor, QFocusEvent, QKeyEvent, QKeySequence, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PyQt6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QPlainTextEdit, QSizePolicy, QVBoxLayout, QWidget

from engine.parameter import Value
from engine.params import PROMPT_PADS
from vj.app import theme
from vj.app.addressed import SOURCE, Addressed, tooltip
from vj.app.fader import Fader
from vj.app.pad_state import PadState, heard_prompts
from vj.app.parameter_widgets import LONGEST_TEXT, QuietLabel, SwitchButton, TriggerButton
from vj.app.surface import Surface
from vj.words.hints import prompt_hints
from vj.words.params import extend_address, undo_address
from vj.words.prompt_help import HelpView, PromptHelp

PADS_IN_ROW = 4
EDGE_WIDTH = 4
TEXT_MARGIN = 2
EXTEND, TAKE = "EXT", "TAKE"  # a longer text: ask for it, take it
TYPING = PadState("Enter sends", theme.ACCENT)


class PadText(Addressed, QPlainTextEdit):
    """A pad's words, wrapped. Enter sends them; Esc gives up; leaving hands the keyboard back to the instrument.

    A proposed text stands here in another colour until it is taken (Enter) or dropped (Esc).
    """

    def __init__(self, surface: Surface, pad: int, prompt_help: PromptHelp | None) -> None:
        QPlainTextEdit.__init__(self)
        self._pad = pad
        self._help = prompt_help
        self._held = ""
        self._proposed = ""
        self.setTabChangesFocus(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setPlaceholderText("words, then Enter")
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.document().setDocumentMargin(TEXT_MARGIN)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        address = f"/vj/prompt/{pad}/text"
        self.stand_for(surface, address, self.show_value)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.DefaultContextMenu)
        self.show_value(surface.controls.store.get(address))

    @property
    def is_typing(self) -> bool:
        """Whether words stand here that nobody has been sent."""
        return self.document().isModified() and self.words() != self._held

    def words(self) -> str:
        """What stands here, as one line."""
        return " ".join(self.toPlainText().split())[:LONGEST_TEXT]

    def show_value(self, value: Value) -> None:
        """Show what the store holds; words being typed are not disturbed."""
        is_typing = self.hasFocus() and self.is_typing
        self._held = str(value)
        self._show_bubble()
        if not is_typing and not self._proposed and self.toPlainText() != self._held:
            self.setPlainText(self._held)

    def show_proposal(self, words: str) -> None:
        """Show a text that waits to be taken; empty = none does. Words being typed are not disturbed."""
        if words == self._proposed or (words and self.is_typing):
            return
        self._proposed = words
        self.setStyleSheet(f"color: {theme.ACCENT};" if words else "")
        self.setPlainText(words or self._held)
        self._show_bubble()

    def _show_bubble(self) -> None:
        words = f"proposed: {self._proposed}" if self._proposed else self._held
        about = tooltip(self.address)
        self.setToolTip(f"{html.escape(words)}<br><br>{about}" if words else about)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Send at Enter, give up at Esc, go back to the words before at Ctrl+Z, type the rest."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.commit()
        elif event.key() == Qt.Key.Key_Escape:
            if self._proposed:
                self._surface.controls.trigger(undo_address(self._pad), SOURCE)
            self._leave()
        elif event.matches(QKeySequence.StandardKey.Undo) and not self.document().isUndoAvailable():
            self._surface.controls.trigger(undo_address(self._pad), SOURCE)
        else:
            QPlainTextEdit.keyPressEvent(self, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show whole lines only: half a line cannot be read."""
        room = self.height() - 2 * TEXT_MARGIN
        line = max(1, self.fontMetrics().lineSpacing())
        self.setViewportMargins(0, 0, 0, max(0, room - room // line * line))
        QPlainTextEdit.resizeEvent(self, event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Show the beginning again."""
        QPlainTextEdit.focusOutEvent(self, event)
        self.verticalScrollBar().setValue(0)

    def commit(self) -> None:
        """Send the words; a text the pad holds already is not asked for again."""
        words = self.words()
        if self._proposed and self._help is not None:
            self._help.take(self._pad, words, SOURCE)
            self._held = words
        elif words != self._held:
            self._held = str(self._surface.controls.set(self.address, words, SOURCE))
        self._leave()

    def _leave(self) -> None:
        self.show_proposal("")
        self.setPlainText(self._held)
        self.window().setFocus()


class PromptPad(QFrame):
    """One pad. A click beside its words brings it up, as GO does."""

    def __init__(self, surface: Surface, pad: int, prompt_help: PromptHelp | None) -> None:
        super().__init__()
        self.setObjectName("card")
        self.pad = pad
        self.weight_address = f"/vj/prompt/{pad}/weight"
        self._surface = surface
        self._state = PadState("", theme.FAINT)
        number = QLabel(str(pad))
        number.setObjectName("number")
        self.note = QuietLabel("note")
        self.note.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.solo = SwitchButton(surface, f"/vj/prompt/{pad}/solo", "S")
        self.solo.setObjectName("solo")
        self.go = TriggerButton(surface, f"/vj/prompt/{pad}/go", "GO")
        self.go.setObjectName("small")
        self.extend = TriggerButton(surface, extend_address(pad), EXTEND)
        self.extend.setObjectName("small")
        self.extend.hide()  # until a model plays that was trained on long texts
        for button in (self.solo, self.go, self.extend):
            button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        self.text = PadText(surface, pad, prompt_help)
        self.weight = Fader(surface, self.weight_address, "")
        self.weight.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        top, bottom = QHBoxLayout(), QHBoxLayout()
        for part in (number, self.note, self.solo):
            top.addWidget(part, part is self.note)
        for part in (self.weight, self.extend, self.go):
            bottom.addWidget(part, part is self.weight)
        for row in (top, bottom):
            row.setSpacing(4)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(EDGE_WIDTH + 4, 2, 4, 3)
        layout.setSpacing(2)
        layout.addLayout(top)
        layout.addWidget(self.text, 1)
        layout.addLayout(bottom)

    def show_state(self, state: PadState) -> None:
        """Show a state by word and edge."""
        if state == self._state:
            return
        is_recoloured = state.colour != self._state.colour
        self._state = state
        self.note.show_text(state.word, f"color: {state.colour};" if is_recoloured else None)
        self.note.setToolTip(state.detail)
        if is_recoloured:
            self.update()

    def show_help(self, view: HelpView) -> None:
        """Show what is proposed, and the way to ask for it where the model reads long texts."""
        proposal = view.proposals.get(self.pad)
        self.text.show_proposal(proposal.words if proposal is not None else "")
        is_wanted = bool(view.caption_words) and bool(self.text.words())
        if self.extend.isHidden() == is_wanted:
            self.extend.setVisible(is_wanted)
        word = TAKE if proposal is not None else EXTEND
        if self.extend.text() != word:
            self.extend.setText(word)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Bring this pad up; an empty one has nothing to show yet and asks for words."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        if not self.text.words():
            self.text.setFocus()
        else:
            self._surface.controls.trigger(self.go.address, SOURCE)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the state along the left edge."""
        super().paintEvent(event)
        if self._state.colour != theme.FAINT:
            painter = QPainter(self)
            painter.fillRect(1, 4, EDGE_WIDTH, self.height() - 8, QColor(self._state.colour))
            painter.end()


class PromptPanel(QWidget):
    """All pads, and a line with what the words of one of them lack."""

    def __init__(self, surface: Surface, prompt_help: PromptHelp | None = None) -> None:
        super().__init__()
        self.pads = tuple(PromptPad(surface, pad, prompt_help) for pad in range(1, PROMPT_PADS + 1))
        self.hint = QuietLabel("note")
        self.hint.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.hint.hide()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(5)
        for k, pad in enumerate(self.pads):
            grid.addWidget(pad, k // PADS_IN_ROW, k % PADS_IN_ROW)
            grid.setColumnStretch(k % PADS_IN_ROW, 1)
            grid.setRowStretch(k // PADS_IN_ROW, 1)
        grid.addWidget(self.hint, PROMPT_PADS // PADS_IN_ROW, 0, 1, PADS_IN_ROW)

    def show_states(self, states: Sequence[PadState]) -> None:
        """Show how far each pad is on its way to the screen."""
        for pad, state in zip(self.pads, states, strict=True):
            pad.show_state(TYPING if pad.text.is_typing else state)

    def show_help(self, view: HelpView, values: Mapping[str, Value]) -> None:
        """Show proposals, and the hints for the words that are typed or heard the most."""
        for pad in self.pads:
            pad.show_help(view)
        if self.hint.isHidden() == bool(view.caption_words):
            self.hint.setVisible(bool(view.caption_words))
        if view.caption_words:
            typed = [(pad.pad, pad.text.words()) for pad in self.pads if pad.text.hasFocus() or pad.text.is_typing]
            heard = [(pad, words) for pad, _, words in heard_prompts(values)[:1]]
            self.hint.show_fitting(describe_hints(typed or heard, view.caption_words))


def describe_hints(prompts: Sequence[tuple[int, str]], caption_words: int) -> str:
    """One line for the first of these pads and words; empty when nothing lacks."""
    for pad, words in prompts[:1]:
        if hints := prompt_hints(words, caption_words):
            return f"pad {pad}   {'   ·   '.join(hints)}"
    return ""
