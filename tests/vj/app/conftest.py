"""The performer's window for every test of its panels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.vj.app.stage import Stage


@pytest.fixture
def show(qt_application, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """The window around a real store, router and clock, in a home of its own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    stage = Stage(tmp_path)
    yield stage
    stage.close()
