"""What breaks behind the output, on a real display: short forms of the long runs, the panic row without engine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.long import panic_row
from tests.long.engine_kills import kill_engines
from tests.servers.stamp_watch import StampWatch
from tests.servers.watched_show import WatchedShow, watched_show

SWAPS = "swaps.bin"
STARVED_S = 1.0  # a test machine with all cores taken is late; the long runs measure pace


@pytest.fixture
def show(tmp_path: Path, jack, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[WatchedShow, StampWatch]]:
    if shutil.which("Xvfb") is None:
        pytest.skip("needs Xvfb")
    for name, value in jack.env.items():
        monkeypatch.setenv(name, value)
    with watched_show(tmp_path, env=jack.env, timed=tmp_path / SWAPS) as running:
        yield running


def test_a_killed_engine_is_replaced_and_the_picture_never_breaks(show):
    figures = kill_engines(*show, kills=5, between_s=(0.5, 1.5))
    assert figures["black_looks"] == 0
    assert figures["torn_frames"] == 0
    assert figures["longest_still_ms"] < 250 + 1000 * STARVED_S
    assert figures["back_s"]["longest"] < 3.0 + STARVED_S
    assert figures["colour_drift"] < 0.12


def test_the_panic_row_plays_with_a_dead_engine_and_with_dead_panels(show, tmp_path: Path):
    figures = panic_row.measure(*show, tmp_path / SWAPS, times=1)
    assert len(figures["presses"]) == 28
    slow = {name: row for name, row in figures["presses"].items() if row["ms_p50"] > 250 + 1000 * STARVED_S}
    assert not slow, figures
