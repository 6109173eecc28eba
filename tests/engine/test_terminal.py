"""Commands whose terminal misbehaves: a reader that left, a full or closed stdout, letters it cannot write, Ctrl-C."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import sys, time
from engine.terminal import run_command

def command():
    {body}
    return 0

sys.exit(run_command(command))
"""


def ended(body: str, redirection: str = "") -> subprocess.CompletedProcess[str]:
    line = f'"{sys.executable}" -c "$0" {redirection}; echo "exit $?" >&2'
    script = SCRIPT.format(body=body)
    return subprocess.run(["bash", "-c", line, script], cwd=ROOT, capture_output=True, text=True, timeout=60)


@pytest.mark.skipif(sys.platform != "linux", reason="shell redirections and /dev/full")
@pytest.mark.parametrize(
    ("body", "redirection", "told"),
    [
        ("print('x' * 100000)", "> >(true)", "exit 1\n"),
        ("print('x'); sys.exit(2)", "", "exit 2\n"),
        ("print('x')", ">&-", "exit 0\n"),
        (
            "print('x')",
            ">/dev/full",
            "vj: stdout cannot be written (No space left on device): send it elsewhere\nexit 1\n",
        ),
        ("sys.stderr.write('x')", ">&- 2>&-", ""),
    ],
)
def test_a_terminal_that_is_gone_or_full_is_no_traceback(body: str, redirection: str, told: str) -> None:
    body = body.replace("print('x' * 100000)", "time.sleep(0.2); print('x' * 100000)")
    shown = ended(body, redirection).stderr
    assert shown == told or (not told and shown == "exit 0\n")


def test_letters_the_terminal_lacks_are_escaped() -> None:
    done = ended("print(chr(0xDCFF), chr(0x20AC))", "| cat")
    assert done.stdout.startswith("\\udcff")


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_and_its_kin_unwind_the_command_and_end_with_130(number: signal.Signals) -> None:
    body = "print('on', flush=True)\n    try:\n        time.sleep(60)\n    finally:\n        print('undone')"
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(body=body)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # as a terminal starts it: what runs the tests may have told it to ignore the signal, as nohup does
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),
    )
    assert process.stdout.readline() == b"on\n"
    time.sleep(0.1)
    process.send_signal(number)
    shown, told = process.communicate(timeout=30)
    assert (process.returncode, shown, told) == (130, b"undone\n", b"")
