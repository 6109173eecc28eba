"""How looks, cues and prompts are called up: transition, locks and the triggers of the stage, declared once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.parameter import Parameter, Value, knob, parameters_of, values_from
from engine.params import PROMPT_PADS

TRANSITION_UNITS = ("seconds", "beats")
EASINGS = ("linear", "smooth", "in", "out")
LOOK_SLOTS = 16
LOCKABLE_GROUPS = ("prompt", "seed", "model", "sink", "lora", "vace", "input", "effect", "output", "mod")


def _lock(group: str) -> Parameter:
    return Parameter(
        f"/vj/lock/{group}", "switch", False, f"Looks and cues leave the {group} parameters alone.", clock="frame"
    )


@dataclass(frozen=True)
class PresetParams:
    """What a performer sets about calling up looks, cues and prompts."""

    transition_time: float = knob(
        Parameter(
            "/vj/transition/time",
            "float",
            0.0,
            "How long looks, cues and prompts take to arrive, in the unit chosen.",
            0.0,
            64.0,
            curve="square",
            clock="frame",
        )
    )
    transition_unit: str = knob(
        Parameter(
            "/vj/transition/unit",
            "choice",
            "seconds",
            "What the transition time counts.",
            choices=TRANSITION_UNITS,
            clock="frame",
        )
    )
    transition_easing: str = knob(
        Parameter(
            "/vj/transition/easing",
            "choice",
            "smooth",
            "How a transition starts and ends.",
            choices=EASINGS,
            clock="frame",
        )
    )

    @classmethod
    def from_values(cls, values: Mapping[str, Value]) -> PresetParams:
        """Build from addresses in native units, as `ParameterStore.snapshot()` holds them."""
        return cls(**values_from(cls, values))


def _trigger(address: str, text: str) -> Parameter:
    return Parameter(address, "trigger", False, text, clock="frame")


PRESET_PARAMETERS: tuple[Parameter, ...] = (*parameters_of(PresetParams), *map(_lock, LOCKABLE_GROUPS))
PRESET_TRIGGERS: tuple[Parameter, ...] = (
    *(
        _trigger(f"/vj/prompt/{n}/go", f"Bring prompt pad {n} up and all others down over the transition time.")
        for n in range(1, PROMPT_PADS + 1)
    ),
    _trigger("/vj/seed/next", "Go on to the next seed."),
    *(_trigger(f"/vj/look/{n}/recall", f"Call up the look in slot {n}.") for n in range(1, LOOK_SLOTS + 1)),
    *(_trigger(f"/vj/look/{n}/save", f"Save what plays as the look in slot {n}.") for n in range(1, LOOK_SLOTS + 1)),
    _trigger("/vj/cue/go", "Play the next cue of the list."),
    _trigger("/vj/cue/back", "Return to the cue before."),
    _trigger("/vj/timeline/play", "Play the timeline from where it stands."),
    _trigger("/vj/timeline/stop", "Hold the timeline where it is."),
    _trigger("/vj/timeline/rewind", "Return the timeline to its beginning."),
    _trigger("/vj/show/save", "Save the whole show."),
)
