"""A generator and a display on one pretended clock, with a real ring file between them."""

from __future__ import annotations

import dataclasses
from collections import deque
from pathlib import Path

import numpy as np

from engine.chunk import Chunk
from engine.chunk_pace import ChunkPace
from engine.frame_ring import FrameRing
from vj.output.frame_reader import FrameReader

REFRESH_NS = 16_666_667
SECOND_NS = 1_000_000_000
PART_NS = 25_000_000  # between the parts of a chunk
WIDTH, HEIGHT, RATE_FPS = 16, 16, 16.0


class PlayedRing:
    """Makes chunks at `chunk_s` each while the ring has room, and plays them at 60 Hz.

    Red of a frame is its index, green its stream, so that a picture says where it came from.
    """

    def __init__(self, path: Path, *, chunk_s: float, chunk_frames: int = 12, first_frames: int = 9) -> None:
        self.now_ns = SECOND_NS
        self.chunk_s, self.chunk_frames, self.first_frames = chunk_s, chunk_frames, first_frames
        self.path = path
        self.input_age_ns = 0  # of what chunks are painted over when they are done; 0 = nothing
        self.pace: ChunkPace | None = None  # set: begins chunks late, as the worker does
        self.parts = 1  # a chunk is written in so many, a refresh and a half apart
        self._to_come: deque[tuple[int, Chunk]] = deque()  # when each further part is there
        self.reader = FrameReader(path)
        self.positions: list[tuple[float, int, float]] = []  # seconds, stream, frame on screen with its fraction
        self.new_engine()

    def new_engine(self) -> None:
        """Replace the ring, as a restarted engine does."""
        self.ring = FrameRing.create(
            self.path, width=WIDTH, height=HEIGHT, rate_fps=RATE_FPS, capacity=36, process_id=1
        )
        self.stream_id, self.next_frame, self.generation, self.present_ns = 1, 0, 0, 0
        self._finish_ns: int | None = self.now_ns + self._chunk_ns()

    def hard_cut(self, present_ns: int = 0) -> None:
        """Start a new stream at the next chunk, to be seen at a moment if one is given."""
        self.stream_id, self.next_frame, self.present_ns = self.stream_id + 1, 0, present_ns

    def run(self, seconds: float) -> None:
        """Let time pass, refresh by refresh."""
        end_ns = self.now_ns + int(seconds * SECOND_NS)
        while self.now_ns < end_ns:
            self.now_ns += REFRESH_NS
            self._arrive()
            self._generate()
            self.look()

    def look(self) -> None:
        """Refresh the display once, now."""
        picture = self.reader.picture_at(self.now_ns)
        if picture is not None:
            share = picture.share if picture.second.stream_id == picture.first.stream_id else 1.0
            at = picture.second.index - (picture.second.index - picture.first.index) * (1.0 - share)
            self.positions.append((self.now_ns / SECOND_NS, picture.second.stream_id, at))

    def _chunk_ns(self) -> int:
        return int(self.chunk_s * SECOND_NS)

    def _generate(self) -> None:
        count = self.first_frames if self.next_frame == 0 else self.chunk_frames
        if not self._is_due(count):
            self._finish_ns = None
            return
        if self._finish_ns is None:  # there was no room: the work starts only now
            self._finish_ns = self.now_ns + self._chunk_ns()
        if self.now_ns >= self._finish_ns:
            self._write(self._chunk(count))
            if self.pace is not None:
                self.pace.note(3, count, self.chunk_s, self.chunk_s)
            self._finish_ns = self.now_ns + self._chunk_ns() if self.pace is None else None

    def _write(self, chunk: Chunk) -> None:
        size = len(chunk.frames) // self.parts
        for k in range(self.parts):
            part = dataclasses.replace(
                chunk,
                frames=chunk.frames[k * size : (k + 1) * size],
                first_frame=chunk.first_frame + k * size,
                frames_left=(self.parts - 1 - k) * size,
                made_ns=self.now_ns + k * PART_NS,
                input_ns=chunk.input_ns[:size],
            )
            self._to_come.append((part.made_ns, part))
        self._arrive()

    def _arrive(self) -> None:
        while self._to_come and self._to_come[0][0] <= self.now_ns:
            self.ring.write(self._to_come.popleft()[1])

    def _is_due(self, count: int) -> bool:
        if self.pace is None:
            return self.ring.free_frames >= count
        is_low = self.ring.written - self.ring.read <= self.pace.low_water_frames(3, count)
        return self._finish_ns is not None or is_low

    def _chunk(self, count: int) -> Chunk:
        frames = np.zeros((count, HEIGHT, WIDTH, 4), np.uint8)
        for k in range(count):
            frames[k, :, :, 0] = (self.next_frame + k) % 256
        frames[..., 1] = self.stream_id
        self.generation += 1
        about = (self.stream_id, self.next_frame, RATE_FPS, self.generation, 0, self.now_ns, self.present_ns)
        came_ns = (self.now_ns - self.input_age_ns,) * count if self.input_age_ns else ()
        chunk = Chunk(frames, *about, came_ns)
        self.present_ns = 0
        self.next_frame += count
        return chunk

    def steps(self, since_s: float) -> np.ndarray:
        """Frames moved between refreshes within one stream, since a moment."""
        late = [p for p in self.positions if p[0] >= since_s]
        return np.array([b[2] - a[2] for a, b in zip(late, late[1:], strict=False) if a[1] == b[1]])
