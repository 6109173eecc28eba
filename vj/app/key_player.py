"""Keys that play the instrument: the window's own ones, and all others as a controller named keyboard.

Asked only for keys no widget wanted: a text that has the focus keeps its letters.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QKeyEvent, QKeySequence

from vj.controllers.events import KEYBOARD, ControlEvent
from vj.controllers.router import Router

MODIFIER_KEYS = (Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_AltGr, Qt.Key.Key_Meta)
NEVER_LEARNED = ("M", "Esc", "Return", "Shift+Return", "Ctrl+Z", "Ctrl+Q")  # they lead out of map mode


class KeyPlayer:
    """Belongs to the GUI thread."""

    def __init__(
        self, router: Router | None, own: Mapping[str, Callable[[], object]], is_learning: Callable[[], bool]
    ) -> None:
        """`own` keys are the window's, unless a mapping gives them something else to do or one is being learned."""
        self._router = router
        self._own = dict(own)
        self._is_learning = is_learning
        self._held: dict[int, str] = {}  # Qt's key -> control, between press and release

    def press(self, event: QKeyEvent) -> bool:
        """Play a key; False when nothing answers to it."""
        name = key_name(event)
        if not name:
            return False
        if event.isAutoRepeat():
            return name in self._own or event.key() in self._held
        control = f"key/{name}"
        router = self._router
        is_ours = name in self._own and (name in NEVER_LEARNED or not self._is_learning())
        if router is not None and (not is_ours or router.bindings_of(KEYBOARD, control)):
            self._held[event.key()] = control
            router.handle(ControlEvent(KEYBOARD, control, 1.0, time.monotonic_ns()))
            return True
        if name in self._own:
            self._own[name]()
            return True
        return False

    def release(self, event: QKeyEvent) -> bool:
        """Let go of a key that plays."""
        if event.isAutoRepeat() or event.key() not in self._held:
            return False
        control = self._held.pop(event.key())
        if self._router is not None:
            self._router.handle(ControlEvent(KEYBOARD, control, 0.0, time.monotonic_ns()))
        return True


def key_name(event: QKeyEvent) -> str:
    """Name a key as mapping files do, modifiers first: `Ctrl+S`, `Space`, `?`."""
    if event.key() in MODIFIER_KEYS or event.key() == Qt.Key.Key_unknown:
        return ""
    modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    if event.text() and event.text().isprintable() and not event.text().isalnum() and event.text() != " ":
        modifiers &= ~Qt.KeyboardModifier.ShiftModifier  # the sign itself says that it was held
    return QKeySequence(event.key() | modifiers.value).toString(QKeySequence.SequenceFormat.PortableText)
