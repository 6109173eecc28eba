"""Cues, looks, timelines and shows, edited in the window."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QPushButton

from tests.vj.app.stage import Stage
from vj.app.durations import read_duration, write_duration
from vj.presets.cue_list import ListedCue
from vj.presets.recall import Duration

LEFT = Qt.MouseButton.LeftButton
PAGE = 1


@pytest.fixture
def page(show: Stage) -> Stage:
    show.panels.show_page(PAGE)
    show.settle()
    return show


def press(button: QPushButton) -> None:
    QTest.mouseClick(button, LEFT)


def cells(show: Stage, row: int) -> list[str]:
    table = show.panels.show_files.cues.table
    return [table.item(row, column).text() for column in range(table.columnCount())]


def names(show: Stage) -> list[str]:
    return [cue.name for cue in show.performance.repertoire.cues.cues]


def test_a_look_becomes_a_cue_and_go_plays_it(page: Stage):
    files = page.panels.show_files
    files.looks.setCurrentItem(files.looks.findItems("furnace", Qt.MatchFlag.MatchExactly)[0])
    press(next(button for button in files.findChildren(QPushButton) if button.text() == "Add as cue"))
    assert names(page) == ["Furnace"]
    page.poll()
    assert cells(page, 0)[:3] == ["next", "Furnace", "furnace"]
    press(page.panels.performance.cues.go)
    page.poll()
    assert cells(page, 0)[0] == "▶ now"
    assert page.panels.play.cues.next.toolTip() == "the cue list is over"


def test_cues_are_moved_stood_by_and_removed(page: Stage):
    cues, editor = page.performance.repertoire.cues, page.panels.show_files.cues
    cues.replace_all(tuple(ListedCue(name) for name in ("one", "two", "three")))
    page.poll()
    editor.table.selectRow(2)
    press(editor.buttons["Up"])
    assert names(page) == ["one", "three", "two"]
    assert editor.selected == 2
    press(editor.buttons["Stand by"])
    assert page.get("/vj/cue/next") == 2
    press(editor.buttons["Remove"])
    assert names(page) == ["one", "two"]


def test_what_plays_becomes_a_cue(page: Stage):
    page.controls.set("/vj/effect/zoom", 1.5, "test")
    press(page.panels.show_files.cues.buttons["Add what plays"])
    page.controls.set("/vj/effect/zoom", 1.0, "test")
    page.controls.trigger("/vj/cue/go", "test")
    assert page.get("/vj/effect/zoom") == 1.5


def test_a_cell_is_rewritten_and_nonsense_is_told(page: Stage):
    cues, table = page.performance.repertoire.cues, page.panels.show_files.cues.table
    cues.replace_all((ListedCue("one"),))
    page.poll()
    table.item(0, 3).setText("4 beats")
    assert cues.cues[0].fade == Duration(4.0, is_beats=True)
    table.item(0, 3).setText("soon")
    assert cues.cues[0].fade == Duration(4.0, is_beats=True)
    assert "'soon' is no length" in page.panels.header.message.toolTip()
    page.poll()
    assert cells(page, 0)[3] == "4 beats"
    table.item(0, 5).setText("hard")
    assert cues.cues[0].cut == "hard"


@pytest.mark.parametrize("text", ["", "2 s", "2.5 s", "16 beats"])
def test_a_length_is_read_as_it_is_written(text: str):
    assert write_duration(read_duration(text)) == text


@pytest.mark.parametrize(
    ("text", "duration"),
    [("2", Duration(2.0)), ("1,5 seconds", Duration(1.5)), ("4b", Duration(4.0, is_beats=True))],
)
def test_a_length_may_be_written_in_other_ways(text: str, duration: Duration):
    assert read_duration(text) == duration


@pytest.mark.parametrize("text", ["soon", "-1", "99999", "2 weeks"])
def test_no_length_is_refused_with_a_sentence(text: str):
    with pytest.raises(ValueError, match="is no length"):
        read_duration(text)


def test_the_looks_light_up_when_they_are_called_and_wait_when_armed(show: Stage):
    show.panels.show_page(0)
    buttons = show.panels.play.looks.buttons
    press(buttons[2])
    show.poll()
    assert [button.slot for button in buttons if button.isChecked()] == [3]
    show.controls.set("/vj/clock/quantise", "4 bars", "test")
    press(buttons[4])
    show.poll()
    assert [button.slot for button in buttons if button.isChecked()] == [3]
    assert show.panels.live.next.stage.text() == "ARMED"
    assert show.panels.live.next.name.toolTip() == "look 5"


def test_shift_click_and_save_to_keep_what_plays(show: Stage):
    show.panels.show_page(0)
    panel = show.panels.play.looks
    QTest.mouseClick(panel.buttons[13], LEFT, Qt.KeyboardModifier.ShiftModifier)
    press(panel.save)
    press(panel.buttons[14])
    show.poll()
    slots = show.performance.repertoire.shelf.slots
    assert slots[13]
    assert slots[14]
    assert panel.buttons[14].name
    assert not panel.save.isChecked()
