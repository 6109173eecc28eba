"""How a command behaves towards its terminal, whatever that does: Ctrl-C at any moment, a terminal that is closed, a
reader that leaves, a closed or full stdout, an encoding that lacks a letter. Knows nothing of the commands.
"""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Callable, Mapping

EXIT_FAILED, EXIT_STOPPED = 1, 130  # 130 = 128 + SIGINT, as shells do


def take_stdout() -> int:
    """Take stdout for messages alone and return its descriptor.

    Whatever any library prints lands on stderr from now on.
    """
    sys.stdout.flush()
    messages = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return messages


def run_command(command: Callable[[], int]) -> int:
    """Run a command and return its exit code; what goes wrong with the terminal is never a traceback."""
    _replace_closed_streams()
    _end_as_ctrl_c_does()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            return command()
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        return EXIT_STOPPED
    except BrokenPipeError:  # whoever read has left, as `| head` does
        _silence_stdout()
        return EXIT_FAILED
    except OSError as error:
        if error.filename is not None:
            raise
        _silence_stdout()
        sys.stderr.write(f"vj: stdout cannot be written ({error.strerror}): send it elsewhere\n")
        return EXIT_FAILED


def _end_as_ctrl_c_does() -> None:
    """Let SIGTERM and a closed terminal unwind the command too: half a file must not stay. `nohup` keeps its say."""
    handled: Mapping[str, signal.Signals] = signal.Signals.__members__
    for name in ("SIGTERM", "SIGHUP"):
        if name in handled and signal.getsignal(handled[name]) == signal.SIG_DFL:
            signal.signal(handled[name], signal.default_int_handler)


def _replace_closed_streams() -> None:
    """Give a process that was started without stdout or stderr ones that swallow everything."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115  a Path has no null device
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115


def _silence_stdout() -> None:
    """Drop what is still in the buffer: the interpreter would complain about it at its end."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)
