"""The chunk loop on the test pattern: when chunks are made, what commands do, what survives a failing model."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.chunk import Chunk
from engine.chunk_source import SourceChoice
from engine.frame_ring import FrameRing
from engine.inbox import Inbox
from engine.live.chunk_watch import ChunkWatch
from engine.messages import Command, Done, Failure, GeneratorStatus, Message, Ready, Values
from engine.params import ChunkParams
from engine.test_pattern import TestPattern
from engine.worker_loop import WorkerLoop
from engine.worker_run import run_worker

RATE_FPS = 64.0  # four times the content rate: the tests wait a quarter of the time
SIZE = (32, 16)
CAPACITY_FRAMES = 60


class SlowPattern(TestPattern):
    """Takes a known time per chunk and may fail."""

    def __init__(self, chunk_s: float = 0.0) -> None:
        super().__init__(*SIZE, RATE_FPS)
        self.chunk_s = chunk_s
        self.failures: list[Exception] = []
        self.seen: list[ChunkParams] = []
        self.cuts: list[str] = []

    def generate_chunk(
        self,
        params: ChunkParams,
        params_version: int = 0,
        newest: Callable[[], ChunkParams] | None = None,
        watch: ChunkWatch | None = None,
    ) -> Chunk:
        time.sleep(self.chunk_s)
        self.seen.append(params)
        if self.failures:
            raise self.failures.pop(0)
        return super().generate_chunk(params, params_version, newest, watch)

    def hard_cut(self) -> None:
        self.cuts.append("hard")
        super().hard_cut()

    def soft_cut(self) -> None:
        self.cuts.append("soft")


class Stage:
    """A loop on a thread, a reader that plays at content rate, and everything the loop said."""

    def __init__(self, source: SlowPattern, path: Path) -> None:
        self.source = source
        self.inbox = Inbox()
        self.said: list[Message] = []
        self.ring = FrameRing.create(
            path, width=SIZE[0], height=SIZE[1], rate_fps=RATE_FPS, capacity=CAPACITY_FRAMES, process_id=1
        )
        self.position = 0
        self.starved = 0
        self._ids = iter(range(1, 1000))
        self._stop = threading.Event()
        loop = WorkerLoop(source, self.ring, self.inbox, self.said.append)
        self._threads = [threading.Thread(target=loop.run), threading.Thread(target=self._play)]

    def start(self, *, is_told: bool = True) -> None:
        if is_told:
            self.inbox.put(Values(0, {}))
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self.inbox.close()
        self._stop.set()
        for thread in self._threads:
            thread.join(20)
            assert not thread.is_alive()

    def command(self, name: str, at_ns: int | None = None, **arguments: object) -> int:
        command_id = next(self._ids)
        self.inbox.put(Command(command_id, name, arguments, at_ns))
        return command_id

    def answer(self, command_id: int) -> Done | None:
        return next((m for m in self.said if isinstance(m, Done) and m.id == command_id), None)

    def of(self, kind: type) -> list:
        return [message for message in list(self.said) if isinstance(message, kind)]

    def _play(self) -> None:
        while not self._stop.wait(1 / RATE_FPS):
            if self.ring.written == 0:
                continue
            newest = self.ring.stream_of(self.ring.written - 1)
            while self.ring.stream_of(self.position) != newest and self.position < self.ring.written - 1:
                self.position += 1
            if self.position + 1 < self.ring.written:
                self.position += 1
            else:
                self.starved += 1
            self.ring.release(self.position)


def wait_for(condition: Callable[[], object], timeout_s: float = 20.0) -> object:
    deadline = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)
    return found


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(SlowPattern(chunk_s=0.02), tmp_path / "ring")
    yield stage
    stage.stop()


def test_chunks_come_just_in_time_and_without_a_gap(stage: Stage) -> None:
    stage.start()
    wait_for(lambda: stage.ring.written > 24)
    stage.starved = 0
    began, began_written, began_read = time.monotonic(), stage.ring.written, stage.ring.read
    buffered = []
    while time.monotonic() - began < 1.5:
        buffered.append(stage.ring.written - stage.ring.read)
        time.sleep(0.02)
    made, played = stage.ring.written - began_written, stage.ring.read - began_read
    assert stage.starved <= played / 10, "a busy machine may take a frame or two, a wrong pace takes most"
    assert 0 < made <= played + 24, "the loop makes what is played, no more"
    assert max(buffered) <= 48, "a hand waits behind at most what one chunk and the reserve play"


def test_the_first_chunk_has_the_texts_that_come_before_the_values(stage: Stage) -> None:
    stage.start(is_told=False)
    time.sleep(0.05)
    stage.command("prompt/text", pad=1, text="red desert")
    assert not stage.ring.written, "the texts of a performance are worth a moment's wait"
    stage.inbox.put(Values(1, {}))
    wait_for(lambda: stage.ring.written)
    assert stage.source.prompts_on_screen[0] == "red desert"


def test_a_changed_value_reaches_the_next_chunk_with_its_version(stage: Stage) -> None:
    stage.start()
    wait_for(lambda: stage.source.seen)
    stage.inbox.put(Values(7, {"/vj/seed/value": 11, "/vj/prompt/2/weight": 5.0, "/vj/nonsense": 1}))
    status = wait_for(lambda: [s for s in stage.of(GeneratorStatus) if s.params_version == 7])
    assert status
    params = stage.source.seen[-1]
    assert params.seed == 11
    assert params.prompt_weights[1] == 1.0, "out of range is clamped, never refused"


def test_a_hard_cut_makes_a_chunk_at_once_and_keeps_the_old_frames(stage: Stage) -> None:
    stage.source.chunk_s = 0.0
    stage.start()
    wait_for(lambda: stage.ring.written >= 30)
    written_before = stage.ring.written
    command_id = stage.command("cut/hard")
    wait_for(lambda: stage.answer(command_id))
    assert stage.answer(command_id).error == ""
    streams = [stage.ring.stream_of(counter) for counter in range(written_before, stage.ring.written)]
    assert 2 in streams
    assert stage.ring.stream_of(written_before - 1) == 1, "what was buffered is still there"
    first = stage.ring.peek(written_before + streams.index(2))
    assert first.index == 0


def test_two_cuts_are_two_streams(stage: Stage) -> None:
    stage.start()
    wait_for(lambda: stage.ring.written)
    ids = [stage.command("cut/hard"), stage.command("cut/hard"), stage.command("cut/soft")]
    wait_for(lambda: all(stage.answer(command_id) for command_id in ids))
    assert stage.source.cuts == ["hard", "hard", "soft"]
    assert stage.of(GeneratorStatus)[-1].stream_id == 3


def test_a_cut_with_a_time_is_held_until_then(stage: Stage) -> None:
    stage.start()
    wait_for(lambda: stage.ring.written > 24)
    at_ns = time.monotonic_ns() + 500_000_000
    command_id = stage.command("cut/hard", at_ns=at_ns)
    wait_for(lambda: stage.answer(command_id))
    late_s = (time.monotonic_ns() - at_ns) / 1e9
    assert -0.1 < late_s < 0.5


def test_a_dated_cut_is_made_ahead_says_when_and_leaves_the_old_stream_enough(stage: Stage) -> None:
    stage.source.chunk_s = 0.08
    stage.start()
    wait_for(lambda: stage.of(GeneratorStatus) and stage.of(GeneratorStatus)[-1].chunks > 4)
    status = stage.of(GeneratorStatus)[-1]
    assert 0.16 < status.cut_s < 1.0
    at_ns = time.monotonic_ns() + int((status.cut_s + status.chunk_s) * 1e9 + 3e8)
    command_id = stage.command("cut/hard", at_ns=at_ns)
    wait_for(lambda: stage.answer(command_id))
    first = next(counter for counter in range(stage.ring.written) if stage.ring.stream_of(counter) == 2)
    assert stage.ring.present_ns_of(first) == at_ns
    assert stage.ring.peek(first).made_ns < at_ns


def test_a_text_is_answered_once_it_is_encoded_and_waits_in_the_status(stage: Stage) -> None:
    book = stage.source.prompts
    withheld, encoded = set(), set()
    book.request, book.is_ready = withheld.add, encoded.__contains__
    stage.start()
    wait_for(lambda: stage.ring.written)
    replaced, kept = (stage.command("prompt/text", pad=2, text=text) for text in ("red", " blue "))
    wait_for(lambda: stage.answer(replaced))
    wait_for(lambda: stage.of(GeneratorStatus)[-1].prompts_waiting == (2,))
    assert stage.answer(kept) is None
    assert withheld == {"red", "blue"}
    encoded.add("blue")
    wait_for(lambda: stage.answer(kept))
    wait_for(lambda: stage.of(GeneratorStatus)[-1].prompts_on_screen[1] == "blue")
    assert stage.of(GeneratorStatus)[-1].prompts_waiting == ()


@pytest.mark.parametrize(
    ("name", "arguments", "complaint"),
    [
        ("prompt/text", {"pad": 17, "text": "x"}, "prompt pad 17 does not exist"),
        ("prompt/text", {"pad": 1, "text": 3}, "is not a text"),
        ("cut/sideways", {}, "knows no command 'cut/sideways'"),
    ],
)
def test_a_command_that_makes_no_sense_is_answered_with_a_sentence(
    stage: Stage, name: str, arguments: dict, complaint: str
) -> None:
    stage.start()
    command_id = stage.command(name, **arguments)
    assert complaint in wait_for(lambda: stage.answer(command_id)).error


def test_a_chunk_of_nan_is_not_shown_and_the_stream_goes_on(stage: Stage) -> None:
    stage.start()
    wait_for(lambda: stage.ring.written > 12)
    stage.source.failures.append(ArithmeticError("the model made NaN"))
    failure = wait_for(lambda: stage.of(Failure))[0]
    assert failure.sentence == "the model made NaN; a new stream is started"
    assert not failure.fatal
    wait_for(lambda: stage.of(GeneratorStatus)[-1].stream_id == 2)


def test_a_model_that_keeps_failing_is_retried_slowly_and_commands_are_still_answered(stage: Stage) -> None:
    stage.source.failures += [
        ArithmeticError("NaN"),
        RuntimeError("CUDA error: misaligned address\ndetails"),
        ValueError("x"),
    ]
    stage.start()
    wait_for(lambda: len(stage.of(Failure)) == 2)
    began = time.monotonic()
    command_id = stage.command("prompt/text", pad=1, text="green")
    wait_for(lambda: stage.answer(command_id), timeout_s=0.9)
    wait_for(lambda: len(stage.of(Failure)) == 3)
    assert 0.8 < time.monotonic() - began < 5.0
    assert "CUDA error: misaligned address)" in stage.of(Failure)[1].sentence
    wait_for(lambda: stage.ring.written)


def test_a_full_ring_makes_the_loop_wait_instead_of_failing(tmp_path: Path) -> None:
    stage = Stage(SlowPattern(), tmp_path / "ring")
    stage._threads = stage._threads[:1]  # nobody plays
    stage.start()
    ids = [stage.command("cut/hard") for _ in range(12)]
    time.sleep(0.3)
    stage.stop()
    assert stage.ring.written <= CAPACITY_FRAMES
    assert not stage.of(Failure)
    assert stage.answer(ids[0])
    assert stage.answer(ids[-1]) is None, "a cut nobody could see is not answered"


def test_stop_ends_the_loop_and_leaves_the_ring_to_its_owner(tmp_path: Path) -> None:
    inbox, said, ring_path = Inbox(), [], tmp_path / "ring"
    inbox.put(Command(1, "stop"))
    assert run_worker(SourceChoice("test-pattern", SIZE), ring_path, inbox, said.append) == 0
    assert [m for m in said if isinstance(m, Ready)] == [Ready("test-pattern", *SIZE, 16.0, "none")]
    assert Done(1) in said
    assert said[-1].state == "stopped"
    assert ring_path.exists()


def test_a_full_disk_is_a_sentence_and_leaves_no_ring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", refuse)
    said: list[Message] = []
    assert run_worker(SourceChoice("test-pattern", SIZE), tmp_path / "ring", Inbox(), said.append) == 1
    assert said[-1].sentence.endswith("cannot be made: No space left on device")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("choice", "folder", "complaint"),
    [
        (SourceChoice("test-pattern", (100, 16)), ".", "96x16 and 112x16"),
        (SourceChoice("test-pattern", SIZE), "missing", "cannot be made"),
        (SourceChoice("embre"), ".", "embre"),
    ],
)
def test_what_cannot_be_loaded_is_one_fatal_sentence(
    tmp_path: Path, choice: SourceChoice, folder: str, complaint: str
) -> None:
    said: list[Message] = []
    assert run_worker(choice, tmp_path / folder / "ring", Inbox(), said.append) == 1
    failure = said[-1]
    assert isinstance(failure, Failure)
    assert failure.fatal
    assert complaint in failure.sentence
