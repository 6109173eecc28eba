"""Map mode: a click on a widget, a move of a control; conflicts, undo, keys that are learned."""

from __future__ import annotations

import time

import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QWidget

from tests.vj.app.stage import Stage
from vj.controllers.events import ControlEvent

SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
KNOB = ("My Box", "cc/15/99")  # plays nothing in any shipped file


@pytest.fixture
def mapping(show: Stage) -> Stage:
    show.panels.bring_up()
    assert QTest.qWaitForWindowActive(show.panels)
    show.settle()
    QTest.keyClick(show.panels, Qt.Key.Key_M)
    return show


def click_over(show: Stage, widget: QWidget, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    place = widget.mapTo(show.panels, widget.rect().center())
    sheet = show.panels.map_mode
    assert show.panels.childAt(place) is sheet, "the widget is not lit"
    QTest.mouseClick(sheet, Qt.MouseButton.LeftButton, keys, sheet.mapFrom(show.panels, place))


def turn(show: Stage, *positions: float, control: tuple[str, str] = KNOB) -> None:
    for position in positions:
        show.performance.router.handle(ControlEvent(*control, position, time.monotonic_ns()))
        time.sleep(0.002)


def learn(show: Stage, widget: QWidget) -> None:
    click_over(show, widget)
    turn(show, 0.1, 0.3, 0.5, 0.7, 0.8)
    end = time.monotonic() + 5.0
    while show.performance.learn.state.address:
        assert time.monotonic() < end, "nothing was learned"
        QTest.qWait(20)


def test_a_click_and_a_move_are_a_mapping(mapping: Stage):
    learn(mapping, mapping.panels.live.effects.faders[0])
    address = mapping.panels.live.effects.faders[0].address
    assert [found.control for found in mapping.performance.learn.assignments(address) if found.is_learned] == [KNOB[1]]
    before = mapping.get(address)
    QTest.keyClick(mapping.panels, Qt.Key.Key_Escape)
    turn(mapping, 0.9, 0.0, 1.0)
    assert mapping.get(address) != before


def test_the_widgets_play_nothing_while_they_are_lit(mapping: Stage):
    click_over(mapping, mapping.panels.live.output.blackout)
    assert mapping.get("/vj/output/blackout") is False
    assert mapping.panels.map_mode.selected == "/vj/output/blackout"


def test_what_is_not_lit_stays_in_reach(mapping: Stage):
    page = mapping.panels.header.pages[2]
    assert mapping.panels.childAt(page.mapTo(mapping.panels, page.rect().center())) is page
    QTest.mouseClick(page, Qt.MouseButton.LeftButton)
    mapping.settle()
    editor = mapping.panels.modulation.editors.currentWidget()
    click_over(mapping, editor.is_on)
    assert mapping.panels.map_mode.selected == "/vj/mod/1/on"


def test_a_control_that_plays_something_else_is_asked_about(mapping: Stage):
    faders = mapping.panels.live.effects.faders
    learn(mapping, faders[0])
    click_over(mapping, faders[1])
    turn(mapping, 0.2, 0.4, 0.6, 0.9)
    mapping.poll()
    assert faders[0].address in mapping.panels.header.message.toolTip()
    QTest.qWait(600)
    assert mapping.performance.learn.state.address, "a conflict must not be accepted by itself"
    QTest.keyClick(mapping.panels, Qt.Key.Key_Return, SHIFT)
    for fader in faders[:2]:
        assert KNOB[1] in [found.control for found in mapping.performance.learn.assignments(fader.address)]


def test_undo_takes_a_mapping_back(mapping: Stage):
    fader = mapping.panels.live.effects.faders[0]
    learn(mapping, fader)
    QTest.keyClick(mapping.panels, Qt.Key.Key_Z, CTRL)
    assert not [found for found in mapping.performance.learn.assignments(fader.address) if found.is_learned]
    assert "undone" in mapping.panels.header.message.toolTip()


def test_a_key_can_be_learned_that_the_window_has_a_use_for(mapping: Stage):
    click_over(mapping, mapping.panels.play.stream.hard_cut)
    QTest.keyClick(mapping.panels, Qt.Key.Key_B)
    mapping.poll()
    assert mapping.get("/vj/output/blackout") is False
    assert mapping.performance.learn.state.proposal.gesture.control == "key/B"


def test_ctrl_click_copies_the_address_in_map_mode_and_out_of_it(mapping: Stage):
    click_over(mapping, mapping.panels.play.transition.time, CTRL)
    assert QGuiApplication.clipboard().text() == "/vj/transition/time"
    mapping.panels.map_mode.leave()
    for widget in (mapping.panels.play.stream.hard_cut, mapping.panels.play.transition.easing):
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton, CTRL)
        assert QGuiApplication.clipboard().text() == widget.address
    assert mapping.commands.take() == []


def test_the_menu_offers_what_can_be_done_with_an_address(mapping: Stage):
    fader = mapping.panels.live.effects.faders[0]
    learn(mapping, fader)
    mapping.panels.map_mode.leave()
    menu = mapping.panels.menu.open(fader.address, QPoint(10, 10))
    words = [action.text() for action in menu.actions()]
    menu.close()
    assert words[0] == f"Copy {fader.address}"
    assert any(word.startswith("Remove") and KNOB[1] in word for word in words)
    assert any(word.startswith("Default") for word in words)


def test_a_control_that_waits_leaves_a_ghost_in_the_fader(mapping: Stage):
    fader = mapping.panels.live.effects.faders[0]
    learn(mapping, fader)
    mapping.panels.map_mode.leave()
    mapping.controls.set(fader.address, fader.parameter.maximum, "look x")
    turn(mapping, 0.2)
    mapping.poll()
    assert fader.ghost == (pytest.approx(0.2, abs=0.01), 1)
    assert "waits" in mapping.panels.strip.played.toolTip()
    turn(mapping, 1.0)
    mapping.poll()
    assert fader.ghost is None
