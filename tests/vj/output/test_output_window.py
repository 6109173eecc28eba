"""The output window on a real display without a window manager."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PyQt6.QtCore import QEvent, QRect, Qt
from PyQt6.QtGui import QGuiApplication, QKeyEvent
from PyQt6.QtWidgets import QWidget

from vj.output.continuity import Continuity
from vj.output.frame_reader import FrameReader
from vj.output.output_window import OutputWindow
from vj.output.params import OutputParams
from vj.output.shared_scenes import SharedScenes


def wait(until: Callable[[], bool], timeout_s: float = 10.0) -> None:
    end = time.monotonic() + timeout_s
    while not until():
        assert time.monotonic() < end, "it did not happen in time"
        QGuiApplication.processEvents()
        time.sleep(0.005)


@pytest.fixture
def window(qt_application, tmp_path: Path) -> Iterator[OutputWindow]:
    window = OutputWindow(SharedScenes(Continuity(FrameReader(tmp_path / "ring"))).view(), OutputParams)
    yield window
    window.end()
    QGuiApplication.processEvents()


def press(window: OutputWindow, key: Qt.Key) -> None:
    for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
        QGuiApplication.sendEvent(window, QKeyEvent(kind, key, Qt.KeyboardModifier.NoModifier))


def test_fullscreen_covers_the_display_and_hides_the_cursor(window: OutputWindow, display):
    screen = QGuiApplication.primaryScreen()
    window.cover(screen)
    wait(lambda: (display.grab().max(axis=-1) > 0).mean() > 0.97)
    assert window.geometry() == screen.geometry()
    assert window.cursor().shape() == Qt.CursorShape.BlankCursor
    assert window.gl_name


def test_back_from_fullscreen_it_is_a_window_again(window: OutputWindow, display):
    screen, place = QGuiApplication.primaryScreen(), QRect(700, 300, 400, 225)
    window.show_on(screen, place)
    wait(lambda: (display.grab()[400, 800] > 0).any())
    window.cover(screen)
    wait(lambda: (display.grab().max(axis=-1) > 0).mean() > 0.97)
    window.show_on(screen)
    wait(lambda: not display.grab()[100, 100].any())
    assert window.geometry().size() == place.size()


def test_neither_esc_nor_closing_ends_it(window: OutputWindow):
    refused = []
    window.close_refused.connect(lambda: refused.append(True))
    window.cover(QGuiApplication.primaryScreen())
    press(window, Qt.Key.Key_Escape)
    assert not window.close()
    assert window.isVisible()
    assert refused == [True]


def test_tab_asks_for_the_panels_and_every_other_key_is_handed_on(window: OutputWindow):
    played = []
    window.key_pressed.connect(lambda event: played.append(event.key()))
    window.panels_pressed.connect(lambda: played.append("panels"))
    window.cover(QGuiApplication.primaryScreen())
    press(window, Qt.Key.Key_B)
    press(window, Qt.Key.Key_Tab)
    assert played == [Qt.Key.Key_B, "panels"]


def test_it_draws_on_and_on_no_faster_than_the_display(window: OutputWindow):
    swaps: list[float] = []
    window.frameSwapped.connect(lambda: swaps.append(time.monotonic()))
    window.cover(QGuiApplication.primaryScreen())
    wait(lambda: len(swaps) > 40, 20.0)
    spans = (swaps[-1] - swaps[10]) / (len(swaps) - 11)
    assert spans > 0.85 / 60  # a late swap is followed by earlier ones


def test_a_window_that_is_placed_again_comes_above_what_was_shown_after_it(window: OutputWindow, display):
    screen, place = QGuiApplication.primaryScreen(), QRect(700, 300, 400, 225)
    middle = (slice(380, 440), slice(850, 950))
    window.show_on(screen, place)
    wait(lambda: display.grab()[middle].any())
    panels = QWidget()
    panels.setStyleSheet("background: black")
    panels.setGeometry(screen.geometry())
    panels.show()
    panels.raise_()
    wait(lambda: not display.grab()[middle].any())
    window.show_on(screen, place)
    wait(lambda: display.grab()[middle].any())
    panels.close()
