"""Keeps an engine going: starts it, watches it, starts it again, and lets another model take over while one plays.

Knows when engines begin and end. What they are told and what they answer is `generator_thread.py`.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

from engine.chunk_source import SourceChoice, has_light_decoder
from engine.frame_size import smaller_size
from engine.messages import Message
from vj.engine_run import EngineRun, SpareEngine
from vj.engine_watch import RestartPlan
from vj.run_folder import remove_stale_folders

STREAM_FRAMES_READY = 1  # chunks of a new model before it takes over
RETIRE_S = 1.0  # an engine that was relieved goes on for so long: the display looks for the new ring 5 times a second
CLOSE_S = 2.0
MEMORY_MARGIN = 1.2  # times what the playing engine uses must be free for a second one
_LOG = logging.getLogger(__name__)

OnMessage = Callable[[EngineRun, Message], None]


class EngineSupervisor:
    """`tick`, `change_model` and `restore_size` belong to one thread; properties may be read from any."""

    def __init__(
        self,
        choice: SourceChoice,
        ring_path: Path,
        log_folder: Path | None,
        on_message: OnMessage,
        tell: Callable[[str], None],
        *,
        is_in_process: bool = False,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """`on_message` gets what the engine that plays says, on its link's thread; `tell` sentences for the performer.

        An engine on a thread of this process is not watched: nobody could end it.
        """
        self._wanted = choice  # as asked for, before memory was full
        self._ring_path = ring_path
        self._log_folder = log_folder
        self._on_message = on_message
        self._tell = tell
        self._is_in_process = is_in_process
        self._clock = clock
        self._plan = RestartPlan()
        self._wanted_before = choice  # when a candidate was let in
        self._next_choice = choice
        self._start_ns: int | None = clock()  # when the next start is due; None = none is
        self._ended_ns = 0  # when the stream broke off; 0 = it did not
        self._streaming_ns = 0
        self._news = ""  # what is told once the stream is back
        self._reduction = ""  # how less is played than was asked for, since memory was full
        self._chunk_s: dict[str, float] = {}  # by model
        self._names = 0  # of rings beside the one that plays
        self._retiring: deque[tuple[int, EngineRun]] = deque()
        self._spare = SpareEngine(log_folder, ring_path.parent)
        self.run: EngineRun | None = None  # the one that plays
        self.candidate: EngineRun | None = None  # the one that loads to take over
        self.failed = ""  # why nothing is started any more; empty = it is
        self.restarts = 0

    @property
    def model(self) -> str:
        """What plays, or is about to."""
        return (self.candidate.choice if self.candidate is not None else self._next_choice).model

    @property
    def reduced(self) -> str:
        """How less is played than was asked for, since memory was full; empty = it is all. Any thread."""
        wanted = self._wanted_before if self.candidate is not None else self._wanted
        return self._reduction if self._next_choice != wanted else ""

    @property
    def loading(self) -> str:
        """What loads beside the one that plays, and how far it is; empty = nothing does. Any thread."""
        new = self.candidate
        if new is None:
            return ""
        seconds = (self._clock() - new.started_ns) / 1e9
        detail = new.status.detail if new.status is not None else ""
        return f"{detail or f'starting {new.choice.model}'}, {seconds:.0f} s"

    @property
    def trouble(self) -> str:
        """What happened to the engine that is being started again; empty once the stream is back."""
        return self._news if self._ended_ns else ""

    @property
    def spare_process_id(self) -> int | None:
        """Of the process that waits with everything imported; None without one."""
        return self._spare.process_id if self._spare.is_ready else None

    def tick(self) -> Iterator[EngineRun]:
        """Do what is due; return the engines that have just begun to need the state of the performance."""
        now_ns = self._clock()
        run = self.run
        if run is not None and run.ended:
            self._note_end(run, now_ns)
        elif run is not None:
            self._watch(run, now_ns)
        if self._start_ns is not None and now_ns >= self._start_ns:
            self._start_ns = None
            # known before it speaks: its first words come at once, on another thread
            self.run = EngineRun(self._next_choice, self._ring_path, self._receive)
            if self._open(self.run):
                yield self.run
            else:
                self.run = None
        yield from self._look_at_candidate()
        while self._retiring and now_ns >= self._retiring[0][0]:
            _close_beside(self._retiring.popleft()[1])

    def change_model(self, choice: SourceChoice) -> Iterator[EngineRun]:
        """Load another model beside the one that plays; return the engine that needs the performance's state."""
        playing = self.run
        if self.candidate is not None:
            _close_beside(self.candidate)
            self.candidate = None
            self._wanted = self._wanted_before
        self._wanted_before, self._wanted = self._wanted, choice
        if playing is None or self._is_in_process or self.failed:
            self._next_choice, self.failed, self._start_ns = choice, "", self._clock()
            self._plan = RestartPlan()
            if playing is not None:  # on a thread of this process there is one at a time
                self._retiring.append((0, playing))
                self.run = None
            return
        if refusal := _lacks_memory(playing):
            self._tell(f"model {choice.model!r} is not loaded beside {playing.choice.model!r}: {refusal}")
            self._wanted = self._wanted_before
            return
        self._names += 1
        path = self._ring_path.with_name(f"{self._ring_path.stem}-{self._names}{self._ring_path.suffix}")
        candidate = EngineRun(choice, path, self._receive)
        if self._open(candidate):
            self.candidate = candidate
            yield candidate

    def restore_size(self) -> Iterator[EngineRun]:
        """Go back to the size that was asked for before memory was full; return the engine that needs the state."""
        if self._next_choice == self._wanted:
            self._tell("the picture has its full size already")
            return
        yield from self.change_model(self._wanted)

    def close(self, timeout_s: float) -> None:
        """End every engine, by force after `timeout_s`."""
        self._start_ns = None
        self._spare.close()
        others = [run for _, run in self._retiring]
        runs = [run for run in (self.run, self.candidate, *others) if run is not None]
        threads = [threading.Thread(target=run.close, args=(timeout_s,), daemon=True) for run in runs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    # -- one engine after the other --------------------------------------------------------------------------------

    def _open(self, run: EngineRun) -> bool:
        """Start an engine; when it cannot be, say so and return False."""
        try:
            run.open(
                self._log_folder,
                self._spare,
                is_in_process=self._is_in_process,
                known_chunk_s=self._chunk_s.get(run.choice.model, 0.0),
            )
        except OSError as error:
            self._tell(f"the engine cannot be started: {error.strerror or error}")
            if run is self.run:
                self._start_ns = self._clock() + int(max(1.0, self._plan.wait_s(has_delivered=False)) * 1e9)
            return False
        return True

    def _receive(self, run: EngineRun, message: Message) -> None:
        if run is self.run:
            self._on_message(run, message)

    def _watch(self, run: EngineRun, now_ns: int) -> None:
        if run.chunks and not run.was_seen_streaming:
            run.was_seen_streaming = True
            self._streaming_ns = now_ns
            if self._news:
                since = f", stream back after {(now_ns - self._ended_ns) / 1e9:.1f} s" if self._ended_ns else ""
                self._tell(self._news + since)
            self._news, self._ended_ns = "", 0
        if self._is_in_process:
            return
        if run.was_seen_streaming:
            self._chunk_s[run.choice.model] = run.status.chunk_s
            if self.candidate is None:
                self._spare.keep(run.choice, self._streaming_ns, now_ns)
        self._end_if_hung(run, now_ns)

    def _note_end(self, run: EngineRun, now_ns: int) -> None:
        self.run = None
        self._ended_ns = self._ended_ns or now_ns
        _close_beside(run)
        cause = run.fatal.cause if run.fatal is not None else ""
        if cause == "memory" and not self._is_in_process and (lighter := _step_down(run)) is not None:
            self._next_choice, self._news = lighter
            self._reduction, self._start_ns = self._news, now_ns
        elif self._is_in_process or (run.is_hopeless and not self._streaming_ns):
            self.failed = run.reason
            return
        else:
            wait_s = self._plan.wait_s(has_delivered=bool(run.chunks))
            self._start_ns = now_ns + int(wait_s * 1e9)
            self._news = self._news or f"{run.reason}; started again"
            if wait_s:
                self._tell(f"{run.reason}; the next try is in {wait_s:g} s")
            remove_stale_folders()
        self.restarts += 1
        if self.candidate is not None and self.candidate.chunks:
            self._start_ns = None  # the next model has frames already

    # -- one model after the other -----------------------------------------------------------------------------------

    def _look_at_candidate(self) -> Iterator[EngineRun]:
        new, old = self.candidate, self.run
        if new is None:
            return
        if new.ended:
            self.candidate = None
            _close_beside(new)
            self._wanted = self._wanted_before
            self._tell(f"{new.reason}; {self._next_choice.model!r} plays on")
        elif new.chunks >= STREAM_FRAMES_READY:
            new.ring_path.replace(self._ring_path)
            self.candidate, self.run, self._start_ns = None, new, None
            self._next_choice = new.choice
            new.ring_path = self._ring_path
            self._news = f"{new.choice.model!r} plays now"
            if new.ready is not None:
                self._on_message(new, new.ready)
            if old is not None:
                self._retiring.append((self._clock() + int(RETIRE_S * 1e9), old))
            yield new
        else:
            self._end_if_hung(new, self._clock())

    def _end_if_hung(self, run: EngineRun, now_ns: int) -> None:
        still_s = run.watch.stood_still_s(run.status, now_ns)
        if still_s:
            run.ended = f"the engine hung for {still_s:.0f} s and was killed"
            run.link.kill()


def _step_down(run: EngineRun) -> tuple[SourceChoice, str] | None:
    """What takes less memory than this engine, and the sentence about it; None when nothing does."""
    if not run.choice.is_light and has_light_decoder(run.choice.model):
        return dataclasses.replace(run.choice, is_light=True), "out of memory: now with the light decoder"
    size = smaller_size(*_size_of(run))
    if size is None:
        return None
    also = ", with the light decoder" if run.choice.is_light else ""
    told = f"out of memory: now {_size(size)} instead of {_size(_size_of(run))}{also}"
    return dataclasses.replace(run.choice, size=size), told


def _size_of(run: EngineRun) -> tuple[int, int]:
    """Size an engine plays at, or would."""
    if run.ready is not None:
        enlarged = 2 if run.choice.memory.is_half else 1  # what it is asked for is the size before
        return run.ready.width * enlarged, run.ready.height * enlarged
    if run.choice.size is not None:
        return run.choice.size
    from engine.model_presets import PresetError, load_preset

    try:
        stream = load_preset(run.choice.model).stream
    except PresetError:
        return 0, 0
    return stream.width, stream.height


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


def _lacks_memory(playing: EngineRun) -> str:
    """Why a second engine would not fit beside this one; empty = it would, or nobody can say."""
    status = playing.status
    if status is None or not status.memory_bytes:
        return ""
    needed = int(MEMORY_MARGIN * status.memory_bytes)
    if status.free_bytes >= needed:
        return ""
    return f"{status.free_bytes / 1e9:.1f} GB of memory are free and {needed / 1e9:.1f} GB are needed"


def _close_beside(run: EngineRun) -> None:
    """End an engine without waiting for it."""
    threading.Thread(target=run.close, args=(CLOSE_S,), name="engine end", daemon=True).start()
