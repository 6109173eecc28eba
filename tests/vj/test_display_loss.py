"""The display server ends in mid-show: one sentence, exit code 1, nothing left behind."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.servers import ServerMissingError, XDisplay


@pytest.fixture
def own_display(tmp_path: Path):
    """A display this test may end."""
    try:
        display = XDisplay(tmp_path, 640, 360)
    except ServerMissingError as missing:
        pytest.skip(str(missing))
    yield display
    display.stop()


def engine_ids(parent: int) -> list[int]:
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(parent)], capture_output=True, text=True).stdout
    return [int(line) for line in listed.split()]


def test_a_display_that_ends_takes_the_show_down_with_a_sentence(start_vj, own_display) -> None:
    vj = start_vj("run", "--model", "test-pattern", "--fullscreen", "--osc", "0", display=own_display)
    vj.wait_for("OSCQuery answers")  # the last thing a show says as it begins
    engines = engine_ids(vj.process.pid)
    own_display.stop()
    assert vj.process.wait(20) == 1
    said = vj.output()
    assert said.rstrip().splitlines()[-1] == "vj: the display is gone: its server has ended, and the show with it"
    assert "Traceback" not in said
    assert engines
    assert not any(Path(f"/proc/{engine}").exists() for engine in engines)
    assert not list(Path("/dev/shm").glob(f"vj-run-{vj.process.pid}-*"))
