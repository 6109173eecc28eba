"""From a prompt that is changed to the first frame made with it, paced as in the show.

The real chunk loop fills a real ring; a display of 60 refreshes a second plays it at the content rate, and holds the
frame it has where there is none. What the window does after that refresh is not in these figures.
"""

from __future__ import annotations

import dataclasses
import os
import random
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from engine.benchmark.figures import percentile
from engine.chunk import Chunk
from engine.chunk_pace import LARGEST_CHUNK_FRAMES
from engine.frame_ring import FrameRing
from engine.generator import Generator
from engine.inbox import Inbox
from engine.messages import Command, Failure, Message, Values
from engine.parameter import values_of
from engine.params import ChunkParams
from engine.ring_place import RING_CHUNKS
from engine.worker_loop import WorkerLoop

PROMPTS = ("violet smoke drifting slowly", "golden sparks rising fast")
REFRESH_HZ = 60.0
SETTLE_S = 2.0  # of playing before the first switch
WAIT_S = (0.3, 1.6)  # between the frame that shows a switch and the next one: every phase of a chunk comes
LONGEST_START_S = 300.0  # until the first frame
LONGEST_S = 20.0  # a switch that is not seen by then is lost
JOIN_S = 30.0


class WatchedRing(FrameRing):
    """A ring that remembers which prompt every chunk was made with."""

    def watch(self, generator: Generator) -> None:
        """Look at this generator's prompts whenever it writes."""
        self._generator = generator
        self.prompt_of: dict[int, str] = {}  # by generation id

    def write(self, chunk: Chunk) -> None:
        """Note the prompt, then write."""
        self.prompt_of[chunk.generation_id] = self._generator.prompts_on_screen[0]
        super().write(chunk)


@dataclass
class Display:
    """The reading end: at every refresh the frame that is due."""

    ring: FrameRing
    rate_fps: float
    shown: int = -1  # counter of the frame on it
    generation_id: int = -1
    held: int = 0  # refreshes without the frame that was due
    _due: float = 0.0  # frames played, with fractions

    def refresh(self, elapsed_s: float) -> None:
        """Show what is due `elapsed_s` after the refresh before."""
        self._due += elapsed_s * self.rate_fps
        while int(self._due) > self.shown:
            frame = self.ring.peek(self.shown + 1)
            if frame is None:
                self.held += self.shown >= 0
                self._due = float(self.shown + 1)  # goes on from here when it comes
                return
            self.shown, self.generation_id = self.shown + 1, frame.generation_id
            self.ring.release(self.shown)


@dataclass(frozen=True)
class Player:
    """The hand and the eye: switches prompts and looks for the first frame of each."""

    ring: WatchedRing
    inbox: Inbox
    chunk_frames: int
    settle_s: float  # of playing before the first switch

    def say(self, version: int, text: str) -> None:
        """What the instrument sends when a hand has changed a prompt."""
        params = dataclasses.replace(ChunkParams(), chunk_frames=self.chunk_frames)
        self.inbox.put(Command(version, "prompt/text", {"pad": 1, "text": text}))
        self.inbox.put(Values(version, values_of(params)))

    def switch(self, switches: int, dice: random.Random) -> tuple[list[float], int]:
        """Milliseconds of each switch that was seen, and how many refreshes had no new frame."""
        display = Display(self.ring, self.ring.rate_fps)
        taken_ms: list[float] = []
        seen_s = time.monotonic()
        press_s, wanted, lost = seen_s + LONGEST_START_S, "", 0  # the next press, or the last while one is wanted
        while len(taken_ms) + lost < switches:
            refresh_s = seen_s + 1 / REFRESH_HZ
            time.sleep(max(0.0, (refresh_s if wanted else min(press_s, refresh_s)) - time.monotonic()))
            now_s = time.monotonic()
            if not wanted and press_s <= now_s:
                if display.generation_id < 0:
                    break  # nothing was ever shown
                number = len(taken_ms) + lost + 1
                wanted, press_s = PROMPTS[number % 2], now_s
                self.say(number + 1, wanted)
                continue
            is_first = display.generation_id < 0
            display.refresh(now_s - seen_s)
            seen_s = now_s
            if is_first and display.generation_id >= 0:
                press_s, display.held = now_s + self.settle_s, 0
            elif wanted and self.ring.prompt_of.get(display.generation_id) == wanted:
                taken_ms.append((now_s - press_s) * 1e3)
                wanted, press_s = "", now_s + dice.uniform(*WAIT_S)
            elif wanted and now_s - press_s > LONGEST_S:
                wanted, press_s, lost = "", now_s + self.settle_s, lost + 1
        return taken_ms, display.held


def prompt_switches(
    generator: Generator, chunk_frames: int, *, switches: int, seed: int = 0, settle_s: float = SETTLE_S
) -> dict[str, object]:
    """Milliseconds from a switch to its first frame, over so many at random moments, at the generator's own rate."""
    rate_fps = generator.rate_fps
    for text in PROMPTS:
        generator.prompts.encode_now(text)
    place = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=place if place.is_dir() else None) as folder:
        ring = WatchedRing.create(
            Path(folder) / "frames.ring",
            width=generator.width,
            height=generator.height,
            rate_fps=rate_fps,
            capacity=RING_CHUNKS * LARGEST_CHUNK_FRAMES,
            process_id=os.getpid(),
        )
        ring.watch(generator)
        failures: list[str] = []
        inbox = Inbox()

        def hear(message: Message) -> None:
            if isinstance(message, Failure):
                failures.append(message.sentence)

        player = Player(ring, inbox, chunk_frames, settle_s)
        player.say(1, PROMPTS[0])
        loop = threading.Thread(target=WorkerLoop(generator, ring, inbox, hear).run, name="chunks", daemon=True)
        loop.start()
        try:
            taken_ms, held = player.switch(switches, random.Random(seed))
        finally:
            inbox.close()
            loop.join(JOIN_S)
            ring.close()
    return {
        "chunk_frames": chunk_frames,
        "rate_fps": rate_fps,
        "switches": len(taken_ms),
        "mean_ms": round(sum(taken_ms) / max(1, len(taken_ms)), 1),
        **{f"p{share}_ms": round(percentile(taken_ms, share / 100), 1) for share in (50, 90, 99)},
        "max_ms": round(max(taken_ms, default=float("nan")), 1),
        "lost": switches - len(taken_ms),
        "refreshes_without_a_new_frame": held,
        "failures": failures,
        "times_ms": [round(taken, 1) for taken in taken_ms],
    }
