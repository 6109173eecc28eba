"""`vj doctor` as a command: what is found, what stops the show, what mends it, with and without colour."""

from __future__ import annotations

import io
import json
import os
import subprocess
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.finding import found, missing
from tests.vj.doctor.absence import ROOT, without
from vj.doctor.report import as_json, as_text, wants_colour

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_a_whole_computer_can_start(run_vj: Run, display, jack, pulse) -> None:
    done = run_vj("doctor", "--json", display=display, env={**jack.env, **pulse.env})
    assert done.returncode == 0, done.stdout
    told = json.loads(done.stdout)
    assert told["can_run"] is True
    there = {finding["part"] for finding in told["findings"] if finding["state"] == "found"}
    assert there >= {"Python", "engine", "attention", "models", "displays", "MIDI", "sound", "network", "files"}
    assert all(finding["fix"] for finding in told["findings"] if finding["state"] == "missing")


def test_without_a_display_the_show_cannot_start(run_vj: Run) -> None:
    done = run_vj("doctor", env={"TERM": "xterm-256color"})
    assert done.returncode == 1
    assert "NEEDED   display            no display" in done.stdout
    assert "fix: set DISPLAY (or WAYLAND_DISPLAY), or use `vj render`" in done.stdout
    assert done.stdout.endswith("vj run cannot start: display (displays)\n")
    assert "\033" not in done.stdout  # no colour where nobody sees it


def test_an_environment_without_any_package_is_told_and_nothing_breaks(tmp_path: Path) -> None:
    venv.create(tmp_path / "bare", symlinks=os.name != "nt", with_pip=False)
    python = next((tmp_path / "bare" / ("Scripts" if os.name == "nt" else "bin")).glob("python*"))
    kept = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    done = subprocess.run(
        [str(python), "-m", "vj", "doctor", "--json"],
        env=kept | {"PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (1, "")
    findings = json.loads(done.stdout)["findings"]
    stopping = {finding["name"] for finding in findings if finding["stops_show"]}
    assert stopping >= {"engine", "PyTorch", "window"}
    assert all("python3 start.py" in finding["fix"] for finding in findings if finding["part"] in ("Python", "engine"))


def test_a_command_names_the_package_it_misses(run_vj: Run, tmp_path: Path) -> None:
    done = run_vj("run", "--model", "test-pattern", env=without(tmp_path, "PyQt6"))
    assert done.returncode == 1
    assert done.stderr == "vj: PyQt6 is not installed: run `python3 start.py`; `vj doctor` lists what is missing\n"


def test_every_line_can_be_read_with_and_without_colour() -> None:
    findings = [found("engine", "PyTorch", "2.13"), missing("engine", "GPU", "none", "buy one")]
    findings.append(missing("displays", "display", "none", "plug one in", stops_show=True))
    plain, coloured = as_text(findings, False), as_text(findings, True)
    assert "  found    PyTorch            2.13\n" in plain
    assert "fix: buy one\n" in plain
    assert plain.endswith("vj run cannot start: display (displays)\n")
    assert "\033" in coloured
    assert as_text(findings[:2], False).endswith("vj run can start.\n")
    assert json.loads(as_json(findings))["can_run"] is False


def test_colour_is_for_terminals_that_want_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert wants_colour(Terminal())
    assert not wants_colour(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not wants_colour(Terminal())
