"""The Video in page: references as pads with their pictures, and a mask drawn by hand that an input then shows."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PyQt6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PyQt6.QtGui import QDropEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication

from engine.video_in.input_ring import InputRing
from tests.vj.app.stage import Stage
from vj.app.main_window import PAGES
from vj.app.video_in.mask_drawing import MaskDrawing
from vj.app.video_in.video_in_page import VideoInPage


@pytest.fixture
def page(show: Stage) -> VideoInPage:
    show.panels.show_page(PAGES.index("Video in"))
    show.settle()
    show.panels.video_in.mask.canvas.clear()
    return show.panels.video_in


def until(show: Stage, happened: Callable[[], object]) -> None:
    end_s = time.monotonic() + 10
    while not happened() and time.monotonic() < end_s:
        show.poll()
        QApplication.processEvents()
        time.sleep(0.02)
    assert happened()


def write_picture(path: Path, level: int) -> Path:
    assert cv2.imwrite(str(path), np.full((40, 60, 3), level, np.uint8))
    return path


def dropped(path: Path) -> QDropEvent:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    event = QDropEvent(
        QPointF(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    event.kept = data  # Qt does not own it
    return event


def test_a_picture_dropped_on_a_pad_guides_and_is_seen(show: Stage, page: VideoInPage, tmp_path: Path):
    pad = page.references[1]
    pad.dropEvent(dropped(write_picture(tmp_path / "face.png", 77)))
    assert (show.get("/vj/vace/ref/2/file"), show.get("/vj/vace/ref/2/on")) == (str(tmp_path / "face.png"), True)
    until(show, lambda: pad.picture.thumbnail is not None)
    assert (pad.picture.thumbnail.rgb == 77).all()
    write_picture(tmp_path / "face.png", 140)  # the file changes under the same name
    until(show, lambda: (pad.picture.thumbnail.rgb == 140).all())
    pad.dropEvent(dropped(tmp_path / "song.mp3"))
    assert show.get("/vj/vace/ref/2/file") == str(tmp_path / "face.png")
    pad.drop.click()
    assert (show.get("/vj/vace/ref/2/file"), show.get("/vj/vace/ref/2/on")) == ("", False)
    until(show, lambda: pad.picture.thumbnail is None)


def test_a_file_that_is_no_picture_is_told_in_its_pad(show: Stage, page: VideoInPage, tmp_path: Path):
    (tmp_path / "broken.png").write_bytes(b"not a picture")
    show.controls.set_many({"/vj/vace/ref/1/file": str(tmp_path / "broken.png")}, "test")
    until(show, lambda: "broken.png" in page.references[0].picture._words)
    assert page.references[0].picture.thumbnail is None


def test_the_live_input_goes_into_a_pad_by_a_press(show: Stage, page: VideoInPage):
    ring = InputRing.create(show.folder / "input1.layer", width=64, height=36, capacity=3)
    ring.write(np.full((36, 64, 4), 200, np.uint8), time.monotonic_ns())
    QTest.mouseClick(page.references[3].from_input, Qt.MouseButton.LeftButton)
    until(show, lambda: page.references[3].picture.thumbnail is not None)
    assert (page.references[3].picture.thumbnail.rgb == 200).all()
    assert show.get("/vj/vace/ref/4/on") is True


def test_a_mask_drawn_by_hand_becomes_an_input(show: Stage, page: VideoInPage):
    panel = page.mask
    place = panel.canvas.canvas_place()
    left, right = (place.topLeft() + QPoint(place.width() * k // 4, place.height() // 2) for k in (1, 3))
    QTest.mousePress(panel.canvas, Qt.MouseButton.LeftButton, pos=left)
    for k in range(1, 11):
        QTest.mouseMove(panel.canvas, left + (right - left) * k / 10)
    QTest.mouseRelease(panel.canvas, Qt.MouseButton.LeftButton, pos=right)
    QTest.mouseMove(panel.canvas, place.center() + QPoint(0, place.height() // 3))  # not pressed: draws nothing
    panel.input.setCurrentIndex(2)
    QTest.mouseClick(panel.use, Qt.MouseButton.LeftButton)
    path = Path(str(show.get("/vj/input/3/source")))
    assert show.get("/vj/vace/mask/input") == 3
    until(show, lambda: panel.note.text() == "in use: input 3")
    mask = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    height, width = mask.shape
    assert width / height == pytest.approx(16 / 9, abs=0.01)
    assert mask[height // 2, width // 4 : width * 3 // 4].min() == 255  # no gap between two moves
    assert mask[height // 6].max() == mask[height * 5 // 6].max() == 0
    QTest.mousePress(panel.canvas, Qt.MouseButton.RightButton, pos=place.center())
    QTest.mouseRelease(panel.canvas, Qt.MouseButton.RightButton, pos=place.center())
    assert panel.canvas.drawing.pixels[height // 2, width // 2] == 0
    until(show, lambda: panel.note.text() == "drawn, not in use")
    panel.invert.click()
    assert panel.canvas.drawing.pixels[0, 0] == 255
    panel.clear.click()
    assert panel.canvas.drawing.is_empty


def test_a_stroke_is_the_distance_to_its_line():
    drawing = MaskDrawing(2.0)
    drawing.stroke((0.25, 0.5), (0.75, 0.75), 0.2, 0.5, erases=False)
    height, width = drawing.pixels.shape
    rows, columns = np.mgrid[:height, :width] + 0.5
    start, way = np.array([0.25 * width, 0.5 * height]), np.array([0.5 * width, 0.25 * height])
    points = np.stack([columns, rows], -1) - start
    along = np.clip(points @ way / (way @ way), 0, 1)
    distance = np.linalg.norm(points - along[..., None] * way, axis=-1)
    radius = 0.1 * width
    assert np.abs(drawing.pixels - 255 * np.clip((radius - distance) / (0.5 * radius), 0, 1)).max() <= 1.5


def test_soft_strokes_do_not_take_away_what_is_there_and_erasing_does():
    drawing = MaskDrawing(1.0)
    drawing.stroke((0.5, 0.5), (0.5, 0.5), 0.5, 0.0, erases=False)
    before = drawing.pixels.copy()
    drawing.stroke((0.5, 0.5), (0.5, 0.5), 0.6, 1.0, erases=False)
    assert (drawing.pixels >= before).all()
    drawing.stroke((0.5, 0.5), (0.5, 0.5), 1.5, 0.0, erases=True)
    assert drawing.is_empty
    drawing.stroke((-3.0, 7.0), (-2.0, 9.0), 0.1, 0.5, erases=False)  # beside the picture
    assert drawing.is_empty


def test_the_mask_has_the_shape_of_the_stream_until_something_is_drawn(show: Stage, page: VideoInPage):
    page.refresh(1.0)
    assert page.mask.canvas.drawing.pixels.shape[0] == page.mask.canvas.drawing.pixels.shape[1]
    page.mask.canvas.invert()
    page.refresh(16 / 9)
    assert page.mask.canvas.drawing.pixels.shape[0] == page.mask.canvas.drawing.pixels.shape[1]


def test_what_cannot_be_followed_is_told_in_a_line(show: Stage, page: VideoInPage):
    failures = ("", "face.png cannot be read", "", "")
    show.generator = replace(show.generator, input_notice="input 1 gives no picture", reference_failures=failures)
    until(show, lambda: page.notice.text())
    assert page.notice.toolTip() == "input 1 gives no picture; reference 2: face.png cannot be read"
    show.generator = replace(show.generator, input_notice="", reference_failures=())
    until(show, lambda: not page.notice.text())
