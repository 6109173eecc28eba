"""The Inputs page with real rings behind it: live pictures, their state, the browser, uses, and a picked colour."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QFileDialog

from engine.video_in.input_ring import InputRing
from tests.vj.app.stage import Stage
from vj.app import theme
from vj.app.main_window import PAGES
from vj.app.video_in.input_card import describe_input
from vj.app.video_in.inputs_page import InputsPage
from vj.inputs.listing import Listed
from vj.inputs.messages import InputState

GREEN, ORANGE = (40, 170, 60), (220, 130, 40)


@pytest.fixture
def page(show: Stage) -> InputsPage:
    show.panels.show_page(PAGES.index("Inputs"))
    show.settle()
    return show.panels.inputs


def halves(left: tuple[int, int, int], right: tuple[int, int, int], alpha: int = 255) -> np.ndarray:
    picture = np.full((72, 128, 4), alpha, np.uint8)
    picture[:, :64, :3], picture[:, 64:, :3] = left, right
    return picture


def until(show: Stage, happened: Callable[[], object]) -> None:
    end_s = time.monotonic() + 10
    while not happened() and time.monotonic() < end_s:
        show.poll()
        QApplication.processEvents()
        time.sleep(0.02)
    assert happened()


def colour_at(view: object, x: float) -> tuple[int, ...]:
    place = view.picture_place()
    at = place.topLeft() + QPoint(round(x * place.width()), place.height() // 2)
    return view.grab().toImage().pixelColor(at).getRgb()[:3]


def test_a_live_picture_is_seen_and_changes(show: Stage, page: InputsPage):
    view = page.cards[1].picture
    ring = InputRing.create(show.folder / "input2.layer", width=128, height=72, capacity=3)
    ring.write(halves(GREEN, ORANGE), time.monotonic_ns())
    show.controls.set("/vj/input/2/source", "lavfi:testsrc2", "test")
    until(show, lambda: view.thumbnail is not None)
    assert (colour_at(view, 0.25), colour_at(view, 0.75)) == (GREEN, ORANGE)
    ring.write(halves(ORANGE, GREEN), time.monotonic_ns())
    until(show, lambda: colour_at(view, 0.25) == ORANGE)
    # the input is made anew in another size
    ring = InputRing.create(show.folder / "input2.layer", width=72, height=72, capacity=3)
    ring.write(halves(GREEN, GREEN)[:, :72], time.monotonic_ns())
    until(show, lambda: view.thumbnail.source_size == (72, 72))
    show.controls.set("/vj/input/2/source", "", "test")
    until(show, lambda: view.thumbnail is None)


def test_what_is_keyed_out_lies_over_a_checkerboard(show: Stage, page: InputsPage):
    ring = InputRing.create(show.folder / "input1.layer", width=128, height=72, capacity=3)
    ring.write(halves(GREEN, ORANGE, alpha=0), time.monotonic_ns())
    show.controls.set("/vj/input/1/source", "a camera", "test")
    view = page.cards[0].picture
    until(show, lambda: view.thumbnail is not None)
    red, green, blue = colour_at(view, 0.25)
    assert red == green == blue
    assert tuple(view.thumbnail.rgb[5, 5]) == GREEN  # a colour can still be picked there


def test_the_page_costs_nothing_while_it_is_not_seen(show: Stage, page: InputsPage):
    show.controls.set("/vj/input/1/source", "a camera", "test")
    until(show, lambda: show.panels.thumbnails._thread is not None)
    show.panels.show_page(0)
    until(show, lambda: not show.panels.thumbnails._thread.is_alive())


def test_state_name_size_and_rate_are_told(show: Stage, page: InputsPage):
    show.inputs[0] = InputState("live", "Elgato 4K", 1920, 1080, rate_fps=60.0, measured_fps=59.94)
    show.inputs[1] = InputState("lost", "deck.mp4", problem="deck.mp4: cannot be opened")
    show.inputs[2] = InputState("held", "loop.mov", 640, 360, position_s=3.25, length_s=8.0)
    show.controls.set_many({f"/vj/input/{n}/source": "x" for n in (1, 2, 3)}, "test")
    show.settle()
    first, second, third, fourth = page.cards
    assert (first.word.text(), first.name.text()) == ("1 LIVE", "Elgato 4K")
    assert first.detail.toolTip() == "1920×1080  59.9 fps  of 60"
    assert theme.GOOD in first.word.styleSheet()
    assert second.word.text() == "2 LOST" and theme.ALARM in second.word.styleSheet()
    assert second.detail.toolTip() == "deck.mp4: cannot be opened"
    assert third.word.text() == "3 HELD" and "3.2 of 8.0 s" in third.detail.toolTip()
    assert fourth.word.text() == "4 OFF"


def test_a_picture_that_has_stopped_coming_is_never_called_live():
    live = InputState("live", "camera", 640, 480)
    assert describe_input(live, 0.5).word == "LIVE"
    assert describe_input(live, 2.0).word == "LATE"
    assert describe_input(InputState("held"), 99.0).word == "HELD"


def test_the_buttons_give_an_input_its_use_and_take_it_away(show: Stage, page: InputsPage):
    card = page.cards[2]
    card.paint.click()
    card.guide.click()
    assert [show.get(a) for a in ("/vj/input/on", "/vj/input/use", "/vj/vace/on", "/vj/vace/input")] == [True, 3] * 2
    show.controls.set("/vj/input/use", 1, "midi")
    show.settle()
    assert page.cards[0].paint.isChecked() and not card.paint.isChecked() and card.guide.isChecked()
    card.guide.click()
    assert show.get("/vj/vace/on") is False


def test_the_browser_lists_what_is_there(show: Stage, page: InputsPage, tmp_path: Path):
    film = tmp_path / "night drive.mp4"
    film.write_bytes(b"")
    show.controls.set("/vj/input/2/source", str(film), "test")
    show.settle()
    show.listed = (
        Listed("camera", "Elgato 4K", "Elgato 4K", ("nv12 1920x1080",)),
        Listed("screen", "screen", "screen"),
    )
    controls = page.inputs[0]
    controls.source.showPopup()
    controls.source.hidePopup()
    listed = {controls.source.itemText(k): controls.source.itemData(k) for k in range(controls.source.count())}
    assert listed["nothing"] == "" and listed["Elgato 4K"] == "Elgato 4K" and listed["night drive.mp4"] == str(film)
    assert listed["Cameras and cards"] is None and listed["colour bars"].startswith("lavfi:")
    k = controls.source.findText("Elgato 4K")
    controls.source.setCurrentIndex(k)
    controls.source.activated.emit(k)
    assert show.get("/vj/input/1/source") == "Elgato 4K"
    controls.format.showPopup()
    controls.format.hidePopup()
    assert [controls.format.itemText(k) for k in range(controls.format.count())] == ["its own format", "nv12 1920x1080"]
    show.controls.set("/vj/input/1/source", "ndi:STUDIO (cam 3)", "osc")  # what is in no list is shown all the same
    show.settle()
    assert controls.source.currentText() == "ndi:STUDIO (cam 3)" and controls.text.text() == "ndi:STUDIO (cam 3)"


def test_a_file_comes_by_a_dialog_that_holds_nothing_up(show: Stage, page: InputsPage):
    page.choose(4)
    page.inputs[3].file.click()
    (dialog,) = show.panels.findChildren(QFileDialog)
    show.poll()
    dialog.fileSelected.emit("/films/a.mov")
    dialog.reject()
    assert show.get("/vj/input/4/source") == "/films/a.mov"


def test_a_colour_picked_in_the_picture_is_keyed_out(show: Stage, page: InputsPage):
    ring = InputRing.create(show.folder / "input3.layer", width=128, height=72, capacity=3)
    ring.write(halves(GREEN, ORANGE), time.monotonic_ns())
    show.controls.set("/vj/input/3/source", "a camera", "test")
    view = page.cards[2].picture
    until(show, lambda: view.thumbnail is not None)
    place = view.picture_place()
    at = place.topLeft() + QPoint(place.width() * 3 // 4, place.height() // 2)
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=at)
    assert show.get("/vj/input/3/key/mode") == "none"  # nobody asked: the click chooses the input
    assert page._stack.currentWidget() is page.inputs[2]
    page.inputs[2].pick.click()
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=at)
    assert show.get("/vj/input/3/key/mode") == "chroma"
    assert show.get("/vj/input/3/key/hue") == pytest.approx(30, abs=2)
    assert not page.inputs[2].pick.isChecked()


def test_every_parameter_of_every_input_has_a_widget(show: Stage, page: InputsPage):
    shown = set(show.panels.surface.widgets.values())
    missing = [
        a for a in show.controls.store.parameters if a.startswith(("/vj/input/", "/vj/vace/")) and a not in shown
    ]
    assert missing == []
