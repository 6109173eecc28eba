"""What must be readable: every page at both sizes, nothing outside, nothing overlapping, nothing cut off."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from PyQt6.QtCore import QPoint, QRect
from PyQt6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QComboBox,
    QDoubleSpinBox,
    QLabel,
    QLineEdit,
    QSpinBox,
    QWidget,
)

from tests.vj.app.stage import Stage
from vj.app import theme
from vj.app.choices import ParameterChoice
from vj.app.fader import Bar
from vj.app.look_panel import LookButton
from vj.app.main_window import PAGES
from vj.app.performance_view import BigPad

SIZES = ((1280, 720), (1920, 1080))
VIEWS = (*range(len(PAGES)), "performance")
LEAST_CONTRAST = 4.5


@pytest.fixture(scope="module")
def show(qt_application, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("layout")
        patch.setenv("XDG_CONFIG_HOME", str(folder))
        stage = Stage(folder)
        stage.fill()
        yield stage
        stage.close()


@pytest.fixture(
    scope="module", params=[(size, view) for size in SIZES for view in VIEWS], ids=lambda p: f"{p[0][0]}-{p[1]}"
)
def view(request: pytest.FixtureRequest, show: Stage) -> Stage:
    (width, height), name = request.param
    show.panels.resize(width, height)
    show.panels.show_page(0 if name == "performance" else name)
    if name == "performance":
        show.panels.toggle_performing()
    show.settle()
    return show


def shown(window: QWidget) -> list[QWidget]:
    """Every widget that can be seen, what scrolls inside a list left out."""
    lists = [area for area in window.findChildren(QAbstractScrollArea) if area.isVisible()]
    inside_lists = {child for area in lists for child in area.findChildren(QWidget)}
    return [w for w in window.findChildren(QWidget) if w.isVisible() and not w.isWindow() and w not in inside_lists]


def place_in(window: QWidget, widget: QWidget) -> QRect:
    return QRect(widget.mapTo(window, QPoint(0, 0)), widget.size())


def name_of(widget: QWidget) -> str:
    words = widget.accessibleName() or widget.objectName()
    if isinstance(widget, QLabel | QAbstractButton):
        words = widget.text() or words
    return f"{type(widget).__name__} {words!r}"


def test_the_window_keeps_its_size(view: Stage):
    assert (view.panels.width(), view.panels.height()) in SIZES


def test_nothing_is_outside_the_window(view: Stage):
    window = view.panels
    wrong = [name_of(w) for w in shown(window) if not window.rect().contains(place_in(window, w))]
    assert wrong == []


def test_no_neighbours_overlap(view: Stage):
    families: dict[QWidget, list[QWidget]] = {}
    for widget in shown(view.panels):
        families.setdefault(widget.parentWidget(), []).append(widget)
    pairs = (pair for family in families.values() for pair in itertools.combinations(family, 2))
    wrong = [f"{name_of(a)} and {name_of(b)}" for a, b in pairs if a.geometry().intersects(b.geometry())]
    assert wrong == []


def test_no_words_are_cut_off(view: Stage):
    assert [complaint for w in shown(view.panels) if (complaint := cut_off(w))] == []


def cut_off(widget: QWidget) -> str:
    """Say which words do not fit, comparing what they measure with the room there is."""
    metrics = widget.fontMetrics()
    room = widget.contentsRect()
    if isinstance(widget, Bar | ParameterChoice | LookButton | BigPad):
        left, right = widget.shown_texts()[:2]
        needed = metrics.horizontalAdvance(left[0]) + metrics.horizontalAdvance(right[0])
        if needed > left[1].width() or metrics.height() > widget.height():
            return f"{left[0]!r} and {right[0]!r} need {needed} of {left[1].width()} pixels"
        return ""
    if isinstance(widget, QLabel) and widget.text():
        height = metrics.height()
        if widget.wordWrap():
            height = metrics.boundingRect(QRect(0, 0, room.width(), 10_000), 0x1000, widget.text()).height()
            return f"{name_of(widget)}: {height} of {room.height()} high" if height > room.height() else ""
        width = metrics.horizontalAdvance(widget.text())
    elif isinstance(widget, QAbstractButton) and widget.text():
        lines = widget.text().replace("&&", "&").split("\n")
        width, height = max(map(metrics.horizontalAdvance, lines)), metrics.height() * len(lines)
    elif isinstance(widget, QSpinBox | QDoubleSpinBox):
        width, height = metrics.horizontalAdvance(widget.text()), metrics.height()
        room = widget.lineEdit().contentsRect()
    else:
        return ""
    if width > room.width() or height > room.height():
        return f"{name_of(widget)}: {width}x{height} in {room.width()}x{room.height()}"
    return ""


def test_no_words_are_too_small(view: Stage):
    scale = theme.scale_for(view.panels.width(), view.panels.height())
    wrong = [
        f"{name_of(w)}: {w.fontInfo().pixelSize()} px"
        for w in shown(view.panels)
        if isinstance(w, QLabel | QAbstractButton | QLineEdit | QComboBox | Bar)
        and w.fontInfo().pixelSize() < round(theme.SMALLEST_PX * scale)
    ]
    assert wrong == []


def test_every_live_control_is_in_sight(view: Stage):
    """Blackout, level and the beat can be reached from every page, without scrolling."""
    addresses = {address for w, address in view.panels.surface.widgets.items() if w.isVisible()}
    assert {"/vj/output/blackout", "/vj/output/level", "/vj/clock/tap", "/vj/audio/gain"} <= addresses


@pytest.mark.parametrize("pair", theme.READABLE, ids="/".join)
def test_every_pair_of_colours_can_be_read(pair: tuple[str, str]):
    lighter, darker = sorted(map(luminance, pair), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= LEAST_CONTRAST


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
