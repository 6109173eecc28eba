"""start.py: what it says and starts, by a copy of it in a checkout that is set up, cut off, moved or bare."""

from __future__ import annotations

import ast
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]
FAKE_PROGRAM = '#!/bin/sh\necho "$(basename "$0") $*"\n'

Start = Callable[..., subprocess.CompletedProcess[str]]


def load(folder: Path) -> ModuleType:
    """Import the copy of start.py in `folder`."""
    spec = importlib.util.spec_from_file_location("start_copy", folder / "start.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def _own_termination() -> Iterator[None]:
    """Give this process its own answer to SIGTERM back."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with what start.py reads."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    for name in ("start.py", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture
def set_up_checkout(checkout: Path) -> Path:
    """The same, as set-up leaves it; the programs in .venv repeat their arguments."""
    start = load(checkout)
    start.PROGRAMS.mkdir(parents=True)
    for name in ("python", "vj"):
        (start.PROGRAMS / name).write_text(FAKE_PROGRAM)
        (start.PROGRAMS / name).chmod(0o755)
    start.PLACE.write_text(start.make_place())
    for level in ("run", "test"):
        start.stamp(level).write_text(start.make_fingerprint())
    return checkout


@pytest.fixture
def run_start() -> Start:
    def run(folder: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
        command = [sys.executable, "start.py", *arguments]
        return subprocess.run(command, cwd=folder, env={**kept, **env}, capture_output=True, text=True, timeout=60)

    return run


def test_an_old_python_can_read_it_and_gets_a_sentence(checkout: Path, monkeypatch, capsys) -> None:
    source = (ROOT / "start.py").read_text("utf-8")
    ast.parse(source, feature_version=(3, 8))
    start = load(checkout)
    monkeypatch.setattr(sys, "version_info", (3, 9, 2, "final", 0))
    assert start.main([]) == 2
    assert "Python 3.11 or newer is needed, this is 3.9" in capsys.readouterr().out


def test_help_sets_nothing_up(checkout: Path, run_start: Start) -> None:
    done = run_start(checkout, "--help")
    assert done.returncode == 0
    assert "python3 start.py test" in done.stdout
    assert not (checkout / ".venv").exists()


def test_a_second_run_has_nothing_to_do_and_opens_the_instrument(set_up_checkout: Path, run_start: Start) -> None:
    started = time.monotonic()
    done = run_start(set_up_checkout, "--fullscreen", "--osc", "9001", DISPLAY=":5")
    assert time.monotonic() - started < 10  # about 0.1 s on an idle machine
    assert done.stdout.splitlines() == ["Already set up.", "vj run --fullscreen --osc 9001"]
    assert done.returncode == 0


def test_without_a_display_it_renders_a_clip_and_names_it(set_up_checkout: Path, run_start: Start) -> None:
    done = run_start(set_up_checkout)
    clip = set_up_checkout / "first-light.mp4"
    assert f"--seconds 10 --out {clip}" in done.stdout
    assert "vj render --prompt" in done.stdout
    assert done.stdout.splitlines()[-1] == f"The clip is {clip}"
    assert done.returncode == 0


def test_the_test_command_runs_ruff_and_then_pytest(set_up_checkout: Path, run_start: Start) -> None:
    done = run_start(set_up_checkout, "test", "-k", "osc")
    assert done.stdout.splitlines() == [
        "Already set up.",
        "python -m ruff check .",
        "python -m ruff format --check .",
        "python -m pytest -k osc",
    ]


@pytest.mark.parametrize(("failing", "status"), [("ruff", 1), ("pytest", 3)])
def test_its_exit_status_is_that_of_what_failed(
    set_up_checkout: Path, run_start: Start, failing: str, status: int
) -> None:
    python = set_up_checkout / ".venv" / "bin" / "python"
    python.write_text(f'#!/bin/sh\n[ "$2" = {failing} ] && exit {status}\nexit 0\n')
    assert run_start(set_up_checkout, "test").returncode == status


def test_what_is_set_up_counts_only_here_whole_and_for_these_files(set_up_checkout: Path, tmp_path: Path) -> None:
    start = load(set_up_checkout)
    assert start.is_usable()
    start.UNFINISHED.touch()
    assert not start.is_usable(), "a set-up that was cut off"
    start.UNFINISHED.unlink()
    fingerprint = start.make_fingerprint()
    with (set_up_checkout / "pyproject.toml").open("a") as project:
        project.write("# changed\n")
    assert start.make_fingerprint() != fingerprint
    moved = shutil.move(set_up_checkout, tmp_path / "moved")
    assert not load(Path(moved)).is_usable(), "a checkout that was moved"


def test_missing_debian_packages_are_named_to_who_is_not_root(checkout: Path, monkeypatch, capsys) -> None:
    start = load(checkout)
    monkeypatch.setattr(start.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(start, "missing_packages", lambda names: ["libasound2t64|libasound2", "libegl1"])
    monkeypatch.setattr(start, "choose_names", lambda names: [name.split("|")[-1] for name in names])
    monkeypatch.setattr(start.os, "geteuid", lambda: 1000)
    start.add_debian_packages(["libegl1"])
    assert "sudo apt-get install libasound2 libegl1" in capsys.readouterr().out


def test_debian_packages_that_cannot_be_installed_do_not_stop_it(checkout: Path, monkeypatch, capsys) -> None:
    start = load(checkout)
    asked = []

    def fail(command: list[str], log: Path | None = None) -> None:
        asked.append(command)
        raise start.SetupError("no network")

    monkeypatch.setattr(start.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(start, "missing_packages", lambda names: ["libegl1"])
    monkeypatch.setattr(start, "run_quietly", fail)
    monkeypatch.setattr(start.os, "geteuid", lambda: 0)
    start.add_debian_packages(["libegl1"])
    assert asked
    assert asked[0][-1] == "update"
    assert "set-up goes on without: no network" in capsys.readouterr().out


def test_of_alternatives_one_installed_is_enough(checkout: Path, monkeypatch) -> None:
    start = load(checkout)
    listed = b"libasound2 installed\nlibegl1 not-installed\nlibgl1 installed\n"
    monkeypatch.setattr(start.subprocess, "run", lambda *a, **k: subprocess.CompletedProcess([], 0, stdout=listed))
    assert start.missing_packages(["libasound2t64|libasound2", "libegl1", "libgl1"]) == ["libegl1"]


def test_a_failing_command_is_named_with_its_last_lines(checkout: Path, monkeypatch, capsys) -> None:
    start = load(checkout)
    command = [sys.executable, "-c", "print('no matching distribution'); raise SystemExit(4)"]
    monkeypatch.setattr(start, "set_up", lambda level: start.run_quietly(command))
    assert start.main([]) == 1
    written = capsys.readouterr().out
    assert "no matching distribution" in written
    assert sys.executable in written
    assert "then start again" in written


def test_an_interrupted_set_up_says_so(checkout: Path, monkeypatch, capsys) -> None:
    start = load(checkout)

    def interrupt(level: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(start, "set_up", interrupt)
    assert start.main(["test"]) == 1
    assert "interrupted" in capsys.readouterr().out


def test_the_clip_folder_is_not_tracked() -> None:
    assert "/first-light.mp4" in (ROOT / ".gitignore").read_text().splitlines()
