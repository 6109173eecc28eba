"""The real `vj` command as a child process: run to its end, or kept running while a test plays it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from tests.servers.process import start_tied, stop_group

ROOT = Path(__file__).resolve().parents[2]
HOMES = ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME")
END_STAGES_S = 3.0
TRACEBACK = "Traceback (most recent call last)"


def vj_command() -> list[str]:
    """Return the installed console command, or the module in an environment without it."""
    script = Path(sys.executable).with_name("vj")
    return [str(script)] if script.exists() else [sys.executable, "-m", "vj"]


def own_environment(home: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return an environment with a home of its own, no display and no network look-ups by the model libraries."""
    kept = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    kept.update({name: str(home) for name in HOMES})
    kept.update(XDG_RUNTIME_DIR=str(home), HF_HUB_OFFLINE="1", PYTHONUNBUFFERED="1")
    kept["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    kept.update(extra or {})
    return kept


class RunningVj:
    """A `vj` process that goes on while the test plays it. `stop()` checks that no traceback was written."""

    def __init__(
        self, arguments: list[str], env: dict[str, str], folder: Path, command: list[str] | None = None
    ) -> None:
        """`command` starts another program in place of the `vj` command."""
        self.home = Path(env["XDG_STATE_HOME"])
        self.log = folder / f"vj_{time.monotonic_ns()}.log"
        self.process = start_tied([*(command or vj_command()), *arguments], self.log, env, cwd=folder)

    def output(self) -> str:
        """Return everything written so far, both streams."""
        return self.log.read_text(errors="replace")

    def wait_for(self, text: str, timeout_s: float = 20.0) -> None:
        """Wait until `text` stands in the output."""
        end = time.monotonic() + timeout_s
        while text not in self.output():
            assert self.process.poll() is None, f"vj ended with {self.process.returncode}:\n{self.output()}"
            assert time.monotonic() < end, f"vj did not write {text!r} within {timeout_s:g} s:\n{self.output()}"
            time.sleep(0.05)

    def stop(self, first: signal.Signals = signal.SIGTERM) -> int:
        """End the process and what it started, an output left alone included; returns its exit status."""
        status = stop_group(self.process, first)
        end_stages(self.home)
        assert TRACEBACK not in self.output(), self.output()
        return status


def stage_ids(home: Path) -> list[int]:
    """Process ids of the outputs of a home that run."""
    return [int(path.stem.removeprefix("stage-")) for path in (home / "vj").glob("stage-*.json")]


def end_stages(home: Path) -> None:
    """End the outputs of a home: they outlive the panels, and must not outlive a test."""
    for process_id in stage_ids(home):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process_id, signal.SIGTERM)
    end = time.monotonic() + END_STAGES_S
    for process_id in stage_ids(home):
        with contextlib.suppress(ProcessLookupError):
            while time.monotonic() < end and (home / "vj" / f"stage-{process_id}.json").exists():
                os.kill(process_id, 0)
                time.sleep(0.02)
            os.kill(process_id, signal.SIGKILL)


def run_to_end(
    arguments: list[str], env: dict[str, str], folder: Path, timeout_s: float
) -> subprocess.CompletedProcess[str]:
    """Run `vj` to its end; fails on a traceback and on a run over `timeout_s`, and leaves nothing behind."""
    command = [*vj_command(), *arguments]
    out, err = folder / "stdout.txt", folder / "stderr.txt"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, env=env, cwd=folder, start_new_session=True
        )
        try:
            process.wait(timeout_s)
            late = False
        except subprocess.TimeoutExpired:
            late = True
        finally:
            stop_group(process)
            end_stages(Path(env["XDG_STATE_HOME"]))
    done = subprocess.CompletedProcess(command, process.returncode, out.read_text("utf-8"), err.read_text("utf-8"))
    written = f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    assert not late, f"still running after {timeout_s:g} s: {written}"
    assert TRACEBACK not in done.stdout + done.stderr, written
    return done
