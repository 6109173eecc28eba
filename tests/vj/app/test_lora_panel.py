"""The LoRA rows: a file dropped or typed fills a slot, and what the engine makes of it is told below."""

from __future__ import annotations

import dataclasses

import pytest
from PyQt6.QtCore import QMimeData, QPointF, Qt, QUrl
from PyQt6.QtGui import QDropEvent
from PyQt6.QtWidgets import QFileDialog

from tests.vj.app.stage import Stage
from vj.app import theme
from vj.app.main_window import PAGES


@pytest.fixture
def rows(show: Stage):
    show.panels.show_page(PAGES.index("Engine"))
    return show.panels.engine.loras.rows


def dropped(path: str) -> QDropEvent:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(path)])
    event = QDropEvent(
        QPointF(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    event.kept = data  # Qt does not own it
    return event


def test_a_file_dropped_on_a_row_is_heard_at_the_faders_weight(show: Stage, rows):
    show.controls.set("/vj/lora/3/weight", 0.25, "test")
    rows[2].dropEvent(dropped("/loras/glow.safetensors"))
    assert [show.get(f"/vj/lora/3/{name}") for name in ("file", "weight", "on")] == [
        "/loras/glow.safetensors",
        0.25,
        True,
    ]
    (command,) = show.commands.take()
    assert (command.name, command.arguments) == ("lora/file", {"slot": 3, "file": "/loras/glow.safetensors"})


def test_a_file_of_another_kind_is_not_taken(show: Stage, rows):
    rows[0].dropEvent(dropped("/loras/holiday.jpg"))
    assert show.get("/vj/lora/1/file") == ""


def test_the_dialog_does_not_hold_up_the_panels(show: Stage, rows):
    rows[0].choose.click()
    (dialog,) = show.panels.findChildren(QFileDialog)
    show.poll()
    dialog.fileSelected.emit("/loras/glow.pt")
    dialog.reject()
    assert (show.get("/vj/lora/1/file"), show.get("/vj/lora/1/on")) == ("/loras/glow.pt", True)


def test_what_a_file_is_and_why_it_is_not_heard_is_told_in_its_row(show: Stage, rows):
    show.controls.set_many({"/vj/lora/1/file": "a.pt", "/vj/lora/2/file": "b.pt", "/vj/lora/3/file": "c.pt"}, "test")
    nothing = ("",) * 5
    show.generator = dataclasses.replace(
        show.generator,
        loras=("kohya, 306 modules, rank 128", "", "", *nothing),
        lora_failures=("", "b.pt: it is a LoRA file for a 14B model", "", *nothing),
    )
    show.settle()
    assert "kohya, 306 modules" in rows[0].note.toolTip()
    assert "14B" in rows[1].note.toolTip()
    assert theme.ALARM in rows[1].note.styleSheet()
    assert "being read" in rows[2].note.toolTip()
    assert "drop a file" in rows[3].note.toolTip()
