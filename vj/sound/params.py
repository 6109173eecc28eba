"""The sound input's parameters, declared once. Knows nothing of devices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.parameter import Parameter, Value, knob, parameters_of, values_from


@dataclass(frozen=True)
class SoundParams:
    """What a performer sets about the sound that is listened to."""

    device: str = knob(
        Parameter("/vj/audio/device", "text", "", "Part of the input's name; empty = the system's own.", clock="frame")
    )
    gain_db: float = knob(
        Parameter(
            "/vj/audio/gain",
            "float",
            0.0,
            "Added to the sound before it is measured.",
            -24.0,
            24.0,
            "dB",
            clock="frame",
        )
    )
    auto_gain: bool = knob(
        Parameter("/vj/audio/auto_gain", "switch", True, "Keeps the loud parts near full scale.", clock="frame")
    )
    floor_db: float = knob(
        Parameter(
            "/vj/audio/floor", "float", -60.0, "Quieter than this counts as silence.", -90.0, -20.0, "dB", clock="frame"
        )
    )
    plays_onsets: bool = knob(
        Parameter(
            "/vj/audio/onsets",
            "switch",
            False,
            "Lets hits in the sound play what the mapping files give them.",
            clock="frame",
        )
    )

    @classmethod
    def from_values(cls, values: Mapping[str, Value]) -> SoundParams:
        """Build from addresses in native units, as `ParameterStore.snapshot()` holds them."""
        return cls(**values_from(cls, values))


SOUND_PARAMETERS: tuple[Parameter, ...] = parameters_of(SoundParams)
