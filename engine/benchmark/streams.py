"""How fast a generator plays: warmed up, end to end, from a cut to its first frame. Times are the host's, in ms.

A chunk's time is that between two chunks of frames in the host's hands: nothing waits for the device besides.
"""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass

from engine.benchmark.figures import FEWEST_WARM_UP_CHUNKS, has_settled, missed_deadlines, spread
from engine.generator import Generator
from engine.live.chunk_watch import ChunkWatch
from engine.params import ChunkParams

FIRST_FRAMES = 10  # cuts per kind
LONGEST_S = 30.0  # of warming up, after the chunks whose shapes differ


@dataclass(frozen=True)
class Played:
    """Chunks played one after the other as fast as they are made."""

    times_ms: tuple[float, ...]
    frames: int

    @property
    def fps(self) -> float:
        """Frames per second over all of them."""
        return self.frames / sum(self.times_ms) * 1e3

    def figures(self) -> dict[str, object]:
        """All of it, ready for JSON."""
        per_chunk = self.frames // len(self.times_ms)
        return {
            "fps": round(self.fps, 3),
            "chunks": len(self.times_ms),
            "frames": self.frames,
            "s": round(sum(self.times_ms) / 1e3, 4),
            "chunk_ms": spread(self.times_ms),
            "missed_deadlines": missed_deadlines(self.times_ms, per_chunk),
            "chunk_times_ms": [round(taken, 3) for taken in self.times_ms],
        }


def warm_up(generator: Generator, params: ChunkParams, most_chunks: int) -> dict[str, object]:
    """Play until three chunks in a row differ by less than 2 %, and say how long that took.

    At most so many chunks, or LONGEST_S after the first few: a machine that others use never settles.
    """
    began_s = due_s = time.perf_counter()
    times_ms: list[float] = []
    while len(times_ms) < most_chunks and not has_settled(times_ms):
        if len(times_ms) <= FEWEST_WARM_UP_CHUNKS:
            due_s = time.perf_counter() + LONGEST_S
        elif time.perf_counter() > due_s:
            break
        times_ms += play(generator, params, 1).times_ms
    return {
        "chunks": len(times_ms),
        "s": round(time.perf_counter() - began_s, 3),
        "has_settled": has_settled(times_ms),
        "chunk_times_ms": [round(taken, 2) for taken in times_ms],
    }


def play(generator: Generator, params: ChunkParams, chunks: int) -> Played:
    """Make so many chunks as the show does: frames first, then what later chunks look back at."""
    times_ms, frames = [], 0
    before_s = time.perf_counter()
    for _ in range(chunks):
        made = generator.generate_chunk(params)
        now_s = time.perf_counter()
        times_ms.append((now_s - before_s) * 1e3)
        before_s, frames = now_s, frames + len(made.frames)
        generator.remember_chunk()
    return Played(tuple(times_ms), frames)


def first_frames(generator: Generator, params: ChunkParams, cuts: int = FIRST_FRAMES) -> dict[str, dict[str, float]]:
    """From a hard cut to its first frames in a warm process: with a prompt nobody has encoded, and with a known one."""
    times: dict[str, list[float]] = {"text": [], "new_prompt": [], "cached_prompt": [], "whole_chunk": []}
    for number in range(cuts):
        text = f"slow ember light number {number} over a quiet lake"
        asked = dataclasses.replace(params, prompt_texts=(text, *params.prompt_texts[1:]))
        for kind in ("new_prompt", "cached_prompt"):
            shown_s: list[float] = []
            watch = ChunkWatch(is_given_up=lambda: False, show=lambda _, seen=shown_s: seen.append(time.perf_counter()))
            began_s = time.perf_counter()
            generator.prompts.encode_now(text)
            encoded_s = time.perf_counter()
            generator.hard_cut()
            generator.generate_chunk(asked, watch=watch)
            times[kind].append((shown_s[0] - began_s) * 1e3)
            if kind == "new_prompt":
                times["text"].append((encoded_s - began_s) * 1e3)
            else:
                times["whole_chunk"].append((shown_s[-1] - began_s) * 1e3)
            play(generator, asked, 2)
    return {f"{kind}_ms": spread(taken) for kind, taken in times.items()}
