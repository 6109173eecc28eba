"""Everything can be reached by keys, and the keys of the instrument play whatever has the focus but a text."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import QEvent, Qt
from PyQt6.QtGui import QKeyEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QLineEdit, QWidget

from tests.vj.app.stage import Stage
from vj.app.key_player import KeyPlayer
from vj.app.main_window import PAGES
from vj.app.prompt_panel import PadText

NO_FOCUS = Qt.FocusPolicy.NoFocus
CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def window(show: Stage) -> Stage:
    show.panels.bring_up()
    assert QTest.qWaitForWindowActive(show.panels)
    return show


def walked(show: Stage, most: int = 400) -> list[QWidget]:
    """Every widget that Tab comes to."""
    found: list[QWidget] = []
    show.panels.setFocus()
    for _ in range(most):
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        widget = QApplication.focusWidget()
        if widget in found:
            break
        found.append(widget)
    return found


@pytest.mark.parametrize("page", [*range(len(PAGES)), "performance"])
def test_tab_comes_to_every_widget_of_a_page(window: Stage, page: int | str):
    if page == "performance":
        QTest.keyClick(window.panels, Qt.Key.Key_E, CTRL)
    else:
        QTest.keyClick(window.panels, Qt.Key(Qt.Key.Key_1 + page), CTRL)
    window.settle()
    reached = set(walked(window))
    visible = [w for w in window.panels.surface.widgets if w.isVisible() and w.isEnabled()]
    assert len(visible) > 10
    assert [widget.address for widget in visible if widget not in reached] == []


@pytest.mark.parametrize("page", range(len(PAGES)))
def test_b_is_blackout_whatever_has_the_focus_but_a_text(window: Stage, page: int):
    window.panels.show_page(page)
    window.settle()
    for widget in walked(window):
        widget.setFocus()
        before = window.get("/vj/output/blackout")
        QTest.keyClick(widget, Qt.Key.Key_B)
        is_text = isinstance(widget, PadText | QLineEdit)
        assert (window.get("/vj/output/blackout") == before) == is_text, widget


def test_arrows_move_the_fader_that_has_the_focus(window: Stage):
    level = window.panels.live.output.level
    level.setFocus()
    QTest.keyClick(level, Qt.Key.Key_Left)
    assert window.get("/vj/output/level") == pytest.approx(0.99)
    QTest.keyClick(level, Qt.Key.Key_Home)
    assert window.get("/vj/output/level") == 0.0


def test_space_presses_the_button_that_has_the_focus_and_else_plays_the_next_cue(window: Stage):
    window.panels.play.stream.hard_cut.setFocus()
    QTest.keyClick(window.panels.play.stream.hard_cut, Qt.Key.Key_Space)
    assert [command.name for command in window.commands.take()] == ["cut/hard"]
    window.panels.setFocus()
    QTest.keyClick(window.panels, Qt.Key.Key_Space)
    assert window.controls.moved_by("/vj/cue/go").source == "key/Space"


def test_keys_pressed_elsewhere_play_the_instrument_and_open_no_page(window: Stage):
    player = KeyPlayer(window.performance.router, {}, lambda: False)  # as the output's are
    before = window.get("/vj/seed/value")
    for kind, play in ((QEvent.Type.KeyPress, player.press), (QEvent.Type.KeyRelease, player.release)):
        for key, word in ((Qt.Key.Key_N, "n"), (Qt.Key.Key_M, "m")):
            play(QKeyEvent(kind, key, Qt.KeyboardModifier.NoModifier, word))
    assert window.get("/vj/seed/value") == before + 1
    assert not window.panels.map_mode.isVisible()


def test_the_list_of_keys_opens_and_closes(window: Stage):
    QTest.keyClick(window.panels, Qt.Key.Key_Question, Qt.KeyboardModifier.ShiftModifier)
    assert window.panels.key_list.isVisible()
    QTest.keyClick(window.panels, Qt.Key.Key_Escape)
    assert not window.panels.key_list.isVisible()


def test_a_key_is_let_go_for_a_control_that_wants_to_know(window: Stage):
    router = window.performance.router
    QTest.keyPress(window.panels, Qt.Key.Key_N)
    assert router.last_event.value == 1.0
    QTest.keyRelease(window.panels, Qt.Key.Key_N)
    assert (router.last_event.control, router.last_event.value) == ("key/N", 0.0)
