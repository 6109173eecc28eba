"""What moves by itself reaches the engine in time for every chunk, and never as a flood."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.chunk_source import SourceChoice
from engine.messages import Command, Values
from vj import engine_run
from vj.commands import CommandQueue
from vj.controls import Controls
from vj.generator_thread import GeneratorThread, Modulate
from vj.parameters import ParameterStore

MORPH = "/vj/seed/morph"


class Line:
    """Stands in for the line to an engine: keeps the values that are sent."""

    def __init__(self) -> None:
        self.sent: list[Values] = []

    def send(self, message: Values | Command) -> None:
        if isinstance(message, Values):
            self.sent.append(message)

    def close(self, timeout_s: float) -> None:
        pass


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Line:
    line = Line()
    monkeypatch.setattr(engine_run, "EngineOnThread", lambda *arguments: line)
    return line


@pytest.fixture
def hands() -> Controls:
    return Controls(ParameterStore(), CommandQueue())


@pytest.fixture
def start(hands: Controls, line: Line, tmp_path: Path) -> Iterator[Callable[[Modulate], None]]:
    started: list[GeneratorThread] = []

    def begin(modulate: Modulate) -> None:
        thread = GeneratorThread(
            hands.store,
            hands.commands,
            SourceChoice("test-pattern"),
            is_in_process=True,
            log_folder=tmp_path,
            modulate=modulate,
        )
        started.append(thread)
        thread.start()

    yield begin
    for thread in started:
        thread.stop()


def test_nothing_is_sent_while_nothing_moves(start, line: Line):
    asked = []

    def modulate(values, status):
        asked.append(status)
        return values

    start(modulate)
    time.sleep(0.6)
    assert len(line.sent) == 1
    assert 2 <= len(asked) <= 14, "20 times a second, fewer on a busy machine"


def test_what_moves_by_itself_is_sent_20_times_a_second_at_most(start, line: Line, hands: Controls):
    start(lambda values, status: values | {MORPH: time.monotonic() % 1.0})
    time.sleep(1.0)
    sent = tuple(line.sent)
    assert 3 <= len(sent) <= 22
    assert {values.version for values in sent} == {hands.store.version}
    assert len({values.values[MORPH] for values in sent}) == len(sent)


def test_a_modulated_output_sends_the_engine_nothing(start, line: Line):
    start(lambda values, status: values | {"/vj/output/level": time.monotonic() % 1.0})
    time.sleep(0.4)
    assert len(line.sent) == 1


def test_a_hand_is_sent_at_once_and_modulated(start, line: Line, hands: Controls):
    start(lambda values, status: values | {MORPH: min(1.0, values[MORPH] + 0.25)})
    time.sleep(0.2)
    hands.set(MORPH, 0.5, "panel")
    deadline_s = time.monotonic() + 5.0
    while line.sent[-1].version != hands.store.version:
        assert time.monotonic() < deadline_s
        time.sleep(0.001)
    assert line.sent[-1].values[MORPH] == 0.75
    assert hands.store.get(MORPH) == 0.5
