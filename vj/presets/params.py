"""How looks, cues and prompts are called up: transition, locks and the triggers of the stage, declared once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.parameter import Parameter, Value, knob, parameters_of, values_from
from engine.params import PROMPT_PADS

TRANSITION_UNITS = ("seconds", "beats")
EASINGS = ("linear", "smooth", "in", "out")
LOOK_SLOTS = 16
CUES_MAX = 999
CURRENT_CUE_ADDRESS = "/vj/cue/current"
NEXT_CUE_ADDRESS = "/vj/cue/next"
LOCKABLE_GROUPS = ("prompt", "seed", "model", "sink", "lora", "vace", "input", "layer", "effect", "output", "mod")


def lock_address(group: str) -> str:
    """Address of the switch that keeps looks and cues off a group."""
    return f"/vj/lock/{group}"


def _lock(group: str) -> Parameter:
    return Parameter(
        lock_address(group), "switch", False, f"Looks and cues leave the {group} parameters alone.", clock="frame"
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

    current_cue: int = knob(
        Parameter(
            CURRENT_CUE_ADDRESS,
            "int",
            0,
            "Number of the cue played last, 0 = none. Back returns to the one before it.",
            0,
            CUES_MAX,
            clock="frame",
        )
    )
    next_cue: int = knob(
        Parameter(
            NEXT_CUE_ADDRESS,
            "int",
            1,
            "Number of the cue that go plays; set it to stand by another. One past the last = the list is over.",
            1,
            CUES_MAX + 1,
            clock="frame",
        )
    )
    is_chasing: bool = knob(
        Parameter(
            "/vj/timeline/chase",
            "switch",
            False,
            "The timeline stands where the MIDI time code stands, and plays while it runs.",
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
