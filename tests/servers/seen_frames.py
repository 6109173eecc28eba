"""`python -m tests.servers.seen_frames FILE [words of vj]`: the real program; at every swap, what is on screen then.

FILE gets six 8-byte numbers per swap of the output, at once, from whichever process draws: when, stream, chunk and
values' version of the frame on screen, blackout, and the hue in thousandths of a degree.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from vj.output.frame_reader import FrameReader
from vj.output.pacing import RefreshPace
from vj.output.params import OutputParams
from vj.output.playback import PlaybackStatus
from vj.stage.stage import Stage

FIELDS = ("time_ns", "stream_id", "generation_id", "params_version", "blackout", "hue")
STAGE_WORD = "--stage"  # the program starts its output through this module again
MODULE = "tests.servers.seen_frames"


def read_seen(path: Path, first: int = 0) -> np.ndarray:
    """Return the swaps written so far from number `first` on, (N, 6) int64 as FIELDS."""
    raw = path.read_bytes() if path.exists() else b""
    size = 8 * len(FIELDS)
    return np.frombuffer(raw[first * size : len(raw) // size * size], np.int64).reshape(-1, len(FIELDS))


class _Seen:
    """What the thread that draws has drawn last."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)
        self.status = PlaybackStatus()
        self.params = OutputParams()

    def write_down(self) -> None:
        status, params = self.status, self.params
        about = (status.stream_id, status.generation_id, status.params_version)
        row = (time.monotonic_ns(), *about, int(params.blackout), round(1000 * params.hue))
        self._file.write(np.array(row, np.int64).tobytes())


def _watch(seen: _Seen) -> None:
    publish, read_params, ask = FrameReader._publish, Stage.read_params, RefreshPace.delay_ns

    def noted_publish(reader: FrameReader) -> None:
        publish(reader)
        if reader.status.is_streaming:
            seen.status = reader.status

    def noted_params(stage: Stage, output: int) -> OutputParams:
        seen.params = read_params(stage, output)
        return seen.params

    def noted_swap(pace: RefreshPace, now_ns: int) -> int:
        seen.write_down()
        return ask(pace, now_ns)

    FrameReader._publish, Stage.read_params, RefreshPace.delay_ns = noted_publish, noted_params, noted_swap


def main(path: Path, words: list[str]) -> int:
    """Run the program, or its output, watched."""
    if words[:1] == [STAGE_WORD]:
        from vj.stage.__main__ import main as play_stage

        _watch(_Seen(path))
        return play_stage(words[1:])
    import vj.__main__
    import vj.stage.process

    python_command = vj.stage.process.python_command
    vj.stage.process.python_command = lambda module: [*python_command(MODULE), str(path.absolute()), STAGE_WORD]
    return vj.__main__.main(words)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
