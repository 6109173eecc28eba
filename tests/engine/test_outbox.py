"""Messages towards a reader that is slow, silent or gone."""

from __future__ import annotations

import os
import threading
import time

from engine.messages import Done, Failure, GeneratorStatus, decode
from engine.outbox import KEPT_FAILURES, Outbox


def read_all(descriptor: int) -> list:
    with os.fdopen(descriptor, "rb") as file:
        return [decode(line) for line in file]


def test_a_full_pipe_holds_nobody_up_and_keeps_what_counts() -> None:
    readable, writable = os.pipe()
    outbox = Outbox(writable, GeneratorStatus)
    began_s = time.monotonic()
    for number in range(3000):
        outbox.put(GeneratorStatus(detail="x" * 200, chunks=number))
        if number % 100 == 0:
            outbox.put(Done(number))
        outbox.put(Failure(f"{number}"))
    assert time.monotonic() - began_s < 10.0
    threading.Thread(target=outbox.close, args=(20.0,)).start()
    read = read_all(readable)
    assert [message.id for message in read if isinstance(message, Done)] == list(range(0, 3000, 100))
    assert [message.chunks for message in read if isinstance(message, GeneratorStatus)][-1] == 2999
    failures = [message.sentence for message in read if isinstance(message, Failure)]
    assert failures[-1] == "2999"
    assert KEPT_FAILURES <= len(failures) < 3000


def test_the_last_status_is_said_again_and_a_reader_that_left_is_noticed() -> None:
    readable, writable = os.pipe()
    has_broken = threading.Event()
    outbox = Outbox(writable, GeneratorStatus, repeat_s=0.02, on_broken=has_broken.set)
    outbox.put(GeneratorStatus(chunks=7))
    with os.fdopen(readable, "rb") as file:
        assert [decode(file.readline()).chunks for _ in range(3)] == [7, 7, 7]
    assert has_broken.wait(20.0)
    outbox.put(Done(1))
    outbox.close()
