"""Inputs that are drawn: a light square that goes its own way over a dark ground, the same every time."""

from __future__ import annotations

import math

import numpy as np

from engine.video_in.given import GivenFrames


def drawn_frame(number: int, size: tuple[int, int], phase: float = 0.0) -> np.ndarray:
    """Frame `number` at 16 per second, (H, W, 4) uint8; another phase is another way, in other colours."""
    width, height = size
    seconds = number / 16 + phase
    frame = np.full((height, width, 4), (30, 30, 60, 255), np.uint8)
    side = height // 3
    x = int((width - side) * (0.5 + 0.35 * math.sin(1.7 * seconds) + 0.15 * math.sin(4.3 * seconds)))
    y = int((height - side) * (0.5 + 0.35 * math.cos(2.3 * seconds) + 0.15 * math.sin(3.7 * seconds)))
    frame[y : y + side, x : x + side, :3] = (230, 200, 120)
    return frame


class DrawnInput:
    """A `VideoInput` that gives one drawn frame after another."""

    def __init__(self, size: tuple[int, int], phase: float = 0.0, strength: float = 1.0) -> None:
        self.size, self.phase, self.strength = size, phase, strength
        self.taken = 0

    def take(self, frames: int, *, is_start: bool) -> GivenFrames:
        numbers = range(self.taken, self.taken + frames)
        self.taken += frames
        pixels = np.stack([drawn_frame(number, self.size, self.phase) for number in numbers])
        return GivenFrames(pixels, tuple(1000 + number for number in numbers), self.strength)

    def beside(self) -> DrawnInput:
        return DrawnInput(self.size, self.phase, self.strength)


class NoInput:
    """An input that has nothing to give."""

    def take(self, frames: int, *, is_start: bool) -> None:
        return None

    def beside(self) -> NoInput:
        return self
