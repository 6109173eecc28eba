"""The clock's parameters and triggers, declared once. Knows nothing of the clock itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.parameter import Parameter, Value, knob, parameters_of, values_from

SOURCES = ("internal", "midi", "link", "sound")
QUANTISE_STEPS = ("off", "beat", "bar", "2 bars", "4 bars")
BPM_ADDRESS = "/vj/clock/bpm"
QUANTISE_ADDRESS = "/vj/clock/quantise"
MIDI_OUT_ADDRESS = "/vj/clock/midi_out"
STEP_BEATS = {"beat": 1.0, "bar": 4.0, "2 bars": 8.0, "4 bars": 16.0}  # of QUANTISE_STEPS; off has none


@dataclass(frozen=True)
class TempoParams:
    """What a performer sets about the beat."""

    bpm: float = knob(
        Parameter(
            BPM_ADDRESS,
            "float",
            120.0,
            "Tempo. A source other than internal sets it too.",
            20.0,
            300.0,
            "BPM",
            clock="frame",
        )
    )
    source: str = knob(
        Parameter(
            "/vj/clock/source",
            "choice",
            "internal",
            "What leads the beat: the hand, MIDI clock, Link or the sound.",
            choices=SOURCES,
            clock="frame",
        )
    )
    quantise: str = knob(
        Parameter(
            QUANTISE_ADDRESS,
            "choice",
            "off",
            "Commands wait for the next of these, so that they are seen on it.",
            choices=QUANTISE_STEPS,
            clock="frame",
        )
    )
    midi_out: bool = knob(
        Parameter(MIDI_OUT_ADDRESS, "switch", False, "Sends MIDI clock to every MIDI output in use.", clock="frame")
    )

    @classmethod
    def from_values(cls, values: Mapping[str, Value]) -> TempoParams:
        """Build from addresses in native units, as `ParameterStore.snapshot()` holds them."""
        return cls(**values_from(cls, values))


def _trigger(name: str, text: str) -> Parameter:
    return Parameter(f"/vj/clock/{name}", "trigger", False, text, clock="frame")


TEMPO_PARAMETERS: tuple[Parameter, ...] = parameters_of(TempoParams)
TEMPO_TRIGGERS: tuple[Parameter, ...] = (
    _trigger("tap", "Tap the beat; four taps set the tempo."),
    _trigger("resync", "The first beat of a bar is now."),
    _trigger("half", "Halves the tempo."),
    _trigger("double", "Doubles the tempo."),
    _trigger("nudge/forward", "Push the beat a little ahead."),
    _trigger("nudge/back", "Hold the beat back a little."),
)
