"""How looks and cues arrive: what is locked is left out, the rest travels over a time in seconds or beats.

Knows nothing of files. Who asks says what and how long.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from engine.parameter import Value
from vj.controls import Controls
from vj.presets.looks import group_of
from vj.presets.params import LOCKABLE_GROUPS, lock_address


@dataclass(frozen=True)
class Duration:
    """A length of time: in seconds, or in beats of the clock as it runs then."""

    amount: float
    is_beats: bool = False

    def seconds(self, bpm: float) -> float:
        """Length in seconds at a tempo."""
        return self.amount * 60.0 / bpm if self.is_beats else self.amount


AT_ONCE = Duration(0.0)


class Glider(Protocol):
    """What moves values over time; a hand on an address takes it out of the movement. Any thread; never waits."""

    def call_up(self, targets: Mapping[str, object], source: str) -> None:
        """Move there over the transition time."""
        ...

    def glide(self, targets: Mapping[str, object], source: str, seconds: float, easing: str = "smooth") -> None:
        """Move there within so many seconds; 0 = at once."""
        ...

    def glide_beats(self, targets: Mapping[str, object], source: str, beats: float, easing: str = "smooth") -> None:
        """Move there within so many beats of the clock; 0 = at once."""
        ...


class Recall:
    """Calls up sets of values. Any thread may call any method; none waits."""

    def __init__(self, controls: Controls, glider: Glider, bpm: Callable[[], float]) -> None:
        """`bpm` says the tempo now."""
        self.controls = controls
        self._glider = glider
        self._bpm = bpm

    def play(
        self, values: Mapping[str, Value], source: str, fade: Duration | None = None, easing: str = "smooth"
    ) -> None:
        """Move to these values, locked groups left out. Without `fade`: as set at /vj/transition."""
        locked = self.locked_groups()
        free = {address: value for address, value in values.items() if group_of(address) not in locked}
        if not free:
            return
        if fade is None:
            self._glider.call_up(free, source)
        elif fade.is_beats:
            self._glider.glide_beats(free, source, fade.amount, easing)
        else:
            self._glider.glide(free, source, fade.amount, easing)

    def seconds(self, duration: Duration) -> float:
        """Length of a duration at the tempo now."""
        return duration.seconds(self._bpm())

    def locked_groups(self) -> frozenset[str]:
        """Groups that looks and cues leave alone now."""
        values = self.controls.store.snapshot()
        return frozenset(group for group in LOCKABLE_GROUPS if values[lock_address(group)])
