"""The families of moving pictures that clips are drawn from, and what each of them may be asked for.

Any span of time of any part of a picture can be drawn by itself. Knows nothing of colour names or captions.
"""

from collections.abc import Callable
from dataclasses import dataclass

from engine.training.clips import flowing, lights, ruled
from engine.training.clips.field import Dice, Field
from engine.training.clips.view import View


@dataclass(frozen=True)
class Family:
    """One family: how it is drawn, and which variations leave it what it is."""

    draw: Callable[[View, Dice], Field]
    turns: bool = True  # the camera may turn: nothing in it stands upright
    zooms: bool = True  # the camera may push in without end: it looks alike at every size
    ripples: bool = True  # a drop may send a ring through it: it is drawn from coordinates, not from points
    mirrors: bool = True  # halves may be mirrored
    has_ground: bool = False  # something is behind it, which may be another than its own dark


FAMILIES: dict[str, Family] = {
    "plasma": Family(flowing.plasma),
    "tunnel": Family(ruled.tunnel, zooms=False, mirrors=False, has_ground=True),
    "blobs": Family(lights.blobs, ripples=False, has_ground=True),
    "kaleidoscope": Family(lambda view, dice: ruled.kaleidoscope(view, dice, 0), zooms=False, mirrors=False),
    "cells": Family(ruled.cells),
    "aurora": Family(lights.aurora, turns=False, zooms=False, has_ground=True),
    "particles": Family(lights.particles, ripples=False, has_ground=True),
    "smoke": Family(flowing.smoke, has_ground=True),
    "ink": Family(flowing.ink, turns=False, zooms=False),
    "fire": Family(flowing.fire, turns=False, zooms=False, ripples=False, has_ground=True),
    "thaw": Family(flowing.thaw, turns=False, zooms=False, ripples=False, mirrors=False, has_ground=True),
    "caustics": Family(lights.caustics),
    "labyrinth": Family(ruled.labyrinth),
    "terrain": Family(ruled.terrain, turns=False, zooms=False, ripples=False, mirrors=False, has_ground=True),
}
