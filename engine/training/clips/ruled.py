"""Families of form: tunnel, kaleidoscope, cells, labyrinth, wireframe terrain. Each in closed form in (x, y, t)."""

import math

import torch
from torch import Tensor

from engine.training.clips.field import TAU, Dice, Field, smooth, warp, waves
from engine.training.clips.view import View

STRIPS = 15  # lines of the terrain across the flight


def tunnel(view: View, dice: Dice) -> Field:
    """A flight down a tube of rings; the far end is dark."""
    t = view.t
    sway, phase = dice.number(0.0, 0.15), dice.number(0.0, TAU)
    x = view.x - sway * torch.sin(0.5 * t + phase)
    y = view.y - sway * torch.cos(0.4 * t + phase)
    r = torch.sqrt(x * x + y * y + 1e-4)
    sides = dice.integer(4, 8)
    twist = dice.number(-1.0, 1.0)
    depth = dice.number(0.8, 1.3) / (r + 0.12)
    rings = torch.sin(5.0 * depth + 3.0 * t)
    ribs = torch.sin(sides * torch.atan2(y, x) + twist * (depth + t))
    # rings as lit ridges over ribs that wind along the tube
    value = 0.46 + 0.26 * rings + 0.14 * ribs + 0.14 * rings * ribs
    return Field(value.clamp(0.0, 1.0), smooth(0.04, 0.42, r))


def kaleidoscope(view: View, dice: Dice, sectors: int) -> Field:
    """Mirrored sectors around the centre."""
    x, y, t = view.x, view.y, view.t
    drawn = dice.integer(3, 8)
    half = math.pi / (sectors or drawn)
    r = torch.sqrt(x * x + y * y + 1e-4)
    angle = torch.atan2(y, x) + 0.15 * t
    folded = (torch.remainder(angle, 2.0 * half) - half).abs()
    u, v = r * torch.cos(folded), r * torch.sin(folded)
    total = waves(u, v, t, dice, 3, 7.0) + torch.sin(9.0 * r - 1.2 * t)
    petals = 0.35 * torch.cos(folded * math.pi / half)
    return Field(0.5 + 0.5 * torch.sin(1.4 * total + petals + dice.number(0.0, TAU)))


def cells(view: View, dice: Dice) -> Field:
    """Round cells with bright borders that crowd one another."""
    x, y, t = view.x, view.y, view.t
    nearest = torch.full((), 9.0, device=x.device)
    second = nearest
    across = dice.integer(6, 8)
    width, height = 2.6 / across, 1.7 / 5
    for index in range(across * 5):
        column, row = index % across, index // across
        odd = 0.25 if row % 2 else -0.25  # bricks crowd like cells, a square lattice does not
        cx = (column - (across - 1) / 2 + odd + dice.number(-0.3, 0.3)) * width
        cy = (row - 2.0 + dice.number(-0.3, 0.3)) * height
        cx = cx + 0.07 * torch.sin(dice.number(0.5, 1.0) * t + dice.number(0.0, TAU))
        cy = cy + 0.07 * torch.cos(dice.number(0.5, 1.0) * t + dice.number(0.0, TAU))
        d = (x - cx) ** 2 + (y - cy) ** 2
        second = torch.minimum(second, torch.maximum(nearest, d))
        nearest = torch.minimum(nearest, d)
    near, far = torch.sqrt(nearest + 1e-5), torch.sqrt(second + 1e-5)
    border = 1.0 - smooth(0.01, 0.075, far - near)
    nucleus = torch.exp(-nearest / 0.0016)
    body = 0.16 + 1.1 * near
    return Field((body + 0.6 * border + 0.3 * nucleus).clamp(0.0, 1.0))


def labyrinth(view: View, dice: Dice) -> Field:
    """Spots and labyrinths of one stroke width, as reaction and diffusion leave them.

    Waves of one length from all sides make the pattern of the reaction's fastest mode, without its long loop.
    """
    t = view.t
    x, y = warp(view.x, view.y, 0.35 * t, dice, 0.035, 3.5)
    k, count = dice.number(21.0, 30.0), 9
    turned = dice.number(0.0, math.pi)
    total = None
    for index in range(count):
        angle = turned + math.pi * (index + dice.number(-0.35, 0.35)) / count
        phase, rate = dice.number(0.0, TAU), dice.number(0.25, 0.7) * (-1.0 if index % 2 else 1.0)
        wave = torch.sin((k * math.cos(angle)) * x + ((k * math.sin(angle)) * y + (rate * t + phase)))
        total = wave if total is None else total + wave
    total = total / math.sqrt(count / 2.0)
    # where the ground leans to one side the labyrinth breaks into spots
    lean = dice.number(-0.5, 0.5) + 0.45 * waves(view.x, view.y, 0.5 * t, dice, 2, 2.2)
    stroke = smooth(-0.3, 0.45, total + lean)
    return Field((0.07 + 0.72 * stroke + 0.16 * stroke * smooth(0.3, 1.6, total + lean)).clamp(0.0, 1.0))


def _hills(x: Tensor, z: Tensor, phases: list[float]) -> Tensor:
    """Height of the ground, 0 in the valley that is flown through."""
    rough = torch.sin(0.9 * x + phases[0] + 0.7 * torch.sin(0.8 * z + phases[1])) * torch.sin(1.1 * z + phases[2])
    fine = torch.sin(2.3 * x + phases[3]) * torch.sin(1.9 * z + phases[4])
    sides = smooth(0.15, 1.7, x.abs())
    return sides * (0.26 + 0.24 * rough + 0.11 * fine)


def terrain(view: View, dice: Dice) -> Field:
    """A flight over hills drawn as a net of lines, towards a low sun."""
    x, y, t = view.x, view.y, view.t
    horizon, eye = dice.number(-0.14, 0.0), 0.34
    phases = [dice.number(0.0, TAU) for _ in range(5)]
    step, pace = 0.42, dice.number(0.55, 0.8)
    sun_x, sun_r = dice.number(-0.35, 0.35), dice.number(0.16, 0.26)
    up = (horizon - y).clamp(min=0.0)
    sun = torch.sqrt((x - sun_x) ** 2 + (y - horizon + 0.45 * sun_r) ** 2)
    disc = smooth(sun_r + 0.012, sun_r - 0.012, sun)
    glow = torch.exp(-5.5 * up)
    value = torch.maximum(0.1 + 0.4 * glow, disc * (0.98 - 0.5 * smooth(0.6 * sun_r, 0.0, up)))
    light = torch.maximum(0.06 + 0.5 * glow, disc)
    cover = disc
    part = torch.remainder(pace * t / step, 1.0)
    flown = pace * t - step * part
    far_line, far_z = torch.full_like(t, horizon) + 0.0 * x, None
    for index in reversed(range(STRIPS)):
        z = 0.62 + step * (index + 1.0 - part)
        line = horizon + (eye - _hills(x * z, flown + step * (index + 1.0), phases)) / z
        fade = smooth(0.62 + step * STRIPS, 3.2, z)  # what comes out of the distance comes out of the haze
        ahead = smooth(-0.004, 0.010, y - line)
        width = 0.0055 + 0.011 / z
        stroke = torch.exp(-(((y - line) / width) ** 2))
        if far_z is not None:  # the net's other lines, across the strip behind this line
            share = ((line - y) / (line - far_line).clamp(min=0.01)).clamp(0.0, 1.0)
            across = (x * (z + share * (far_z - z))) / step
            off = (across - torch.round(across)).abs() * step / z
            net = (y > far_line) * (1.0 - ahead) * torch.exp(-((off / width) ** 2))
            light = torch.maximum(light, fade * net)
            value = torch.maximum(value, 0.8 * net)
        # the ground hides what is behind it
        value = value + ahead * (0.16 - value)
        light = light + ahead * (0.16 - light)
        cover = torch.maximum(cover, ahead)
        value = torch.maximum(value, 0.9 * stroke * (0.5 + 0.5 * fade))
        light = torch.maximum(light, stroke * (0.08 + 0.92 * fade))
        far_line, far_z = line, z
    return Field(value.clamp(0.0, 1.0), light.clamp(0.0, 1.0), cover)
