"""Commands keep their order and their number, whoever puts and takes them."""

import threading
import time

from vj.commands import CommandQueue


def test_ids_count_up_and_order_is_kept():
    queue = CommandQueue()
    queue.put("cut/hard")
    queue.put("prompt/text", {"pad": 2, "text": "a red river"}, at_ns=17)
    first, second = queue.take()
    assert (first.id, first.name, first.at_ns) == (1, "cut/hard", None)
    assert (second.id, second.arguments, second.at_ns) == (2, {"pad": 2, "text": "a red river"}, 17)
    assert queue.take() == []


def test_equal_commands_are_not_merged():
    queue = CommandQueue()
    for _ in range(50):
        queue.put("cut/hard")
    assert len(queue.take()) == 50


def test_a_command_is_pending_until_it_is_acknowledged():
    queue = CommandQueue()
    command = queue.put("cut/soft")
    queue.take()
    assert queue.pending() == (command,)
    queue.acknowledge(command.id)
    assert queue.pending() == ()
    assert queue.last_refusal is None


def test_an_error_is_kept_for_the_status_strip():
    queue = CommandQueue()
    command = queue.put("prompt/text", {"pad": 9, "text": "x"})
    queue.acknowledge(command.id, "there is no pad 9")
    queue.acknowledge(999, "never put")
    assert queue.last_refusal.command == command
    assert queue.last_refusal.error == "there is no pad 9"


def test_take_wakes_when_a_command_arrives():
    queue = CommandQueue()
    threading.Timer(0.05, queue.put, args=("cut/hard",)).start()
    before = time.monotonic()
    assert [command.name for command in queue.take(timeout_s=5.0)] == ["cut/hard"]
    assert time.monotonic() - before < 3.0


def test_nothing_is_lost_between_threads():
    queue = CommandQueue()
    taken: list[int] = []

    def put() -> None:
        for _ in range(500):
            queue.put("cut/hard")

    putters = [threading.Thread(target=put) for _ in range(3)]
    for putter in putters:
        putter.start()
    while len(taken) < 1500:
        commands = queue.take(timeout_s=2.0)
        assert commands, "the queue ran dry"
        taken += [command.id for command in commands]
    for putter in putters:
        putter.join()
    assert taken == list(range(1, 1501))
