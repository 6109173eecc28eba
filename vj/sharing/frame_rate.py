"""The rate that receivers are told, as numerator and denominator: a standard one where it is one."""

from __future__ import annotations

from fractions import Fraction

STANDARD = tuple(
    Fraction(top, 1001) if top % 1000 == 0 and top > 1000 else Fraction(top)
    for top in (24000, 24, 25, 30000, 30, 48, 50, 60000, 60, 72, 75, 90, 100, 120000, 120, 144, 165, 240)
)
NEAR = 0.0006  # half the way from 59.94 to 60: displays say 59.94, 59.95, 60.0 or 60.02
ROUGH = 0.03  # of a rate that was measured


def nominal_rate(rate_hz: float, nearness: float = NEAR) -> Fraction:
    """Return the standard rate this is (within `nearness` of it), else the rate itself to a hundredth."""
    nearest = min(STANDARD, key=lambda one: abs(float(one) - rate_hz))
    if abs(float(nearest) - rate_hz) <= nearness * rate_hz:
        return nearest
    return max(Fraction(1), Fraction(round(rate_hz * 100), 100))


def measured_rate(arrived_ns: list[int]) -> Fraction:
    """Return the rate at which these moments follow each other; 60 where they do not say."""
    gaps = sorted(late - early for early, late in zip(arrived_ns, arrived_ns[1:], strict=False) if late > early)
    if not gaps:
        return Fraction(60)
    return nominal_rate(1e9 / gaps[len(gaps) // 2], ROUGH)
