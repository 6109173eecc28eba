"""What families are made of: seeded numbers, sums of waves, warped coordinates. Knows nothing of colours."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

TAU = 2.0 * math.pi


@dataclass(frozen=True)
class Field:
    """What a family draws, (T, H, W) in [0, 1]: `value` chooses the colour, `light` dims it.

    `cover` is what hides a background; without it `light` does, without both the picture has none.
    """

    value: Tensor
    light: Tensor | None = None
    cover: Tensor | None = None


class Dice:
    """Random numbers of one clip, in a fixed order, from its seed.

    They are made on the CPU whatever the device, so that a seed is the same clip everywhere.
    """

    def __init__(self, seed: int, device: torch.device | str = "cpu") -> None:
        self._generator = torch.Generator().manual_seed(seed)
        self._device = device

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """Draw numbers between low and high; a 0-dim tensor (of the CPU, which mixes with any) without a shape."""
        numbers = torch.rand(shape, generator=self._generator, dtype=torch.float32) * (high - low) + low
        return numbers.to(self._device) if shape else numbers

    def number(self, low: float, high: float) -> float:
        """Draw one number between low and high."""
        return float(self.uniform(low, high))

    def integer(self, low: int, high: int) -> int:
        """Draw a whole number from low to high, both possible."""
        return int(torch.randint(low, high + 1, (), generator=self._generator))


def smooth(edge_low: float, edge_high: float, x: Tensor) -> Tensor:
    """Rise from 0 at one edge to 1 at the other, level at both ends; falls if the edges are swapped."""
    u = ((x - edge_low) / (edge_high - edge_low)).clamp(0.0, 1.0)
    return u * u * (3.0 - 2.0 * u)


def waves(x: Tensor, y: Tensor, t: Tensor, dice: Dice, count: int, wavenumber: float) -> Tensor:
    """Sum `count` plane waves of random direction and phase; about [-1, 1]."""
    total = None
    for _ in range(count):
        angle = dice.number(0.0, TAU)
        k = dice.number(0.6, 1.4) * wavenumber
        phase, rate = dice.number(0.0, TAU), dice.number(0.5, 1.3)
        wave = torch.sin((k * math.cos(angle)) * x + ((k * math.sin(angle)) * y + (rate * t + phase)))
        total = wave if total is None else total + wave
    return total / math.sqrt(count)


def warp(x: Tensor, y: Tensor, t: Tensor, dice: Dice, amount: float, wavenumber: float) -> tuple[Tensor, Tensor]:
    """Push the coordinates about by two slow wave fields; the stuff that smoke, ink and fire are made of."""
    dx = waves(x, y, t, dice, 2, wavenumber)
    dy = waves(x, y, t, dice, 2, wavenumber)
    return x + amount * dx, y + amount * dy
