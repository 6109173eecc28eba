"""Progress on something that is no terminal: few lines; on a terminal: a bar."""

from __future__ import annotations

import sys

import pytest

from engine import progress
from engine.progress import Progress


def test_without_a_terminal_a_short_job_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("a.mp4", 64) as bar:
        bar.advance(64)
    assert capsys.readouterr().err == ""


def test_without_a_terminal_a_long_job_says_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 1.0, 6.0, 7.0, 12.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    with Progress("a.mp4", 120) as bar:
        for _ in range(4):
            bar.advance(12)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "a.mp4: 24 of 120 frames, 4.0 frames/s, 24 s left",
        "a.mp4: 48 of 120 frames, 4.0 frames/s, 18 s left",
    ]


def test_on_a_terminal_there_is_a_bar(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with Progress("a.mp4", 64) as bar:
        bar.advance(64)
    assert "64/64" in capsys.readouterr().err
