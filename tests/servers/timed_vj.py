"""`python -m tests.servers.timed_vj FILE [words of vj]`: the real program, with the moment of every swap written down.

FILE gets one 8-byte time.monotonic_ns() per swap of the output, a few times a second.
"""

from __future__ import annotations

import array
import sys
import time
from pathlib import Path

import numpy as np

from vj.__main__ import main
from vj.output.pacing import RefreshPace

WRITE_EVERY = 16  # swaps
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


if __name__ == "__main__":
    _write_down(Path(sys.argv[1]))
    sys.exit(main(sys.argv[2:]))
