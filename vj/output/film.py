"""A film out of a file, read beside the show and played in a loop when the stream is gone.

Read whole into memory, so that no disk is waited for while it plays. Knows nothing of why it is played, or of GL.
"""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np

from engine.frame_ring import Frame
from vj.output.frame_reader import Picture

LONGEST_S = 60.0
LARGEST_BYTES = 512 << 20  # a minute of 832x480 at 16 frames per second is twice that: the film is cut there
LARGEST_SIDE = 1280  # pixels; larger films are made smaller
FILM_STREAM = 2**63  # no engine counts streams that far


class Film:
    """The frames of one file. Made and asked by the thread that draws; read on a thread of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problem = ""  # one sentence once reading has failed; any thread
        self._frames: tuple[Frame, ...] = ()
        self._thread = threading.Thread(target=self._read, name="fallback film", daemon=True)
        self._thread.start()

    @property
    def is_ready(self) -> bool:
        """Whether it can be played."""
        return len(self._frames) > 1

    def picture(self, played_s: float) -> Picture:
        """The pair to blend `played_s` seconds after its beginning; it starts over at its end. Needs `is_ready`."""
        frames = self._frames
        position = played_s * frames[0].rate_fps % len(frames)
        floor = int(position)
        return Picture(frames[floor], frames[(floor + 1) % len(frames)], position - floor)

    def wait(self, timeout_s: float) -> None:
        """Wait until it is read, for tests."""
        self._thread.join(timeout_s)

    def _read(self) -> None:
        import av

        try:
            with av.open(str(self.path)) as container:
                stream = container.streams.video[0]
                rate_fps = float(stream.average_rate or 25)
                scale = min(1.0, LARGEST_SIDE / max(stream.width, stream.height))
                size = {"width": round(stream.width * scale), "height": round(stream.height * scale)}
                self._frames = self._decode(container, rate_fps, size)
        except (av.error.FFmpegError, OSError, IndexError, ValueError) as error:
            reason = "it holds no picture" if isinstance(error, IndexError) else error
            self.problem = f"the fallback film {self.path} cannot be played ({reason}): choose another"
            return
        if not self.is_ready:
            self.problem = f"the fallback film {self.path} is too short: it needs two frames at least"

    @staticmethod
    def _decode(container: object, rate_fps: float, size: dict[str, int]) -> tuple[Frame, ...]:
        frames: list[Frame] = []
        held_bytes = 0
        for decoded in container.decode(video=0):
            pixels = np.ascontiguousarray(decoded.to_ndarray(format="rgba", **size))
            held_bytes += pixels.nbytes
            if held_bytes > LARGEST_BYTES or len(frames) > LONGEST_S * rate_fps:
                break
            number = len(frames)
            frames.append(Frame(pixels, FILM_STREAM, number, rate_fps, 0, 0, 0))
        return tuple(frames)
