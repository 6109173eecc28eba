"""Families that flow: plasma, smoke, ink, fire, thaw. Each in closed form in (x, y, t)."""

import math

import torch

from engine.training.clips.field import TAU, Dice, Field, smooth, warp, waves
from engine.training.clips.view import View


def plasma(view: View, dice: Dice) -> Field:
    """Broad interfering waves."""
    x, y, t = view.x, view.y, view.t
    cx, cy = dice.number(-0.5, 0.5), dice.number(-0.5, 0.5)
    r = torch.sqrt((x - cx) ** 2 + (y - cy) ** 2 + 0.02)
    total = waves(x, y, t, dice, 3, 5.0) + torch.sin(7.0 * r - 1.3 * t)
    return Field(0.5 + 0.5 * torch.sin(1.5 * total + dice.number(0.0, TAU)))


def smoke(view: View, dice: Dice) -> Field:
    """Drifting veils."""
    t = view.t
    rise = dice.number(0.05, 0.2)
    wx, wy = warp(view.x, view.y + rise * t, 0.5 * t, dice, 0.15, 4.0)
    wx, wy = warp(wx, wy, 0.4 * t, dice, 0.10, 7.0)
    wx, wy = warp(wx, wy, 0.3 * t, dice, 0.04, 15.0)
    density = 0.5 + 0.42 * waves(wx, wy, 0.3 * t, dice, 3, 5.0)
    # fine wisps ride on the veils' own coordinates, so that they are drawn out along them
    density = density + 0.09 * torch.sin(19.0 * wx + 0.6 * t) * torch.sin(16.0 * wy - 0.4 * t)
    light = 0.05 + 0.95 * smooth(0.12, 0.95, density)
    return Field((0.1 + 0.85 * density).clamp(0.0, 1.0), light)


def ink(view: View, dice: Dice) -> Field:
    """Drops of dark ink that bloom in clear, bright water, thin out, and are followed by others."""
    x, y, t = view.x, view.y, view.t
    period = 9.0  # seconds of slow time from one bloom of a drop to its next
    total = torch.zeros((), device=x.device)
    wx, wy = warp(x, y, 0.5 * t, dice, 0.09, 6.0)
    wx, wy = warp(wx, wy, 0.35 * t, dice, 0.032, 13.0)
    start = dice.number(0.05, 0.4)  # the first drop is young when the clip starts
    for index in range(3):
        reach = 0.55 if index else 0.2
        cx, cy = dice.number(-reach, reach), dice.number(-reach, reach)
        age = torch.remainder(t / period + start + index / 3.0, 1.0)  # 0..1
        radius = 0.06 + 0.52 * torch.sqrt(age)
        sink = 0.35 * (age - 0.3)
        dx, dy = wx - cx, wy - 0.6 * cy - sink
        r = torch.sqrt(dx * dx + dy * dy + 1e-5)
        strength = smooth(0.0, 0.08, age) * (1.0 - smooth(0.55, 1.0, age))
        rim = torch.sin(14.0 * r - 6.0 * age + 3.0 * torch.atan2(dy, dx))
        # dense at the rim, thinner inside, where the drop has turned itself inside out
        inside = radius - r + 0.016 * rim
        body = smooth(0.0, 0.16, inside) * (1.0 - (0.25 + 0.35 * age) * smooth(0.08, 0.4, inside))
        total = total + strength * body
    water = 0.93 + 0.05 * torch.sin(2.0 * x + 0.5 * t) * torch.cos(1.6 * y)
    return Field((water - 0.92 * total).clamp(0.0, 1.0))


def fire(view: View, dice: Dice) -> Field:
    """Flames that rise from the lower edge, with sparks above them."""
    x, y, t = view.x, view.y, view.t
    climb = dice.number(0.7, 1.1)
    # narrower with height, as flames are drawn together
    wx, wy = warp(x * (1.0 + 0.25 * (0.5 - y)), 0.6 * y + climb * t, 0.9 * t, dice, 0.10, 5.0)
    wx, wy = warp(wx, wy, 0.6 * t, dice, 0.045, 12.0)
    tongues = 0.5 + 0.4 * waves(wx, 0.55 * wy, 0.3 * t, dice, 4, 8.5)
    heat = (0.44 + 0.82 * y + 0.95 * (tongues - 0.5)).clamp(0.0, 1.0)
    count = 14
    home, phase = dice.uniform(-1.0, 1.0, 1, count), dice.uniform(0.0, 1.0, 1, count)
    size = dice.uniform(0.014, 0.026, count)
    age = torch.remainder(t[:, 0] * climb * dice.uniform(0.25, 0.5, 1, count) + phase, 1.0)
    sway = 0.05 * torch.sin(5.0 * age + TAU * phase)
    sparks = view.splat(home + sway, 0.55 - 1.1 * age, size, size, 1.1 * torch.sin(math.pi * age) ** 2)
    light = (0.04 + 0.96 * smooth(0.08, 0.6, heat) + sparks).clamp(0.0, 1.0)
    return Field((heat + 0.8 * sparks).clamp(0.0, 1.0), light)


def thaw(view: View, dice: Dice) -> Field:
    """A block of faceted ice above, its icicles, and drops that fall from them into the dark."""
    x, y, t = view.x, view.y, view.t
    nearest = torch.full((), 9.0, device=x.device)
    second = nearest
    tone = torch.zeros((), device=x.device)
    for index in range(24):
        column, row = index % 6, index // 6
        cx = (column - 2.5 + dice.number(-0.42, 0.42)) * 0.42 + 0.02 * torch.sin(0.5 * t + dice.number(0, TAU))
        cy = (row - 2.6 + dice.number(-0.42, 0.42)) * 0.27 + 0.02 * torch.cos(0.4 * t + dice.number(0, TAU))
        dx, dy = x - cx, y - cy
        d = 0.7 * dx * dx + dy * dy
        # each facet leans its own way, so each is a slope of its own from dark to light
        shade = dice.number(0.38, 0.8) + dice.number(-1.1, 1.1) * dx + dice.number(-1.1, 1.1) * dy
        tone = torch.where(d < nearest, shade, tone)
        second = torch.minimum(second, torch.maximum(nearest, d))
        nearest = torch.minimum(nearest, d)
    edge = 1.0 - smooth(0.0, 0.045, torch.sqrt(second) - torch.sqrt(nearest))
    gleam = 0.16 * torch.sin(3.0 * x - 2.0 * y + 1.1 * t + dice.number(0, TAU))
    ice = (tone + gleam + 0.35 * edge).clamp(0.2, 1.0)
    base = 0.02 + 0.04 * torch.sin(2.3 * x + dice.number(0, TAU))
    hem = base
    count = 9
    at, phase, rate, tips = [], [], [], []
    for index in range(count):
        at.append((index - (count - 1) / 2) * 1.9 / count + dice.number(-0.1, 0.1))
        phase.append(dice.number(0.0, 1.0))
        rate.append(dice.number(0.16, 0.3))
        size = dice.number(0.0, 1.0) ** 2  # one or two long ones, many short
        length = (0.06 + 0.30 * size) * (0.8 + 0.2 * torch.sin(TAU * (rate[index] * t + phase[index])))
        tips.append(length[:, 0])
        point = (1.0 - (x - at[index]).abs() / (0.055 + 0.075 * size)).clamp(min=0.0)
        hem = torch.maximum(hem, base + length * point * point)
    below = y - hem
    body = smooth(0.012, -0.012, below)
    wet = torch.exp(-((below / 0.03) ** 2))
    at, phase, rate = (torch.tensor([numbers], device=x.device) for numbers in (at, phase, rate))
    age = torch.remainder(rate * t[:, 0] + phase, 1.0)
    falls = torch.cat(tips, dim=1) + 0.05 + 0.75 * (age / 0.7).clamp(max=1.6) ** 2
    width = torch.full((count,), 0.024, device=x.device)
    drops = view.splat(at, falls, width, 1.5 * width, 1.4 * smooth(0.0, 0.1, age))
    drops = drops.clamp(max=1.0)
    pool = smooth(0.3, 0.46, y) * (0.35 + 0.2 * torch.sin(9.0 * y + 2.0 * torch.sin(3.0 * x + 0.8 * t) - 1.6 * t))
    dark = 0.1 + 0.5 * pool
    value = torch.maximum(dark + (ice - dark) * body + 0.3 * wet * (1.0 - body), 0.95 * drops)
    light = torch.maximum(0.3 + 0.7 * pool, torch.maximum(body, torch.maximum(0.8 * wet, drops)))
    cover = torch.maximum(torch.maximum(body, drops), (2.0 * pool).clamp(max=1.0))
    return Field(value.clamp(0.0, 1.0), light.clamp(0.0, 1.0), cover)
