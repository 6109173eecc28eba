"""The first five minutes with the instrument, by mouse, keys and network: picture, words, mapping, monitor, saving."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QPushButton, QWidget

from engine.chunk_source import SourceChoice
from engine.model_presets import TEST_PATTERN_NAME
from vj.app.application import Instrument, RunOptions
from vj.app.main_window import MainWindow
from vj.app.output_places import window_on
from vj.controllers.osc.endpoint import OscEndpoint
from vj.controllers.osc.network import OscOptions
from vj.controllers.osc.packet import encode_message
from vj.performance import PerformanceOptions

LEFT = Qt.MouseButton.LeftButton
CTRL = Qt.KeyboardModifier.ControlModifier


def wait(until: Callable[[], object], timeout_s: float = 15.0) -> None:
    end = time.monotonic() + timeout_s
    while not until():
        assert time.monotonic() < end, "it did not happen in time"
        QTest.qWait(20)


@pytest.fixture
def instrument(qt_application, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Instrument]:
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    osc = OscOptions(OscEndpoint("127.0.0.1", 0, is_default=False))
    options = RunOptions(SourceChoice(model=TEST_PATTERN_NAME), PerformanceOptions(osc=osc), is_stage_in_process=True)
    instrument = Instrument(options, (window_on(QGuiApplication.primaryScreen()),))
    instrument.start()
    instrument.panels.bring_up()
    yield instrument
    instrument.stop()
    QTest.qWait(50)


@pytest.fixture
def panels(instrument: Instrument) -> MainWindow:
    return instrument.panels


def click(widget: QWidget, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.mouseClick(widget, LEFT, keys)


def click_at(window: MainWindow, widget: QWidget) -> None:
    """Click where a widget is, on whatever lies above it there."""
    place = widget.mapTo(window, widget.rect().center())
    target = window.childAt(place)
    QTest.mouseClick(target, LEFT, pos=target.mapFrom(window, place))


def send(port: int, address: str, *values: float) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        for value in values:
            out.sendto(encode_message(address, value), ("127.0.0.1", port))
            time.sleep(0.02)


def test_the_first_five_minutes(instrument: Instrument, panels: MainWindow, tmp_path: Path):
    store, reader = panels.surface.controls.store, panels._poll._sources.reader
    osc = instrument._performance.osc

    # at once: something moves, and the window says that it is live
    wait(lambda: panels.live.program.state.text() == "PROGRAM  LIVE")
    first = reader.frame_on_screen.pixels.copy()
    wait(lambda: np.abs(reader.frame_on_screen.pixels.astype(int) - first).mean() > 0.5)

    # words on pad 2, over two beats: a click brings them up, and the pad says how far they are
    pads = panels.play.prompts.pads
    click(pads[1].text.viewport())
    QTest.keyClicks(pads[1].text, "red tulips")
    QTest.keyClick(pads[1].text, Qt.Key.Key_Return)
    assert store.get("/vj/prompt/2/text") == "red tulips"
    time_fader = panels.play.transition.time
    QTest.mouseClick(time_fader, LEFT, pos=QPoint(time_fader.width() // 8, time_fader.height() // 2))
    panels.play.transition.unit.setFocus()
    QTest.keyClick(panels.play.transition.unit, Qt.Key.Key_Down)
    assert store.get("/vj/transition/unit") == "beats"
    assert 0.0 < store.get("/vj/transition/time") < 8.0
    QTest.mouseClick(pads[1], LEFT, pos=QPoint(3, 3))
    wait(lambda: 0.0 < store.get("/vj/prompt/2/weight") < 1.0)
    wait(lambda: panels.live.next.stage.text() in ("MOVING", "GENERATING"))
    wait(lambda: store.get("/vj/prompt/2/weight") == 1.0 and pads[1].note.text() == "on screen")
    assert pads[0].note.text() == "ready"

    # M, a click on the level, a control that moves: mapped; then the control plays it
    panels.setFocus()
    QTest.keyClick(panels, Qt.Key.Key_M)
    assert panels.map_mode.isVisible()
    click_at(panels, panels.live.output.level)
    assert panels.map_mode.selected == "/vj/output/level"
    send(osc.port, "/my/fader", 0.1, 0.3, 0.5, 0.7, 0.9)
    wait(lambda: "/vj/output/level" in panels.mappings._learn.state.said)
    assert store.get("/vj/output/level") == 1.0  # learning played nothing
    QTest.keyClick(panels, Qt.Key.Key_Escape)
    assert not panels.map_mode.isVisible()
    send(osc.port, "/my/fader", 0.95, 1.0, 0.6, 0.4)
    wait(lambda: store.get("/vj/output/level") == pytest.approx(0.4, abs=0.01))
    wait(lambda: panels.strip.played.text() == "/vj/output/level")

    # the mappings page: where OSC is heard, what was heard in green and red; a click copies an address
    QTest.keyClick(panels, Qt.Key.Key_4, CTRL)
    wait(lambda: panels.mappings.monitor.address.text() == f"127.0.0.1:{osc.port}")
    send(osc.port, "/vj/prompt/1/weight", 0.25)
    send(osc.port, "/vj/prompt/1/wieght", 0.25)
    lines = panels.mappings.monitor.lines
    wait(lambda: lines.count() and "wieght" in lines.item(0).text())
    assert "did you mean" in lines.item(0).text()
    click(panels.live.effects.faders[0], CTRL)
    assert QGuiApplication.clipboard().text() == panels.live.effects.faders[0].address
    table = panels.mappings.table
    wait(lambda: table.item(table.rowCount() - 1, 2) is not None)
    assert table.findItems("osc/my/fader", Qt.MatchFlag.MatchExactly)

    # undo, and saving
    QTest.keyClick(panels, Qt.Key.Key_Z, CTRL)
    assert not panels.mappings._learn.assignments("/vj/output/level") or all(
        "my/fader" not in found.control for found in panels.mappings._learn.assignments("/vj/output/level")
    )
    QTest.keyClick(panels, Qt.Key.Key_S, CTRL)
    wait(lambda: "saved in" in panels.header.message.toolTip())
    assert list(tmp_path.rglob("show.toml"))

    # what was saved comes back
    store.set("/vj/prompt/2/text", "something else", "test")
    QTest.keyClick(panels, Qt.Key.Key_2, CTRL)
    wait(lambda: panels.show_files.shows.count() == 1)
    panels.show_files.shows.setCurrentRow(0)
    click(next(button for button in panels.show_files.findChildren(QPushButton) if button.text() == "Load show"))
    wait(lambda: store.get("/vj/prompt/2/text") == "red tulips")


def test_performance_mode_hides_editing_and_esc_ends_nothing(instrument: Instrument, panels: MainWindow):
    ended = []
    panels.end_confirmed.connect(lambda: ended.append(True))
    wait(lambda: panels.live.program.state.text() == "PROGRAM  LIVE")
    QTest.keyClick(panels, Qt.Key.Key_E, CTRL)
    assert panels.is_performing
    assert not panels.play.prompts.isVisible()
    assert not panels.live.isVisible()
    QTest.keyClick(panels, Qt.Key.Key_Escape)
    assert panels.is_performing
    assert ended == []
    QTest.keyClick(panels, Qt.Key.Key_B)
    assert panels.surface.controls.store.get("/vj/output/blackout") is True
    wait(lambda: panels.performance.program.state.text() == "PROGRAM  BLACKOUT")
    QTest.keyClick(panels, Qt.Key.Key_E, CTRL)
    assert panels.play.prompts.isVisible()
