"""What moves by itself: the six waves of the beat, and chance that is the same for the same seed.

Pure functions of where they are; all values lie in 0..1. Knows nothing of time, clocks or parameters.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

MASK = (1 << 64) - 1
LONGEST_STEP = 0.5  # of a random walk, to either side
LONGEST_LOOK_AHEAD = 256  # steps a walk is spelled out for one answer


def chance(index: int, seed: int) -> float:
    """Return the number a seed has at an index: the same on every machine, evenly spread over 0..1."""
    mixed = (index * 0x9E3779B97F4A7C15 + seed * 0xD1B54A32D192ED03 + 0x8CB92BA72F3D8DD7) & MASK
    # the finaliser of SplitMix64 (Steele, Lea and Flood 2014): every bit of the input moves every bit of the result
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & MASK
    return ((mixed ^ (mixed >> 31)) >> 11) / float(1 << 53)


def _sine(cycles: float, seed: int) -> float:
    return 0.5 - 0.5 * math.cos(2.0 * math.pi * cycles)


def _triangle(cycles: float, seed: int) -> float:
    return 1.0 - abs(2.0 * (cycles % 1.0) - 1.0)


def _saw_up(cycles: float, seed: int) -> float:
    return cycles % 1.0


def _saw_down(cycles: float, seed: int) -> float:
    return 1.0 - cycles % 1.0


def _square(cycles: float, seed: int) -> float:
    return 1.0 if cycles % 1.0 < 0.5 else 0.0


def _random(cycles: float, seed: int) -> float:
    return chance(math.floor(cycles), seed)


_WAVES: dict[str, Callable[[float, int], float]] = {
    "sine": _sine,
    "triangle": _triangle,
    "saw_up": _saw_up,
    "saw_down": _saw_down,
    "square": _square,
    "random": _random,
}


def wave(shape: str, cycles: float, seed: int = 0) -> float:
    """Return a wave's height after so many cycles: sine and triangle begin at 0, saw_down and square at 1."""
    return _WAVES[shape](cycles, seed)


_CURVES: dict[str, Callable[[float], float]] = {
    "linear": lambda signal: signal,
    "square": lambda signal: signal * signal,
    "root": math.sqrt,
    "smooth": lambda signal: signal * signal * (3.0 - 2.0 * signal),
}


def curved(curve: str, signal: float) -> float:
    """Bend a signal in 0..1; its ends stay where they are."""
    return _CURVES[curve](signal)


@dataclass(frozen=True)
class Walk:
    """A random walk that has come to a turn. Steps of up to half the range, turned back at its ends."""

    seed: int = 0
    turn: int = 0
    height: float = 0.5  # at that turn

    def moved_to(self, turn: int) -> Walk:
        """Walk on to a later turn."""
        height = self.height
        for k in range(self.turn, turn):
            height += (2.0 * chance(k, self.seed) - 1.0) * LONGEST_STEP
            height = abs(height)
            height = 2.0 - height if height > 1.0 else height
        return Walk(self.seed, max(turn, self.turn), height)

    def height_at(self, position: float) -> float:
        """Return the height at a position in turns, from this turn on: a smooth way from turn to turn."""
        turn = min(max(math.floor(position), self.turn), self.turn + LONGEST_LOOK_AHEAD)
        before = self.moved_to(turn)
        share = min(1.0, max(0.0, position - turn))
        return before.height + (before.moved_to(turn + 1).height - before.height) * curved("smooth", share)
