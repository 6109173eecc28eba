"""The denoising steps a chunk may take, as whole numbers into the unwarped schedule of 1000 levels: the one truth.

Imports no torch, so that presets, parameters and imported files read it too.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

LEVELS = 1000
PUBLISHED_STEPS = (1000, 750, 500, 250)
OWN_STEPS = "own"  # the list the model was trained at, whatever it is


def check_steps(steps: Sequence[int]) -> None:
    """Raise ValueError with a sentence unless these can be a chunk's steps."""
    if not steps or any(not 0 <= step <= LEVELS for step in steps) or list(steps) != sorted(set(steps), reverse=True):
        raise ValueError(f"steps {list(steps)}: give whole numbers from {LEVELS} down to 0, each lower than the last")


def name_of(steps: Sequence[int]) -> str:
    """Write a list as the parameter has it: "1000 750 500 250"."""
    return " ".join(map(str, steps))


def steps_of(name: str) -> tuple[int, ...]:
    """Read a list back; the model's own is empty."""
    return () if name == OWN_STEPS else tuple(int(step) for step in name.split())


def _live_lists() -> tuple[str, ...]:
    """The model's own list, then every selection of the published steps that begins with pure noise, longest first."""
    first, *others = PUBLISHED_STEPS
    selections = [
        (first, *chosen) for count in range(len(others), -1, -1) for chosen in itertools.combinations(others, count)
    ]
    return (OWN_STEPS, *map(name_of, selections))


STEP_LISTS = _live_lists()
