"""Hints under the pads, and longer texts that are proposed on them, taken, edited and dropped by hand."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest

from engine.model_presets import list_presets
from tests.vj.app.stage import Stage
from vj.app.prompt_panel import PromptPad, describe_hints

TEXT = "/vj/prompt/1/text"


@pytest.fixture
def rich(show: Stage, tmp_path: Path) -> Iterator[Stage]:
    """The window while a model plays that was trained on long texts."""
    ember = list_presets()["ember"].read_text("utf-8")
    folder = tmp_path / "vj" / "presets" / "models"
    folder.mkdir(parents=True)
    words = ember.replace('name = "ember"', 'name = "rich"').replace("caption_words = 0", "caption_words = 60")
    (folder / "rich.toml").write_text(words, "utf-8")
    show.generator = replace(show.generator, model="rich")
    show.controls.set(TEXT, "violet smoke", "test")
    show.performance.prompt_help.start()
    wait_for(show, lambda: not pad(show).extend.isHidden())
    yield show
    show.performance.prompt_help.stop()


def pad(show: Stage) -> PromptPad:
    return show.panels.play.prompts.pads[0]


def wait_for(show: Stage, is_so) -> None:
    end_s = time.monotonic() + 10.0
    while not is_so():
        assert time.monotonic() < end_s, "it did not come"
        show.poll()
        time.sleep(0.01)


def propose(show: Stage) -> str:
    QTest.mouseClick(pad(show).extend, Qt.MouseButton.LeftButton)
    wait_for(show, lambda: pad(show).text.toPlainText() != "violet smoke")
    return pad(show).text.toPlainText()


def test_ember_is_not_nagged(show: Stage):
    show.generator = replace(show.generator, model="ember")
    show.performance.prompt_help.start()
    show.fill()
    show.settle()
    time.sleep(0.2)
    show.settle()
    prompts = show.panels.play.prompts
    assert prompts.hint.isHidden()
    assert all(one.extend.isHidden() for one in prompts.pads)
    show.performance.prompt_help.stop()


def test_hints_follow_what_is_heard_and_what_is_typed(rich: Stage):
    hint = rich.panels.play.prompts.hint
    assert hint.toolTip() == "pad 1   no setting named: where is it?   ·   2 words: the model was trained on about 60"
    rich.panels.bring_up()
    field = rich.panels.play.prompts.pads[4].text
    field.setFocus()
    QTest.keyClicks(field, "a cat in a garden, cut to a dog")
    rich.poll()
    assert hint.toolTip().startswith("pad 5   “cut to” asks for several shots")
    assert describe_hints([], 60) == ""
    assert rich.panels.play.prompts.pads[1].extend.isHidden(), "an empty pad has nothing to make longer"


def test_a_proposal_is_shown_and_taken_by_a_second_press(rich: Stage):
    proposed = propose(rich)
    assert proposed.startswith("violet smoke.")
    assert rich.get(TEXT) == "violet smoke"
    assert (pad(rich).note.text(), pad(rich).extend.text()) == ("proposed", "TAKE")
    assert proposed in pad(rich).text.toolTip()
    QTest.mouseClick(pad(rich).extend, Qt.MouseButton.LeftButton)
    rich.poll()
    assert rich.get(TEXT) == proposed
    assert pad(rich).extend.text() == "EXT"


def test_a_proposal_is_edited_taken_by_enter_and_undone_by_ctrl_z(rich: Stage):
    proposed = propose(rich)
    rich.panels.bring_up()
    field = pad(rich).text
    field.setFocus()
    QTest.keyClick(field, Qt.Key.Key_End, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(field, " Rain.")
    rich.poll()
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert rich.get(TEXT) == f"{proposed} Rain."
    rich.poll()
    field.setFocus()
    QTest.keyClick(field, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert rich.get(TEXT) == "violet smoke"


def test_esc_drops_a_proposal(rich: Stage):
    propose(rich)
    pad(rich).text.setFocus()
    QTest.keyClick(pad(rich).text, Qt.Key.Key_Escape)
    rich.poll()
    assert pad(rich).text.toPlainText() == rich.get(TEXT) == "violet smoke"
    assert pad(rich).note.text() != "proposed"
