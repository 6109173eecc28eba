"""Fixtures every test may use: a display, MIDI and sound servers, and the real `vj` command.

tests/README.md lists them with an example each.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.servers import JackServer, PulseServer, ServerMissingError, XDisplay
from tests.servers.instrument import RunningVj, own_environment, run_to_end
from tests.servers.qt import end_application

ROOT = Path(__file__).resolve().parents[1]
LOWEST_PRIORITY = 19
LIVE = (
    "tests/vj/",
    "tests/test_bench.py",
    "tests/test_long.py",
    "tests/test_servers.py",
)  # open windows and ports, play by the clock


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies in tests/gpu; skip what is marked on a machine without CUDA."""
    for item in items:
        if (ROOT / "tests" / "gpu") in item.path.parents:
            item.add_marker(pytest.mark.gpu)
    marked = [item for item in items if item.get_closest_marker("gpu")]
    if not marked:
        return
    import torch

    if not torch.cuda.is_available():
        for item in marked:
            item.add_marker(pytest.mark.skip(reason="needs a CUDA device"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    """Part the tests for two processes: those that play by the clock, and those beside them."""
    return _TwoParts(config, log)


class _TwoParts(LoadScopeScheduling):
    def _split_scope(self, nodeid: str) -> str:
        return "live" if _is_live(nodeid) else "beside"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """In two processes, keep what plays by the clock first: the other takes the time it leaves, on one core."""
    if "PYTEST_XDIST_WORKER" in os.environ and not _is_live(item.nodeid) and os.environ.get("OMP_NUM_THREADS") != "1":
        os.environ["OMP_NUM_THREADS"] = "1"
        os.nice(LOWEST_PRIORITY)
        import torch

        torch.set_num_threads(1)


def _is_live(nodeid: str) -> bool:
    return nodeid.startswith(LIVE)


def _started(server: Callable[[Path], XDisplay | JackServer | PulseServer], folder: Path) -> Iterator:
    try:
        running = server(folder)
    except ServerMissingError as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))
    with running:
        yield running


@pytest.fixture(scope="session")
def display(tmp_path_factory: pytest.TempPathFactory) -> Iterator[XDisplay]:
    """An X display of 1280x720 with OpenGL and RandR and no window manager."""
    yield from _started(XDisplay, tmp_path_factory.mktemp("xvfb"))


@pytest.fixture(scope="session")
def jack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JackServer]:
    """A private JACK server with a dummy sound card."""
    yield from _started(JackServer, tmp_path_factory.mktemp("jack"))


@pytest.fixture(scope="session")
def pulse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PulseServer]:
    """A private PulseAudio server with a null sink named `stage`."""
    yield from _started(PulseServer, tmp_path_factory.mktemp("pulse"))


@pytest.fixture(scope="session")
def qt_application(display: XDisplay) -> Iterator[object]:
    """The one QApplication of this process, on the test display, for tests that build widgets themselves."""
    os.environ.update(display.env)
    from PyQt6.QtWidgets import QApplication

    application = QApplication.instance() or QApplication(["vj-tests"])
    yield application
    application.processEvents()
    end_application(application)


@pytest.fixture
def run_vj(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the real command to its end: `run_vj("render", ..., display=display, env={}, timeout_s=60)`."""

    def run(
        *arguments: str | Path,
        display: XDisplay | None = None,
        env: Mapping[str, str] | None = None,
        timeout_s: float = 60.0,
    ) -> subprocess.CompletedProcess[str]:
        full = own_environment(tmp_path, {**(display.env if display else {}), **(env or {})})
        return run_to_end([str(argument) for argument in arguments], full, tmp_path, timeout_s)

    return run


@pytest.fixture
def start_vj(tmp_path: Path) -> Iterator[Callable[..., RunningVj]]:
    """Start the real command and play it: `start_vj("run", "--fullscreen", display=display, env=jack.env)`."""
    running: list[RunningVj] = []

    def start(
        *arguments: str | Path, display: XDisplay | None = None, env: Mapping[str, str] | None = None
    ) -> RunningVj:
        full = own_environment(tmp_path, {**(display.env if display else {}), **(env or {})})
        running.append(RunningVj([str(argument) for argument in arguments], full, tmp_path))
        return running[-1]

    yield start
    for process in running:
        process.stop()
