"""What is measured of a video, out of the few numbers kept of its frames.

`temporal_flickering` is VBench's measure to the letter; all others are our own and carry names of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.evaluation.picture_log import PictureLog

WHITE = 255.0
WINDOW_S = 10.0  # drift compares means over so long
STILL_CHANGE = 0.05  # mean absolute difference in 0..255 below which two frames are one picture
SMALLEST_CONTRAST = 1.0  # below it a relative change of contrast says nothing
HALF_WAY = 0.5
SETTLED_FRAMES = 3  # a look has changed when so many frames in a row say so
SMALLEST_STEP = 0.05  # of a look, as shares: less is one look


def temporal_flickering(log: PictureLog) -> float | None:
    """VBench's dimension of this name: (255 - mean absolute difference of neighbours) / 255; higher is calmer."""
    return (WHITE - float(log.change.mean())) / WHITE if len(log) > 1 else None


def smoothness(log: PictureLog) -> float | None:
    """How well every second frame is the mean of its neighbours: 1 = exactly. A picture that stands still is smooth.

    In the spirit of VBench's motion smoothness, with a straight line in place of a network: not comparable to it.
    """
    every_second = log.unevenness[::2]
    return (WHITE - float(every_second.mean())) / WHITE if len(every_second) else None


@dataclass(frozen=True)
class Drift:
    """How far ten-second means leave the first ones, as shares of them: 0.1 is a tenth."""

    mean: float  # of luminance, the farthest
    contrast: float  # the farthest
    mean_at_end: float  # signed: the last ten seconds against the first
    contrast_at_end: float
    luminance_per_minute: tuple[float, ...]  # 0..255


def drift(log: PictureLog, rate_hz: float) -> Drift | None:
    """Drift of luminance and contrast over a stream; None for one under 20 seconds."""
    span = round(WINDOW_S * rate_hz)
    windows = len(log) // span
    if windows < 2:
        return None
    changes = []
    for values in (log.luminance, log.contrast):
        means = values[: windows * span].reshape(windows, span).mean(axis=1)
        changes.append(means[1:] / max(means[0], SMALLEST_CONTRAST) - means[0] / max(means[0], SMALLEST_CONTRAST))
    minute = round(60.0 * rate_hz)
    starts = range(0, len(log), minute)
    return Drift(
        *(float(np.abs(change).max()) for change in changes),
        *(float(change[-1]) for change in changes),
        tuple(float(log.luminance[start : start + minute].mean()) for start in starts),
    )


def seam(log: PictureLog, chunk_frames: int, first_boundary: int) -> float | None:
    """How much larger the step from chunk to chunk is than others: 1 = not at all.

    The median difference at boundaries over the median elsewhere, divided by the mean of the same at periods one
    shorter and one longer, where there are no boundaries. `first_boundary` is the second chunk's first frame.
    None for streams of fewer than four chunks, and for those that stand still.
    """
    if len(log) < first_boundary + 3 * chunk_frames:
        return None
    ratios = [_step_ratio(log.change, period, first_boundary) for period in _periods(chunk_frames)]
    at_boundaries, *elsewhere = ratios
    if any(ratio is None for ratio in ratios):
        return None
    return at_boundaries / (sum(elsewhere) / len(elsewhere))


def _periods(chunk_frames: int) -> tuple[int, int, int]:
    return chunk_frames, chunk_frames - 1, chunk_frames + 1


def _step_ratio(change: np.ndarray, period: int, first: int) -> float | None:
    """Median change at frames first, first + period, .. over the median at the others; None for a still picture."""
    frames = np.arange(1, len(change) + 1)
    is_step = (frames >= first) & ((frames - first) % period == 0)
    inside = float(np.median(change[~is_step]))
    step = float(np.median(change[is_step]))
    return step / inside if inside > 0.0 and step > 0.0 else None


@dataclass(frozen=True)
class Stillness:
    """Whether a stream stops, goes dark or burns out."""

    longest_still_s: float  # the longest time in which no frame differs from the one before
    least_luminance: float  # 0..255, of single frames
    most_luminance: float


def stillness(log: PictureLog, rate_hz: float) -> Stillness:
    """Find the longest standstill, the darkest and the brightest frame. Raises ValueError where there are no frames."""
    if not len(log):
        raise ValueError("there are no frames")
    longest = run = 0
    for is_still in log.change < STILL_CHANGE:
        run = run + 1 if is_still else 0
        longest = max(longest, run)
    return Stillness(longest / rate_hz, float(log.luminance.min()), float(log.luminance.max()))


@dataclass(frozen=True)
class SwitchLatency:
    """How long a video takes from the frame at which another prompt is asked for."""

    first_frames: int | None  # until its look leaves that before the switch
    half_way_frames: int | None  # until its look is nearer to that of the end than to that of before


def switch_latency(log: PictureLog, switch_frame: int, rate_hz: float) -> SwitchLatency:
    """Follow the shares of colours and edges from their mean before the switch to that of the last second.

    None where nothing changes. Raises ValueError when there is not one second before and two after the switch.
    """
    second = round(rate_hz)
    if switch_frame < second or len(log) < switch_frame + 2 * second:
        raise ValueError(
            f"a switch at {switch_frame / rate_hz:g} s of {len(log) / rate_hz:g} s cannot be judged: one second before "
            "it and two after it are needed"
        )
    looks = log.looks
    before = looks[switch_frame - second : switch_frame]
    way = looks[-second:].mean(axis=0) - before.mean(axis=0)
    if np.abs(way).sum() / 2.0 < SMALLEST_STEP:
        return SwitchLatency(None, None)
    way /= float(way @ way)
    positions = (looks - before.mean(axis=0)) @ way
    restless = float(np.abs(positions[switch_frame - second : switch_frame]).max())
    return SwitchLatency(
        _first_beyond(positions[switch_frame:], min(HALF_WAY, 2.0 * restless + 0.1)),
        _first_beyond(positions[switch_frame:], HALF_WAY),
    )


def _first_beyond(positions: np.ndarray, limit: float) -> int | None:
    is_beyond = positions > limit
    for start in range(len(is_beyond) - SETTLED_FRAMES + 1):
        if is_beyond[start : start + SETTLED_FRAMES].all():
            return start
    return None
