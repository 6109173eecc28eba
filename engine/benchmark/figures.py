"""Numbers out of measured times: percentiles, deadlines, and when a machine has warmed up. Imports no torch."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

SETTLED_CHUNKS = 3  # so many in a row ..
SETTLED_SHARE = 0.02  # .. differ by less than this
FEWEST_WARM_UP_CHUNKS = 4  # shapes change at chunks 1, 2 and 3
DEADLINE_RATES_FPS = (16.0, 24.0)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` (0..1) of the values do not exceed: nearest rank, so always one that was measured."""
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def spread(times_ms: Sequence[float]) -> dict[str, float]:
    """Mean, percentiles, largest and standard deviation of times in milliseconds."""
    if not times_ms:
        return {}
    return {
        "mean": round(statistics.fmean(times_ms), 3),
        "p50": round(statistics.median(times_ms), 3),
        "p90": round(percentile(times_ms, 0.9), 3),
        "p99": round(percentile(times_ms, 0.99), 3),
        "max": round(max(times_ms), 3),
        "std": round(statistics.pstdev(times_ms), 3),
    }


def missed_deadlines(times_ms: Sequence[float], frames_per_chunk: int) -> dict[str, int]:
    """How many chunks took longer than they play, by frames per second."""
    return {
        f"{rate:g}_fps": sum(taken > frames_per_chunk / rate * 1e3 for taken in times_ms) for rate in DEADLINE_RATES_FPS
    }


def has_settled(times_ms: Sequence[float]) -> bool:
    """Whether the machine is warm: the last three chunks differ by less than 2 %, and there were four at least."""
    last = times_ms[-SETTLED_CHUNKS:]
    if len(times_ms) < max(FEWEST_WARM_UP_CHUNKS, SETTLED_CHUNKS):
        return False
    return max(last) - min(last) <= SETTLED_SHARE * min(last)
