"""The modulators at work: what every parameter is at a moment, faders and modulators together.

Knows values, a beat and the sound's features by what it is handed; knows nothing of windows, engines or devices.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from engine.parameter import Value
from vj.fader_positions import position_of, value_at
from vj.modulation.follower import Follower
from vj.modulation.modulator import Modulator, carried, modulators_in
from vj.modulation.params import FEATURES, PERIOD_BEATS
from vj.modulation.waves import Walk, curved, wave
from vj.sound.features import SoundFeatures

LONGEST_TICK_NS = 250_000_000  # after a stall everything goes on from where it was


@dataclass(frozen=True)
class _Moving:
    """What cannot be told from the beat alone, as it stood at a tick."""

    at_ns: int | None = None
    followers: Mapping[int, Follower] = field(default_factory=dict)  # by slot
    walks: Mapping[int, Walk] = field(default_factory=dict)
    positions: Mapping[int, float] = field(default_factory=dict)  # of the walks, in turns


@dataclass(frozen=True)
class _Patch:
    """The modulators in one set of values, sorted by what they move."""

    values: Mapping[str, Value]
    modulators: tuple[Modulator, ...]
    by_target: tuple[tuple[Modulator, ...], ...]


class ModulationBank:
    """effective = clamp(base + sum of modulators), in fader positions: each along its parameter's own curve.

    Any thread may call anything but `tick`, which belongs to one (the conductor's); nothing waits. Beats and walks can
    be asked for a moment to come; what is heard is taken as it is now.
    """

    def __init__(
        self,
        read_values: Callable[[], Mapping[str, Value]],
        beat_at: Callable[[int], float],
        read_features: Callable[[], SoundFeatures],
    ) -> None:
        """`beat_at` gives beats since the origin at a moment of time.monotonic_ns(), past or to come."""
        self._read_values = read_values
        self._beat_at = beat_at
        self._read_features = read_features
        self._moving = _Moving()
        self._patch = _Patch({}, (), ())

    def effective(self, values: Mapping[str, Value], at_ns: int) -> Mapping[str, Value]:
        """Return a snapshot of the store's values (native units) with everything modulated as it is at `at_ns`.

        `at_ns` is a time.monotonic_ns(). Returns the very same mapping when nothing moves.
        """
        patch = self._patch_of(values)
        if not patch.modulators:
            return values
        moved: dict[str, Value] = {}
        for modulators in patch.by_target:
            parameter = modulators[0].target
            position = position_of(parameter, values[parameter.address])
            shift = sum(modulator.shift(self._signal(modulator, at_ns)) for modulator in modulators)
            there = carried(position, shift, modulators)
            if there != position:  # a value that stays is not sent through its curve and back
                moved[parameter.address] = value_at(parameter, there)
        if not moved:
            return values
        whole = values.copy() if isinstance(values, MappingProxyType) else dict(values)
        whole.update(moved)
        return MappingProxyType(whole)

    def modulators(self, values: Mapping[str, Value]) -> tuple[Modulator, ...]:
        """List the modulators that move something in these values."""
        return self._patch_of(values).modulators

    def signals(self, values: Mapping[str, Value], at_ns: int) -> dict[int, float]:
        """Return what each working slot's source gives at a moment, 0..1 and bent: for meters."""
        return {modulator.slot: self._signal(modulator, at_ns) for modulator in self._patch_of(values).modulators}

    def tick(self, now_ns: int) -> None:
        """Move on what has a past: envelopes over the sound, and walks."""
        before, features = self._moving, self._read_features()
        elapsed_ns = 0 if before.at_ns is None else min(max(0, now_ns - before.at_ns), LONGEST_TICK_NS)
        followers: dict[int, Follower] = {}
        walks: dict[int, Walk] = {}
        positions: dict[int, float] = {}
        for m in self._patch_of(self._read_values()).modulators:
            if m.source in FEATURES:
                held = before.followers.get(m.slot, Follower())
                followers[m.slot] = held.moved_on(m.source, features, now_ns, elapsed_ns, m.attack_ms, m.release_ms)
            elif m.source == "walk":
                walk = before.walks.get(m.slot)
                is_begun = walk is not None and walk.seed == m.seed
                position = before.positions[m.slot] + m.rate_hz * elapsed_ns / 1e9 if is_begun else 0.0
                walks[m.slot] = (walk if is_begun else Walk(m.seed)).moved_to(math.floor(position))
                positions[m.slot] = position
        self._moving = _Moving(now_ns, followers, walks, positions)

    def _signal(self, modulator: Modulator, at_ns: int) -> float:
        return curved(modulator.curve, self._heard(modulator, at_ns))

    def _heard(self, modulator: Modulator, at_ns: int) -> float:
        if modulator.source == "lfo":
            cycles = self._beat_at(at_ns) / PERIOD_BEATS[modulator.period] + modulator.phase
            return wave(modulator.shape, cycles, modulator.seed)
        moving = self._moving
        if modulator.source == "walk":
            walk = moving.walks.get(modulator.slot)
            if walk is None:
                return Walk(modulator.seed).height  # begins with the next tick
            ahead_s = max(0, at_ns - moving.at_ns) / 1e9
            return walk.height_at(moving.positions[modulator.slot] + modulator.rate_hz * ahead_s)
        follower = moving.followers.get(modulator.slot)
        return 0.0 if follower is None else follower.height

    def _patch_of(self, values: Mapping[str, Value]) -> _Patch:
        patch = self._patch
        if patch.values is values:
            return patch
        modulators = modulators_in(values)
        groups: dict[str, list[Modulator]] = {}
        for modulator in modulators:
            groups.setdefault(modulator.target.address, []).append(modulator)
        # several threads may do this at once for their own snapshots: each uses its own result
        self._patch = patch = _Patch(values, modulators, tuple(map(tuple, groups.values())))
        return patch
