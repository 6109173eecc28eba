"""Output windows by number, on a real display: opened, placed, closed, and what is told of their displays' rates."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtTest import QTest

from vj.output.continuity import Continuity
from vj.output.frame_reader import FrameReader
from vj.output.params import OutputParams
from vj.output.shared_scenes import SharedScenes
from vj.stage.messages import Placement
from vj.stage.outputs import Outputs

FIRST = Placement(1, 1, window=(0, 0, 320, 180))
SECOND = Placement(2, 2, window=(400, 0, 320, 180))


@pytest.fixture
def outputs(qt_application, tmp_path: Path) -> Iterator[Outputs]:
    scenes = SharedScenes(Continuity(FrameReader(tmp_path / "ring")))
    outputs = Outputs(scenes, lambda number: OutputParams())
    yield outputs
    outputs.close()
    QTest.qWait(20)


def test_each_order_is_carried_out_once_and_what_is_not_named_is_closed(outputs: Outputs):
    assert outputs.place([FIRST, SECOND])
    assert not outputs.place([FIRST, SECOND])
    QTest.qWait(200)
    assert [(facts.output, facts.placed, facts.width) for facts in outputs.facts()] == [(1, 1, 320), (2, 2, 320)]
    assert all(facts.fps > 0.0 for facts in outputs.facts())
    assert outputs.place([FIRST])
    assert [facts.output for facts in outputs.facts()] == [1]
    assert not outputs.place([])  # panels that have said nothing yet
    assert [facts.output for facts in outputs.facts()] == [1]


def test_a_display_that_is_not_there_is_waited_for(outputs: Outputs):
    outputs.place([FIRST, Placement(2, 2, "HDMI-9", is_fullscreen=True)])
    QTest.qWait(50)
    first, second = outputs.facts()
    assert (second.lost, second.display, second.is_fullscreen, second.fps) == ("HDMI-9", "", False, 0.0)
    assert first.lost == ""
    outputs.place([Placement(3, 1, "HDMI-8", is_fullscreen=True)])
    (first,) = outputs.facts()
    assert (first.lost, first.is_fullscreen) == ("HDMI-8", False)
    assert first.display == QGuiApplication.primaryScreen().name()  # something of it is in reach


def test_swaps_that_do_not_wait_are_told_where_a_card_draws(outputs: Outputs):
    name = QGuiApplication.primaryScreen().name()
    outputs.place([Placement(1, 1, name, is_fullscreen=True)])
    QTest.qWait(300)
    outputs.first._pace.is_timed = True  # as it is found by itself here, sooner or later: no refresh is waited for
    assert outputs.warnings() == []  # nothing can be mended where a program draws
    outputs.first.gl_name = "a card"
    (warning,) = outputs.warnings()
    assert warning.startswith(f"{name} does not wait for its refresh")
    (note,) = outputs.notes(content_fps=16.0)
    assert "no multiple of 16" in note
