"""The sixteen look slots: a click calls up, Shift+click saves, a middle click arms the free deck."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from PyQt6.QtCore import QRect, QSize, Qt
from PyQt6.QtGui import QColor, QFontMetrics, QMouseEvent, QPaintEvent
from PyQt6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyleOptionButton,
    QStylePainter,
    QVBoxLayout,
)

from vj.app import theme
from vj.app.addressed import SOURCE, Addressed, tooltip
from vj.app.parameter_widgets import heading
from vj.app.surface import Surface
from vj.presets.deck_params import arm_address
from vj.presets.params import LOOK_SLOTS

COLUMNS = 2
PADDING = 6
ARMED_WIDTH = 4
NUMBER_SHARE = 1.8  # ems kept for the slot's number


@dataclass(frozen=True)
class LookSource:
    """What the panel reads of the looks; all of it answers at once."""

    names: Callable[[], Sequence[str]] = lambda: ("",) * LOOK_SLOTS  # title of the look in each slot; empty = none
    version: Callable[[], int] = lambda: 0  # moves when a name does


class LookButton(Addressed, QPushButton):
    """One slot: number and name."""

    def __init__(
        self, surface: Surface, slot: int, is_saving: Callable[[], bool], is_arming: Callable[[], bool]
    ) -> None:
        QPushButton.__init__(self)
        self.slot = slot
        self.name = ""
        self._is_saving, self._is_arming = is_saving, is_arming
        self._is_armed = False
        self.save_address = f"/vj/look/{slot}/save"
        self.arm_address = arm_address(slot)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
        self.stand_for(surface, f"/vj/look/{slot}/recall")
        self.clicked.connect(self._play)
        self.show_name("")

    def sizeHint(self) -> QSize:
        """One line."""
        metrics = QFontMetrics(self.font())
        return QSize(metrics.averageCharWidth() * 12, metrics.height() + 4)

    def minimumSizeHint(self) -> QSize:
        """One line, however narrow."""
        return QSize(60, self.sizeHint().height())

    def show_name(self, name: str) -> None:
        """Show the look in this slot."""
        self.name = name
        self.setToolTip(
            f"{name or 'empty'}<br>{tooltip(self.address)}<br>Shift+click saves here, middle click arms the free deck."
        )
        self.setAccessibleName(f"look {self.slot} {name}")
        self.update()

    def show_armed(self, is_armed: bool) -> None:
        """Show that a press waits for its beat."""
        if is_armed != self._is_armed:
            self._is_armed = is_armed
            self.update()

    def shown_texts(self) -> list[tuple[str, QRect, Qt.AlignmentFlag]]:
        """What is written, where, and at which side."""
        metrics = QFontMetrics(self.font())
        number = round(metrics.height() * NUMBER_SHARE)
        inside = self.rect().adjusted(PADDING, 0, -PADDING, 0)
        words = inside.adjusted(number - PADDING, 0, 0, 0)
        name = metrics.elidedText(self.name or "–", Qt.TextElideMode.ElideRight, words.width())
        return [(str(self.slot), inside, Qt.AlignmentFlag.AlignLeft), (name, words, Qt.AlignmentFlag.AlignLeft)]

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the number faint and the name bright."""
        painter = QStylePainter(self)
        option = QStyleOptionButton()
        self.initStyleOption(option)
        painter.drawControl(QStyle.ControlElement.CE_PushButtonBevel, option)
        if self._is_armed:
            painter.fillRect(0, 3, ARMED_WIDTH, self.height() - 6, QColor(theme.WARNING))
        is_bright = self.isChecked() or self.isDown()
        (number, place, side), (name, name_place, name_side) = self.shown_texts()
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setPen(QColor(theme.ON_COLOUR if is_bright else theme.FAINT))
        painter.drawText(place, side | middle, number)
        if self.name:
            painter.setPen(QColor(theme.ON_COLOUR if is_bright else theme.TEXT))
        painter.drawText(name_place, name_side | middle, name)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Save with Shift, copy the address with Ctrl, else press."""
        if self.is_copying(event):
            return
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._surface.controls.trigger(self.save_address, SOURCE)
        elif event.button() == Qt.MouseButton.MiddleButton:
            self._surface.controls.trigger(self.arm_address, SOURCE)
        else:
            QPushButton.mousePressEvent(self, event)

    def _play(self) -> None:
        address = self.arm_address if self._is_arming() else self.address
        address = self.save_address if self._is_saving() else address
        self.setChecked(not self.isChecked())  # the light is the instrument's answer, not the click's
        self._surface.controls.trigger(address, SOURCE)


class LookPanel(QFrame):
    """The grid, and a button that makes the next click save."""

    def __init__(self, surface: Surface, source: LookSource, columns: int = COLUMNS) -> None:
        super().__init__()
        self.setObjectName("card")
        self._source = source
        self._controls = surface.controls
        self._version: int | None = None
        self.save = QPushButton("Save to …")
        self.save.setObjectName("small")
        self.save.setCheckable(True)
        self.save.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.save.setToolTip("The next slot clicked takes what plays now. Shift+click on a slot does the same.")
        self.arm = QPushButton("To deck …")
        self.arm.setObjectName("small")
        self.arm.setCheckable(True)
        self.arm.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.arm.setToolTip(
            "The next slot clicked is made ready on the free deck. Middle click on a slot does the same."
        )
        self.buttons = [LookButton(surface, n, self._take_saving, self._take_arming) for n in range(1, LOOK_SLOTS + 1)]
        top = QHBoxLayout()
        top.addWidget(heading("Looks"), 1)
        top.addWidget(self.arm)
        top.addWidget(self.save)
        grid = QGridLayout()
        grid.setSpacing(3)
        for k, button in enumerate(self.buttons):
            grid.addWidget(button, k // columns, k % columns)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(7, 4, 7, 6)
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addLayout(grid, 1)

    def refresh(self, armed: Collection[str] = ()) -> None:
        """Show the names, which slot was called up last, and whose press waits (`armed` are addresses)."""
        version = self._source.version()
        if version != self._version:
            self._version = version
            for button, name in zip(self.buttons, self._source.names(), strict=True):
                button.show_name(name)
        lit = self._recalled(armed)
        for button in self.buttons:
            button.show_armed(button.address in armed)
            if button.isChecked() != (button.slot == lit):
                button.setChecked(button.slot == lit)

    def _take_saving(self) -> bool:
        is_saving = self.save.isChecked()
        self.save.setChecked(False)
        return is_saving

    def _take_arming(self) -> bool:
        is_arming = self.arm.isChecked()
        self.arm.setChecked(False)
        return is_arming

    def _recalled(self, armed: Collection[str]) -> int:
        """Slot called up last, by anybody; 0 = none yet. What is armed has not been called up yet."""
        called = (button for button in self.buttons if button.address not in armed)
        moves = ((self._controls.moved_by(button.address), button.slot) for button in called)
        return max(((move.time_ns, slot) for move, slot in moves if move is not None), default=(0, 0))[1]
