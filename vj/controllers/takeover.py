"""Soft takeover: when a knob that is elsewhere than its value may move it. Pure arithmetic on positions 0..1."""

from __future__ import annotations

from dataclasses import dataclass

TOUCH = 3.0 / 127.0  # a control this near its value holds it: nobody sees the step


@dataclass(frozen=True)
class Ghost:
    """Where a control waits that has not picked its parameter up yet."""

    position: float  # 0..1 of the parameter's whole range
    direction: int  # +1 the hand has to go up to reach the value, -1 down
    device: str
    control: str


def has_reached(target: float, before: float | None, now: float) -> bool:
    """Whether a control has come to `target` or has passed it since `before`.

    Crossing, not equality: a fast fader skips positions. Without a position before only nearness counts.
    """
    if abs(now - target) <= TOUCH:
        return True
    return before is not None and min(before, now) <= target <= max(before, now)


def scaled(target: float, before: float, now: float) -> float:
    """Move a value in proportion to what is left of the control's way, so that both reach an end together."""
    if now > before:
        return min(1.0, target + (now - before) * (1.0 - target) / (1.0 - before))
    if now < before:
        return max(0.0, target - (before - now) * target / before)
    return target
