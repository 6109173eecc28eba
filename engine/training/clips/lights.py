"""Families of light and drops: blobs, aurora, particles, caustics. Each in closed form in (x, y, t)."""

import math

import torch

from engine.training.clips.field import TAU, Dice, Field, smooth
from engine.training.clips.view import View


def blobs(view: View, dice: Dice) -> Field:
    """Slow drops of liquid that meet and part, as in a lava lamp, each with a light on it."""
    t = view.t[:, 0]
    count = dice.integer(6, 8)
    home, phase = dice.uniform(-0.75, 0.75, 2, 1, count), dice.uniform(0.0, TAU, 2, 1, count)
    rate, size = dice.uniform(0.4, 0.9, 2, 1, count), dice.uniform(0.13, 0.24, count)
    cx = 0.95 * home[0] + 0.3 * torch.sin(rate[0] * t + phase[0])
    cy = 0.42 * home[1] + 0.3 * torch.sin(rate[1] * t + phase[1])
    one = torch.ones(1, count, device=cx.device)
    total = view.splat(cx, cy, size, size, one)
    lamp = view.splat(cx - 0.32 * size, cy - 0.36 * size, 0.36 * size, 0.36 * size, one)
    body = smooth(0.36, 0.50, total)
    inner = 0.30 + 0.36 * smooth(0.45, 1.25, total) + 0.4 * lamp.clamp(max=1.0)
    ground = 0.07 + 0.05 * torch.sin(3.0 * view.y + 0.5 * view.t)
    return Field((ground + body * (inner - ground)).clamp(0.0, 1.0), None, body)


def aurora(view: View, dice: Dice) -> Field:
    """Curtains of light that hang and sway over a dark ground."""
    x, y, t = view.x, view.y, view.t
    total = torch.zeros((), device=x.device)
    height = torch.zeros((), device=x.device)
    for _ in range(3):
        k, phase, rate = dice.number(1.5, 3.6), dice.number(0.0, TAU), dice.number(0.4, 0.9)
        bend = k * x + phase + rate * t
        base = 0.21 * torch.sin(bend) + 0.07 * torch.sin(2.3 * bend + 1.0) + dice.number(-0.12, 0.36)
        above = base - y  # y grows downward: positive above the hem
        # rays stand closer where the curtain turns edge on
        rays = 0.68 + 0.32 * torch.sin(dice.number(11.0, 18.0) * x + 5.0 * base + 0.8 * t)
        curtain = rays * torch.exp(-above.clamp(min=0.0) * 3.0) * smooth(-0.05, 0.03, above)
        total = total + curtain
        height = height + curtain * above.clamp(0.0, 0.8)
    tint = height / (total + 0.05)  # the colour changes with the height above the hem
    value = (0.26 + 0.62 * total - 0.25 * tint).clamp(0.0, 1.0)
    return Field(value, (0.05 + 0.95 * total).clamp(0.0, 1.0))


def particles(view: View, dice: Dice) -> Field:
    """Glowing sparks at all distances that drift over a dark ground."""
    t = view.t[:, 0]
    count = 54
    near = dice.uniform(0.0, 1.0, 1, count) ** 2  # few are near
    home, phase = dice.uniform(0.0, 1.0, 2, 1, count), dice.uniform(0.0, TAU, 2, 1, count)
    angle, pace = dice.number(0.0, TAU), dice.number(0.08, 0.26)
    pace = pace * (0.4 + near)
    # wraps outside the picture, so that nothing pops
    cx = (torch.remainder(home[0] + math.cos(angle) * pace * t / 2.6, 1.0) - 0.5) * 2.6 + 0.08 * torch.sin(t + phase[0])
    cy = (torch.remainder(home[1] + math.sin(angle) * pace * t / 1.7, 1.0) - 0.5) * 1.7
    cy = cy + 0.08 * torch.cos(0.8 * t + phase[1])
    twinkle = 0.78 + 0.22 * torch.sin(dice.uniform(1.5, 4.0, 1, count) * t + phase[1])
    size = 0.026 + 0.045 * near
    core = view.splat(cx, cy, size, size, twinkle * (0.75 + 0.5 * near))
    halo = view.splat(cx, cy, 2.6 * size, 2.6 * size, 0.22 * twinkle)
    total = core + halo
    return Field((0.30 + 0.62 * total).clamp(0.0, 1.0), (0.04 + 1.05 * total).clamp(0.0, 1.0))


def caustics(view: View, dice: Dice) -> Field:
    """The net of light that a moving water surface throws on the floor of a pool.

    A surface of summed waves bends parallel light; it is bright where the map from surface to floor folds, that is
    where the determinant of its derivative is small.
    """
    x, y, t = view.x, view.y, view.t
    hxx = hxy = hyy = torch.zeros((), device=x.device)
    focus, count = dice.number(0.75, 0.95), 8
    turned = dice.number(0.0, TAU)
    for index in range(count):
        angle = turned + 2.4 * index + dice.number(-0.3, 0.3)  # the golden angle: no direction twice
        k = dice.number(6.5, 14.0)
        cos, sin = math.cos(angle), math.sin(angle)
        phase = dice.number(0.0, TAU)
        rate = 0.5 * math.sqrt(k)  # as on deep water
        wave = torch.sin((k * cos) * x + ((k * sin) * y + (rate * t + phase)))
        hxx = hxx + (cos * cos) * wave
        hxy = hxy + (cos * sin) * wave
        hyy = hyy + (sin * sin) * wave
    fold = (1.0 - focus * hxx) * (1.0 - focus * hyy) - (focus * hxy) ** 2
    bright = 0.3 / (fold.abs() + 0.3)
    value = 0.2 + 0.8 * bright**1.6 + 0.04 * torch.sin(2.0 * y + 0.4 * t)
    return Field(value.clamp(0.0, 1.0))
