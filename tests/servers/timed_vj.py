"""`python -m tests.servers.timed_vj FILE [words of vj]`: the real program, with the moment of every swap written down.

FILE gets one 8-byte time.monotonic_ns() per swap of the output, a few times a second, by whichever process draws.
"""

from __future__ import annotations

import array
import sys
import time
from pathlib import Path

import numpy as np

from vj.output.pacing import RefreshPace

WRITE_EVERY = 16  # swaps
STAGE_WORD = "--stage"  # the program starts its output through this module again
_ask = RefreshPace.delay_ns


def read_swaps(path: Path) -> np.ndarray:
    """Return the moments written so far, in ns of time.monotonic_ns()."""
    raw = path.read_bytes() if path.exists() else b""
    return np.frombuffer(raw[: len(raw) // 8 * 8], dtype=np.int64)


def _write_down(path: Path) -> None:
    held = array.array("q")

    def delay_ns(pace: RefreshPace, now_ns: int) -> int:
        held.append(time.monotonic_ns())
        if len(held) >= WRITE_EVERY:
            with path.open("ab") as file:
                held.tofile(file)
            del held[:]
        return _ask(pace, now_ns)

    RefreshPace.delay_ns = delay_ns


def main(path: Path, words: list[str]) -> int:
    """Run the program, or its output, with the swaps written down."""
    _write_down(path)
    if words[:1] == [STAGE_WORD]:
        from vj.stage.__main__ import main as play_stage

        return play_stage(words[1:])
    import vj.__main__
    import vj.stage.process

    python_command = vj.stage.process.python_command
    vj.stage.process.python_command = lambda module: [
        *python_command("tests.servers.timed_vj"),
        str(path.absolute()),
        STAGE_WORD,
    ]
    return vj.__main__.main(words)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
