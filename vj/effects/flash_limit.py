"""The strobe's flashes: when one is asked for, and how much of it is let through. Numbers and moments alone.

What is emitted is limited, not what is asked for: three flashes in any second, whatever moves rate, share or mix, and
however often.
"""

from __future__ import annotations

from dataclasses import dataclass

MOST_FLASHES_HZ = 3.0  # what WCAG 2 (2.3.1) and ITU-R BT.1702 let through
APART_NS = 333_400_000  # from the last rise of one flash to the first of the next: four never fit into a second
LONGEST_STEP_NS = 250_000_000  # after a stall the strobe goes on from where it was
NS = 1e-9


@dataclass(frozen=True)
class Flash:
    """What the strobe emits: how much of a flash, 0..1, and which light."""

    strength: float = 0.0
    light: float = 0.0


class Strobe:
    """One output's strobe. Owned by the thread that draws, and asked at every refresh, on or off."""

    def __init__(self) -> None:
        self._phase = 0.0
        self._now_ns = 0
        self._emitted = 0.0
        self._light = 0.0
        self._rose_ns: int | None = None  # when what is emitted last became more
        self._is_rising = False

    def flash_at(
        self,
        now_ns: int,
        mix: float,
        rate_hz: float = MOST_FLASHES_HZ,
        share: float = 0.5,
        light: float = 0.0,
        *,
        is_limited: bool = True,
    ) -> Flash:
        """Move on to `now_ns` (time.monotonic_ns). A strobe that is turned on begins with a flash."""
        elapsed_ns = min(max(0, now_ns - self._now_ns), LONGEST_STEP_NS)
        self._now_ns = now_ns
        rate_hz = min(rate_hz, MOST_FLASHES_HZ) if is_limited else rate_hz
        self._phase = (self._phase + rate_hz * elapsed_ns * NS) % 1.0 if mix > 0.0 else 0.0
        wanted = mix if self._phase < share else 0.0
        if wanted > self._emitted:
            self._rise(now_ns, wanted, light, is_limited)
        elif wanted < self._emitted:
            self._is_rising = False
            self._emitted = wanted
        if not is_limited:
            self._light = light  # a colour that changes in the middle of a flash would be a flash of its own
        return Flash(self._emitted, self._light)

    def _rise(self, now_ns: int, wanted: float, light: float, is_limited: bool) -> None:
        is_apart = self._rose_ns is None or now_ns - self._rose_ns >= APART_NS
        if is_limited and not self._is_rising and not is_apart:
            if self._emitted <= 0.0:
                self._phase = 0.0  # the flash waits, and is whole when it comes
            return
        if self._emitted <= 0.0:
            self._light = light
        self._is_rising, self._rose_ns, self._emitted = True, now_ns, wanted
