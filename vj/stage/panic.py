"""The panic row: the few values that panels and stage both may set. The newest setting wins, whoever made it.

Knows nothing of windows, files or processes.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

from engine.parameter import Value
from vj.output.params import OUTPUT_PARAMETERS

BLACKOUT, FREEZE, FALLBACK = "/vj/output/blackout", "/vj/output/freeze", "/vj/output/fallback"
LEVEL = "/vj/output/level"
PANIC_ADDRESSES = (BLACKOUT, FREEZE, FALLBACK, LEVEL)
LEVEL_STEP = 0.1  # of one press
_PARAMETERS = {p.address: p for p in OUTPUT_PARAMETERS if p.address in PANIC_ADDRESSES}
RESET_VALUES: Mapping[str, Value] = {address: p.default for address, p in _PARAMETERS.items()}
"""What a reset sets, by key, controller or panel."""
_TOGGLES = {"B": BLACKOUT, "F": FREEZE, "L": FALLBACK}
_STEPS = {"+": LEVEL_STEP, "-": -LEVEL_STEP, "=": LEVEL_STEP}  # = lies on the key of + and needs no Shift

Settings = Mapping[str, tuple[Value, int]]  # value and when it was set (time.monotonic_ns), by address


class PanicRow:
    """Values with the moment they were set. Any thread may call any method; none waits."""

    def __init__(self) -> None:
        self._settings: dict[str, tuple[Value, int]] = {a: (value, 0) for a, value in RESET_VALUES.items()}
        self._lock = threading.Lock()

    @property
    def settings(self) -> Settings:
        """Every value as it is now, and since when."""
        return self._settings

    def merge(self, settings: Settings) -> Settings:
        """Take over what was set later than what is held; return that. Strange addresses and values are left out."""
        newer = {}
        with self._lock:
            for address, (value, time_ns) in settings.items():
                if address in self._settings and time_ns > self._settings[address][1]:
                    newer[address] = (_PARAMETERS[address].coerce(value), time_ns)
            if newer:
                self._settings = self._settings | newer
        return newer

    def press(self, key: str, time_ns: int, values: Mapping[str, Value]) -> bool:
        """Play one of the row's keys against what is shown now; False for any other key."""
        if key == "R":
            changed = dict(RESET_VALUES)
        elif key in _TOGGLES and _TOGGLES[key] in _PARAMETERS:
            changed = {_TOGGLES[key]: not values[_TOGGLES[key]]}
        elif key in _STEPS:
            changed = {LEVEL: round(min(1.0, max(0.0, float(values[LEVEL]) + _STEPS[key])), 3)}
        else:
            return False
        self.merge({address: (value, time_ns) for address, value in changed.items()})
        return True
