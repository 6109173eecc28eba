"""The families of moving pictures that clips are drawn from, each in closed form in (x, y, t).

x and y are in frame heights with the centre at 0, t in seconds. Any span of time of any part of a picture can be
drawn by itself. Knows nothing of colour names or captions.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

TAU = 2.0 * math.pi


@dataclass(frozen=True)
class Field:
    """What a family draws: `value` (T, H, W) in [0, 1] chooses the colour, `light` (T, H, W) in [0, 1] dims it."""

    value: Tensor
    light: Tensor | None = None


class Dice:
    """Random numbers of one clip, in a fixed order, from its seed."""

    def __init__(self, seed: int) -> None:
        self._generator = torch.Generator().manual_seed(seed)

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """Draw numbers between low and high; a 0-dim tensor without a shape."""
        return torch.rand(shape, generator=self._generator) * (high - low) + low

    def integer(self, low: int, high: int) -> int:
        """Draw a whole number from low to high, both possible."""
        return int(torch.randint(low, high + 1, (), generator=self._generator))


Draw = Callable[[Tensor, Tensor, Tensor, Dice], Field]  # x (H, W), y (H, W), t (T, 1, 1)


def _smooth(edge_low: float, edge_high: float, x: Tensor) -> Tensor:
    u = ((x - edge_low) / (edge_high - edge_low)).clamp(0.0, 1.0)
    return u * u * (3.0 - 2.0 * u)


def _waves(x: Tensor, y: Tensor, t: Tensor, dice: Dice, count: int, wavenumber: float) -> Tensor:
    """Sum `count` plane waves of random direction and phase; about [-1, 1]."""
    total = torch.zeros(())
    for _ in range(count):
        angle = dice.uniform(0.0, TAU)
        k = dice.uniform(0.6, 1.4) * wavenumber
        total = total + torch.sin(
            k * (torch.cos(angle) * x + torch.sin(angle) * y) + dice.uniform(0, TAU) + dice.uniform(0.5, 1.3) * t
        )
    return total / math.sqrt(count)


def _warp(x: Tensor, y: Tensor, t: Tensor, dice: Dice, amount: float, wavenumber: float) -> tuple[Tensor, Tensor]:
    """Push the coordinates about by two slow wave fields; the stuff that smoke, ink and fire are made of."""
    dx = _waves(x, y, t, dice, 2, wavenumber)
    dy = _waves(x, y, t, dice, 2, wavenumber)
    return x + amount * dx, y + amount * dy


def plasma(x: Tensor, y: Tensor, t: Tensor, dice: Dice) -> Field:
    """Broad interfering waves."""
    centre = dice.uniform(-0.5, 0.5, 2)
    r = torch.sqrt((x - centre[0]) ** 2 + (y - centre[1]) ** 2 + 0.02)
    total = _waves(x, y, t, dice, 3, 5.0) + torch.sin(7.0 * r - 1.3 * t)
    return Field(0.5 + 0.5 * torch.sin(1.5 * total + dice.uniform(0, TAU)))


def tunnel(x: Tensor, y: Tensor, t: Tensor, dice: Dice) -> Field:
    """A flight down a tube of rings; the far end is dark."""
    sway = dice.uniform(0.0, 0.15)
    phase = dice.uniform(0.0, TAU)
    x = x - sway * torch.sin(0.5 * t + phase)
    y = y - sway * torch.cos(0.4 * t + phase)
    r = torch.sqrt(x * x + y * y + 1e-4)
    sides = dice.integer(2, 5)
    twist = dice.uniform(-1.0, 1.0)
    angle = torch.atan2(y, x)
    depth = dice.uniform(0.8, 1.3) / (r + 0.12)
    value = 0.5 + 0.25 * torch.sin(2.2 * depth + 2.4 * t) + 0.25 * torch.sin(sides * angle + twist * (depth + t))
    return Field(value, _smooth(0.02, 0.5, r))


def blobs(x: Tensor, y: Tensor, t: Tensor, dice: Dice) -> Field:
    """Slow drops of liquid that meet and part, as in a lava lamp."""
    total = torch.zeros(())
    for _ in range(dice.integer(5, 7)):
        home = dice.uniform(-0.75, 0.75, 2)
        phase = dice.uniform(0.0, TAU, 2)
        rate = dice.uniform(0.4, 0.9, 2)
        cx = 0.9 * home[0] + 0.3 * torch.sin(rate[0] * t + phase[0])
        cy = 0.4 * home[1] + 0.3 * torch.sin(rate[1] * t + phase[1])
        size = dice.uniform(0.14, 0.24)
        total = total + torch.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (size * size))
    return Field(0.92 * _smooth(0.25, 0.95, total) + 0.06 * torch.sin(3.0 * y + 0.5 * t) + 0.02)


def kaleidoscope(x: Tensor, y: Tensor, t: Tensor, dice: Dice) -> Field:
    """Mirrored sectors around the centre."""
    sectors = dice.integer(3, 6)
    r = torch.sqrt(x * x + y * y + 1e-4)
    angle = torch.atan2(y, x) + 0.15 * t
    half = math.pi / sectors
    folded = (torch.remainder(angle, 2.0 * half) - half).abs()
    u, v = r * torch.cos(folded), r * torch.sin(folded)
    total = _waves(u, v, t, dice, 3, 7.0) + torch.sin(9.0 * r - 1.2 * t)
    return Field(0.5 + 0.5 * torch.sin(1.4 * total + dice.uniform(0, TAU)))


def cells(x: Tensor, y: Tensor, t: Tensor, dice: Dice) -> Field:
    """Round cells with bright borders that crowd one another."""
    nearest = second = None
    for _ in range(dice.integer(9, 13)):
        home = dice.uniform(-1.0, 1.0, 2)
        phase = dice.uniform(0.0, TAU, 2)
        cx = 0.95 * home[0] + 0.12 * torch.sin(0.8 * t + phase[0])
        cy = 0.6 * home[1] + 0.12 * torch.cos(0.7 * t + phase[1])
        d = (x - cx) ** 2 + (y - cy) ** 2
        if nearest is None:
            nearest, second = d, torch.full_like(d, 9.0)
        else:
            second = torch.minimum(second, torch.maximum(nearest, d))
            nearest = torch.minimum(nearest, d)
    near, far = torch.sqrt(nearest + 1e-5), torch.sqrt(second + 1e-5)
    border = 1.0 - _smooth(0.0, 0.12, far - near)
    return Field((0.15 + 0.9 * near + 0.55 * border).clamp(0.0, 1.0))


def aurora(x: Tensor, y: Tensor, t: Tensor, dice: Dice) -> Field:
    """Curtains of light that hang and sway over a dark ground."""
    total = torch.zeros(())
    for _ in range(3):
        k, phase, rate = dice.uniform(1.5, 4.0), dice.uniform(0, TAU), dice.uniform(0.4, 0.9)
        base = 0.25 * torch.sin(k * x + phase + rate * t) + dice.uniform(-0.2, 0.3)
        above = base - y  # y grows downward: positive above the hem
        rays = 0.75 + 0.25 * torch.sin(dice.uniform(9.0, 16.0) * x + 2.0 * base + 0.8 * t)
        total = total + rays * torch.exp(-above.clamp(min=0.0) * 3.2) * _smooth(-0.06, 0.03, above)
    return Field((0.30 + 0.6 * total).clamp(0.0, 1.0), (0.12 + 0.88 * total).clamp(0.0, 1.0))


def particles(x: Tensor, y: Tensor, t: Tensor, dice: Dice) -> Field:
    """Glowing sparks that drift over a dark ground."""
    total = torch.zeros(())
    drift = dice.uniform(-0.25, 0.25, 2)
    for _ in range(24):
        home, phase, size = dice.uniform(0.0, 1.0, 2), dice.uniform(0, TAU, 2), dice.uniform(0.045, 0.09)
        # wraps outside the picture, so that nothing pops
        cx = (torch.remainder(home[0] + drift[0] * t / 2.4, 1.0) - 0.5) * 2.4 + 0.1 * torch.sin(t + phase[0])
        cy = (torch.remainder(home[1] + drift[1] * t / 1.6, 1.0) - 0.5) * 1.6 + 0.1 * torch.cos(0.8 * t + phase[1])
        # separable: two thin exponentials and one product instead of a full frame of exp
        bump = torch.exp(-((x[:1] - cx) ** 2) / (size * size)) * torch.exp(-((y[:, :1] - cy) ** 2) / (size * size))
        total = total + bump * (0.8 + 0.2 * torch.sin(3.0 * t + phase[1]))
    return Field((0.28 + 0.72 * total).clamp(0.0, 1.0), (0.22 + 0.9 * total).clamp(0.0, 1.0))


def smoke(x: Tensor, y: Tensor, t: Tensor, dice: Dice) -> Field:
    """Drifting veils."""
    rise = dice.uniform(0.05, 0.2)
    wx, wy = _warp(x, y + rise * t, 0.5 * t, dice, 0.16, 4.0)
    wx, wy = _warp(wx, wy, 0.4 * t, dice, 0.10, 8.0)
    density = 0.5 + 0.42 * _waves(wx, wy, 0.3 * t, dice, 3, 5.0)
    return Field(density.clamp(0.0, 1.0), 0.35 + 0.65 * _smooth(0.1, 0.8, density))


def ink(x: Tensor, y: Tensor, t: Tensor, dice: Dice) -> Field:
    """Drops of dark ink that bloom in clear, bright water, thin out, and are followed by others."""
    period = 9.0  # seconds of slow time from one bloom of a drop to its next
    total = torch.zeros(())
    wx, wy = _warp(x, y, 0.5 * t, dice, 0.09, 6.0)
    wx, wy = _warp(wx, wy, 0.35 * t, dice, 0.05, 14.0)
    start = dice.uniform(0.05, 0.4)  # the first drop is young when the clip starts
    for index in range(3):
        centre = dice.uniform(-0.55, 0.55, 2) if index else dice.uniform(-0.2, 0.2, 2)
        age = torch.remainder(t / period + start + index / 3.0, 1.0)  # 0..1
        radius = 0.06 + 0.52 * torch.sqrt(age)
        sink = 0.35 * (age - 0.3)
        r = torch.sqrt((wx - centre[0]) ** 2 + (wy - 0.6 * centre[1] - sink) ** 2 + 1e-5)
        strength = _smooth(0.0, 0.08, age) * (1.0 - _smooth(0.55, 1.0, age))
        rim = torch.sin(14.0 * r - 6.0 * age + 3.0 * torch.atan2(wy - centre[1], wx - centre[0]))
        total = total + strength * _smooth(0.0, 0.16, radius - r + 0.03 * rim)
    water = 0.92 + 0.06 * torch.sin(2.0 * x + 0.5 * t) * torch.cos(1.6 * y)
    return Field((water - 0.9 * total).clamp(0.0, 1.0))


def fire(x: Tensor, y: Tensor, t: Tensor, dice: Dice) -> Field:
    """Flames that rise from the lower edge."""
    climb = dice.uniform(0.7, 1.1)
    wx, wy = _warp(x, 0.6 * y + climb * t, 0.9 * t, dice, 0.10, 5.0)
    wx, _ = _warp(wx, wy, 0.6 * t, dice, 0.05, 11.0)
    tongues = 0.5 + 0.4 * _waves(wx, 0.6 * wy, 0.3 * t, dice, 3, 6.0)
    heat = (0.42 + 0.75 * y + 0.85 * (tongues - 0.5)).clamp(0.0, 1.0)
    return Field(heat, 0.1 + 0.9 * _smooth(0.05, 0.6, heat))


FAMILIES: dict[str, Draw] = {
    "plasma": plasma,
    "tunnel": tunnel,
    "blobs": blobs,
    "kaleidoscope": kaleidoscope,
    "cells": cells,
    "aurora": aurora,
    "particles": particles,
    "smoke": smoke,
    "ink": ink,
    "fire": fire,
}
