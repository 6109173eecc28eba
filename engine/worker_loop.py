"""The chunk loop of the engine process: a snapshot in, a chunk into the ring, just in time; commands answered.

Knows nothing of pipes, of processes or of how a model is loaded.
"""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections.abc import Callable
from pathlib import Path

from engine.asked_texts import AskedTexts
from engine.chunk_pace import FRAMES_PER_LATENT, TIME_SHARE, ChunkPace, frames_of
from engine.chunk_source import ChunkSource
from engine.chunk_values import chunk_params
from engine.cut_plan import CutPlan
from engine.frame_ring import FrameRing
from engine.free_deck import FreeDeck
from engine.inbox import Inbox
from engine.live.chunk_watch import ChunkGivenUp, ChunkWatch
from engine.live.failures import ChunkFailures
from engine.live.hard_cues import can_begin_anew, is_hard_cue
from engine.live.shown_parts import ShownParts
from engine.memory import memory_of_engine
from engine.messages import ENCODE_AHEAD, Command, Done, Failure, GeneratorStatus, Message
from engine.params import ChunkParams

FIRST_VALUES_S = 0.5  # an instrument that says nothing at first is not waited for
LONGEST_WAIT_S = 0.25
SHORT_WAIT_S = 0.02  # how often a text that is being encoded, or a full ring that a cut waits for, is looked at
IDLE_STATUS_NS = 400_000_000  # an idle loop says that it lives
MEMORY_STATUS_CHUNKS = 32  # between two looks at the memory
TAKE = "deck/take"
NEW_STREAMS = ("cut/hard", TAKE)  # commands that begin another stream at their moment
MOST_GIVEN_UP = 2  # chunks in a row for what is no cut: a value that keeps jumping must not stop the stream

Send = Callable[[Message], None]


class WorkerLoop:
    """Owns source and ring while it runs. Everything belongs to the thread that calls `run`."""

    def __init__(self, source: ChunkSource, ring: FrameRing, inbox: Inbox, send: Send) -> None:
        self._source = source
        self._ring = ring
        self._inbox = inbox
        self._send = send
        self._pace = ChunkPace(source.rate_fps, ring.capacity)
        self._status = GeneratorStatus(state="streaming", model=source.model_name)
        self._texts = AskedTexts(source)
        self._deck = FreeDeck(source)
        self._taken = 0  # arming of the deck that was taken last: its values hold until the instrument has its own
        self._commands: list[Command] = []  # taken, not obeyed: their time has not come
        self._cut: Command | None = None  # given to the source, seen with the next chunk
        self._stream_start = ring.written  # counter of the playing stream's first frame
        self._failures = ChunkFailures((source.width, source.height))
        self._given_up = 0  # chunks in a row
        self._is_stopped = False

    def run(self) -> None:
        """Make chunks until the inbox is closed or "stop" was obeyed."""
        self._inbox.wait_for_values(FIRST_VALUES_S)  # texts come before them: not one chunk of other prompts is seen
        while not self._inbox.is_closed:
            self._follow_arming()
            self._obey_commands()
            if self._is_stopped:
                break
            params_version, params = self._snapshot()
            if self._is_due(params):
                self._make_chunk(params, params_version)
            elif self._deck.wants_chunk() and self._can_lend(params):
                self._deck.make_chunk()
                self._publish()
            elif self._deck.wants_chunk() and self._ring.free_frames >= frames_of(params.chunk_frames):
                self._make_chunk(params, params_version)  # runs ahead until there is time for the free deck
            else:
                self._publish()
                self._inbox.wait(self._wait_s(params))
        self._publish(state="stopped")
        self._deck.close()

    def _snapshot(self) -> tuple[int, ChunkParams]:
        """Everything the next chunk is made from, at one version. Texts come by command only, but for a deck's."""
        version, sent, deck = self._inbox.snapshot()
        if deck is not None and deck.serial == self._taken:
            return version, chunk_params(deck.values)
        return version, chunk_params({**sent, **self._texts.values()})

    # -- the free deck -------------------------------------------------------------------------------------------

    def _follow_arming(self) -> None:
        _, _, armed = self._inbox.snapshot()
        self._deck.follow(None if armed is not None and armed.serial == self._taken else armed)

    def _can_lend(self, params: ChunkParams) -> bool:
        """Whether the stream that plays lasts while a chunk of the free deck is made, and until its own next one."""
        frames = self._deck.next_frames
        _, busy_s = self._pace.slowest_s(self._deck.params.chunk_frames, frames)
        low_frames = self._pace.low_water_frames(params.chunk_frames, frames_of(params.chunk_frames))
        return self._buffered_s - busy_s * TIME_SHARE >= low_frames / self._source.rate_fps

    def _take_deck(self, command: Command) -> None:
        """Put the free deck on air; one that is not ready comes by a hard cut, with the deck's values."""
        _, _, armed = self._inbox.snapshot()
        serial = command.arguments.get("serial")
        if armed is None or serial != armed.serial or serial == self._taken:
            self._send(Done(command.id, f"deck {serial!r} is not armed any more"))
            return
        if not self._deck.is_ready:
            self._taken = armed.serial
            self._source.hard_cut()
            self._cut = command
            return
        stream_id = self._deck.stream_id
        try:
            self._ring = self._deck.take(Path(str(command.arguments.get("ring"))))
        except OSError as error:
            self._send(Done(command.id, f"the free deck cannot be put on air: {error.strerror or error}"))
            return
        self._taken, self._stream_start = armed.serial, 0
        self._status = dataclasses.replace(self._status, stream_id=stream_id)
        self._send(Done(command.id))

    # -- commands ------------------------------------------------------------------------------------------------

    def _take_commands(self) -> None:
        for command in self._inbox.take_commands():
            if command.name == ENCODE_AHEAD:
                self._source.prompts.request_ahead(command.arguments.get("texts", ()))
                continue
            self._texts.prepare(command)  # ready by the time a later command comes due
            self._commands.append(command)

    def _newest(self) -> ChunkParams:
        """What the chunk under way may still take up: values, and texts that are due before any other command."""
        self._take_commands()
        due = [command for command in self._commands if self._has_come(command)]
        for command in itertools.takewhile(self._texts.knows, due):
            self._commands.remove(command)
            self._obey(command)
        _, params = self._snapshot()
        return params

    def _obey_commands(self) -> None:
        self._take_commands()
        kept = []
        for command in self._commands:
            is_second_cut = command.name.startswith(("cut/", "deck/")) and self._cut is not None
            if is_second_cut or not self._has_come(command):
                kept.append(command)
            else:
                self._obey(command)
        self._commands = kept
        self._answer(self._texts.answers())

    def _has_come(self, command: Command) -> bool:
        """Whether it is time to begin what is to be seen at the command's presentation time."""
        return command.at_ns is None or time.monotonic_ns() + self._lead_ns(command) >= command.at_ns

    def _lead_ns(self, command: Command) -> int:
        """How long before its presentation time a command must be obeyed."""
        _, params = self._snapshot()
        if command.name == TAKE and self._deck.is_ready:  # its frames are there: the display cuts by itself
            return 0
        if command.name in NEW_STREAMS:  # a stream of its own, kept back by the display until its time
            return int(self._cut_plan(params).lead_s * 1e9)
        frames = frames_of(params.chunk_frames)
        made_s = self._pace.expected_s(params.chunk_frames, frames)
        # seen with the chunk that begins nearest to its time
        return int((max(made_s, self._buffered_s) + frames / self._source.rate_fps / 2) * 1e9)

    def _cut_plan(self, params: ChunkParams) -> CutPlan:
        frames = frames_of(params.chunk_frames)
        # a cut that comes late is seen off its beat: as slow as of late, and a quarter in reserve
        answer_s, busy_s = self._pace.slowest_s(params.chunk_frames, frames)
        first_frames = frames - FRAMES_PER_LATENT + 1
        return CutPlan.of(answer_s * TIME_SHARE, busy_s * TIME_SHARE, first_frames)

    def _obey(self, command: Command) -> None:
        if self._texts.knows(command):
            self._answer(self._texts.change(command))
        elif command.name == "cut/hard":
            self._source.hard_cut()
            self._cut = command
        elif command.name == "cut/soft":
            self._source.soft_cut()
            self._cut = command
        elif command.name == TAKE:
            self._take_deck(command)
        elif command.name == "stop":
            self._is_stopped = True
            self._send(Done(command.id))
        else:
            self._send(Done(command.id, f"the engine knows no command {command.name!r}"))

    def _answer(self, answers: list[Done]) -> None:
        for answer in answers:
            self._send(answer)

    # -- chunks --------------------------------------------------------------------------------------------------

    @property
    def _buffered_frames(self) -> int:
        """Frames of the newest stream that are not shown yet."""
        return self._ring.written - max(self._ring.read, self._stream_start)

    @property
    def _buffered_s(self) -> float:
        return self._buffered_frames / self._source.rate_fps

    def _is_due(self, params: ChunkParams) -> bool:
        frames = frames_of(params.chunk_frames)
        if not self._failures.may_try or self._ring.free_frames < frames:
            return False
        is_low = self._buffered_frames <= self._pace.low_water_frames(params.chunk_frames, frames)
        return is_low or self._cut is not None or self._must_fill(params)

    def _must_fill(self, params: ChunkParams) -> bool:
        """Whether the playing stream would run out before a cut that waits for its time."""
        dated = [command.at_ns for command in self._commands if command.name in NEW_STREAMS and command.at_ns]
        if not dated:
            return False
        left_s = (min(dated) - time.monotonic_ns()) / 1e9
        return self._cut_plan(params).must_fill(left_s, self._buffered_s)

    def _wait_s(self, params: ChunkParams) -> float:
        """How long nothing needs doing unless a command comes."""
        surplus = self._buffered_frames - self._pace.low_water_frames(
            params.chunk_frames, frames_of(params.chunk_frames)
        )
        waits_s = [LONGEST_WAIT_S, max(1, surplus) / self._source.rate_fps / 2]
        if self._texts.is_waiting or self._cut is not None:
            waits_s.append(SHORT_WAIT_S)
        now_ns = time.monotonic_ns()
        for command in self._commands:
            if command.at_ns is not None:
                left_s = (command.at_ns - self._lead_ns(command) - now_ns) / 1e9
                # looked at once more while there is time to fill the playing stream
                waits_s += [left_s, left_s / 2]
        return max(0.001, min(waits_s))

    def _make_chunk(self, params: ChunkParams, params_version: int) -> None:
        present_ns = (self._cut.at_ns if self._cut is not None else None) or 0
        parts = ShownParts(self._ring, self._status.stream_id, present_ns)
        self._publish(making=(parts.began_ns, frames_of(params.chunk_frames)))
        watch = ChunkWatch(lambda: self._is_given_up(params), parts.show)
        try:
            chunk = self._source.generate_chunk(params, params_version, self._newest, watch)
            self._source.remember_chunk()
        except ChunkGivenUp:
            self._given_up += 1
            self._status = dataclasses.replace(self._status, given_up=self._status.given_up + 1)
            self._publish()
            return
        # ArithmeticError: NaN. The others are what torch raises for a device that is full or a shape that does not fit
        except (ArithmeticError, RuntimeError, MemoryError, ValueError) as error:
            self._recover(error)
            return
        now_ns = time.monotonic_ns()
        self._failures.forget()
        self._given_up = 0
        if chunk.stream_id != self._status.stream_id:
            self._stream_start = parts.start
        chunk_s = (now_ns - parts.began_ns) / 1e9
        self._pace.note(params.chunk_frames, parts.frames, parts.answer_s, chunk_s)
        if self._cut is not None:
            self._send(Done(self._cut.id))
            self._cut = None
        self._status = dataclasses.replace(
            self._status,
            generator_fps=self._pace.generator_fps,
            chunk_s=chunk_s,
            cut_s=self._cut_plan(params).lead_s,
            chunks=self._status.chunks + 1,
            stream_id=chunk.stream_id,
            params_version=chunk.params_version,
        )
        if self._status.chunks % MEMORY_STATUS_CHUNKS == 1:
            used, free = memory_of_engine()
            self._status = dataclasses.replace(self._status, memory_bytes=used, free_bytes=free)
        self._answer(self._texts.answers())
        self._publish(has_chunk=True)

    def _is_given_up(self, made_with: ChunkParams) -> bool:
        """Whether a hard cue has come for which the chunk under way is begun anew. Texts that are due are obeyed."""
        self._take_commands()
        _, newest = self._snapshot()
        if newest.preempt == "off":
            return False
        waiting = [command for command in self._commands if command.at_ns is None]
        if self._cut is None and any(self._begins_stream(command) for command in waiting):
            return can_begin_anew(self._buffered_s, self._need_s(newest))
        if newest.preempt != "cues" or self._given_up >= MOST_GIVEN_UP:
            return False
        has_soft_cut = self._cut is None and any(command.name == "cut/soft" for command in waiting)
        for command in itertools.takewhile(self._texts.knows, waiting):
            self._commands.remove(command)
            self._obey(command)
        _, newest = self._snapshot()
        prompts = self._source.prompts
        if not (has_soft_cut or is_hard_cue(made_with, newest, self._source.prompts_on_screen, prompts.is_ready)):
            return False
        frames = frames_of(newest.chunk_frames)
        return can_begin_anew(self._buffered_s, self._pace.expected_s(newest.chunk_frames, frames))

    def _begins_stream(self, command: Command) -> bool:
        is_waiting_deck = command.name == TAKE and not self._deck.is_ready
        return command.name == "cut/hard" or is_waiting_deck

    def _need_s(self, params: ChunkParams) -> float:
        """From the beginning of a new stream until it can be shown, as expected."""
        frames = frames_of(params.chunk_frames)
        made_s = self._pace.expected_s(params.chunk_frames, frames)
        return CutPlan.of(made_s, made_s, frames - FRAMES_PER_LATENT + 1).need_s

    def _recover(self, error: Exception) -> None:
        """Tell the performer, and forget the stream that went wrong. Raises OutOfMemoryError."""
        sentence = self._failures.note(error)
        self._source.hard_cut()
        self._send(Failure(sentence))
        self._publish(detail=sentence)

    def _publish(
        self, *, state: str = "", detail: str = "", has_chunk: bool = False, making: tuple[int, int] = (0, 0)
    ) -> None:
        """Send the status before and after a chunk, whenever what it says in words has changed, and when idle."""
        status = dataclasses.replace(
            self._status,
            state=state or self._status.state,
            detail=detail or self._status.detail,
            prompts_on_screen=self._source.prompts_on_screen,
            making_since_ns=making[0],
            making_frames=making[1],
            input_notice=self._source.input_notice,
            **self._texts.facts(),
            **self._deck.facts(),
        )
        now_ns = time.monotonic_ns()
        if has_chunk or status != self._status or now_ns - self._status.moved_ns >= IDLE_STATUS_NS:
            self._status = dataclasses.replace(status, moved_ns=now_ns)
            self._send(dataclasses.replace(self._status, buffered_frames=self._buffered_frames))
