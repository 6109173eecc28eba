"""The rules of hanging and starting again, over numbers."""

from __future__ import annotations

import itertools

from engine.messages import GeneratorStatus
from vj.engine_watch import FIRST_CHUNK_LEAST_S, FIRST_CHUNK_S, HANG_LEAST_S, LOADING_S, HangWatch, RestartPlan

SECOND = 10**9


def stood_still_s(watch: HangWatch, status: GeneratorStatus, seconds: float) -> float:
    """Look ten times a second for so long; return what the last look says."""
    times = range(0, int(seconds * SECOND) + 1, SECOND // 10)
    return [watch.stood_still_s(status, now_ns) for now_ns in times][-1]


def test_an_engine_without_progress_hangs_once_it_is_late_beyond_doubt() -> None:
    status = GeneratorStatus(state="streaming", chunks=4, chunk_s=0.4)
    limit_s = HangWatch(0).limit_s(status)
    assert limit_s >= HANG_LEAST_S
    assert limit_s > 10 * 0.75, "a chunk that comes ten times late is late, not hung"
    assert stood_still_s(HangWatch(0), status, limit_s - 0.2) == 0.0
    assert stood_still_s(HangWatch(0), status, limit_s + 0.2) > limit_s
    slow = GeneratorStatus(state="streaming", chunks=4, chunk_s=20.0)
    assert HangWatch(0).limit_s(slow) == 240.0


def test_loading_and_a_first_chunk_may_take_long() -> None:
    loading, first = GeneratorStatus(state="loading"), GeneratorStatus(state="streaming")
    assert HangWatch(0).limit_s(None) == HangWatch(0).limit_s(loading) == LOADING_S
    assert HangWatch(0).limit_s(first) == FIRST_CHUNK_S
    assert HangWatch(0, known_chunk_s=0.5).limit_s(first) == FIRST_CHUNK_LEAST_S


def test_a_watcher_that_was_stopped_itself_blames_nobody() -> None:
    watch, status = HangWatch(0), GeneratorStatus(state="streaming", chunks=4, chunk_s=0.4)
    assert watch.stood_still_s(status, SECOND // 2) == 0.0
    assert watch.stood_still_s(status, 3600 * SECOND) == 0.0, "an hour passed unseen"
    assert watch.stood_still_s(status, 3601 * SECOND) == 0.0


def test_starts_wait_only_after_three_without_a_chunk() -> None:
    plan = RestartPlan()
    assert [plan.wait_s(has_delivered=True) for _ in range(50)] == [0.0] * 50
    waits = [plan.wait_s(has_delivered=False) for _ in range(9)]
    assert waits == [0.0, 0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert plan.wait_s(has_delivered=True) == 0.0
    again = [plan.wait_s(has_delivered=False) for _ in range(3)]
    assert again == [0.0, 0.0, 1.0]
    assert all(plan.wait_s(has_delivered=False) <= 30.0 for _ in itertools.repeat(None, 5000))
