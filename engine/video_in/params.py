"""What a hand may change about the pictures from outside, declared once: part of a chunk's parameters.

Imports no torch, so that the instrument, its mappings and its documentation derive from the same table.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.model.step_lists import OWN_STEPS, STEP_LISTS
from engine.parameter import Parameter, knob

INPUTS = 4
REFERENCES = 4
V2V_RECIPES = ("consistent", "upstream")
CONTROLS = ("none", "luma", "edges", "blur", "flow", "depth", "pose", "colour")
GUIDED_STEPS = ("all", "first", "first two", "last two", "last")
MASK_SIGNALS = ("luma", "alpha")
REFERENCE_ROLES = ("reference", "first", "last")
REFERENCE_FITS = ("whole", "fill")


@dataclass(frozen=True)
class VideoInParams:
    """Video to video (V2V) and VACE, per chunk."""

    input_on: bool = knob(Parameter("/vj/input/on", "switch", False, "Whether the input is painted over (V2V)."))
    input_number: int = knob(Parameter("/vj/input/use", "int", 1, "Which input is painted over.", 1, INPUTS))
    input_noise: float = knob(
        Parameter(
            "/vj/input/noise",
            "float",
            0.7,
            "How far the picture may leave the input: the share of noise its frames begin with. 0 shows the input "
            "as the model's autoencoder sees it, 1 forgets it.",
            0.0,
            1.0,
        )
    )
    input_steps: int = knob(
        Parameter("/vj/input/steps", "int", 2, "Denoising steps of a chunk painted over an input.", 1, 4, "steps")
    )
    input_step_list: str = knob(
        Parameter(
            "/vj/input/step_list",
            "choice",
            OWN_STEPS,
            "Which steps there are to take below the first, which is the noise's: the model's own, or these of the "
            "published schedule, warped by the model's shift.",
            choices=STEP_LISTS,
        )
    )
    input_recipe: str = knob(
        Parameter(
            "/vj/input/recipe",
            "choice",
            "consistent",
            "consistent: the model is told the noise that is there. upstream: mixed and told apart as others do, for "
            "comparison.",
            choices=V2V_RECIPES,
        )
    )
    input_motion: float = knob(
        Parameter(
            "/vj/input/motion",
            "float",
            0.0,
            "What motion in the input adds to the noise: below 0 what moves is followed more closely, above 0 less.",
            -1.0,
            1.0,
        )
    )
    vace_on: bool = knob(Parameter("/vj/vace/on", "switch", False, "Whether control video and references guide."))
    vace_scale: float = knob(
        Parameter("/vj/vace/scale", "float", 1.0, "Strength of control video and references.", 0.0, 2.0)
    )
    vace_scale_end: float = knob(
        Parameter(
            "/vj/vace/scale_end",
            "float",
            1.0,
            "Share of the strength that the last denoising step of a chunk keeps; the steps between go evenly.",
            0.0,
            1.0,
        )
    )
    vace_steps: str = knob(
        Parameter(
            "/vj/vace/steps",
            "choice",
            "all",
            "Denoising steps that are guided. Fewer are faster and follow less closely.",
            choices=GUIDED_STEPS,
        )
    )
    vace_input: int = knob(
        Parameter(
            "/vj/vace/input", "int", 1, "Which input guides as control video; 0 = none, references alone.", 0, INPUTS
        )
    )
    vace_control: str = knob(
        Parameter(
            "/vj/vace/control",
            "choice",
            "edges",
            "What is taken from the control input: none = the picture as it is.",
            choices=CONTROLS,
        )
    )
    vace_detail: float = knob(
        Parameter(
            "/vj/vace/detail",
            "float",
            0.5,
            "How much of it: more or fewer edges, a narrower or wider blur, smaller or larger fields of colour.",
            0.0,
            1.0,
        )
    )
    vace_mask_input: int = knob(
        Parameter(
            "/vj/vace/mask/input",
            "int",
            0,
            "Which input says where to paint: bright = new, dark = the control input stays. 0 = everywhere.",
            0,
            INPUTS,
        )
    )
    vace_mask_signal: str = knob(
        Parameter(
            "/vj/vace/mask/from",
            "choice",
            "luma",
            "Whether the mask is the input's brightness or its key.",
            choices=MASK_SIGNALS,
        )
    )
    vace_mask_invert: bool = knob(Parameter("/vj/vace/mask/invert", "switch", False, "Swap inside and outside."))
    reference_files: tuple[str, ...] = knob(
        Parameter("/vj/vace/ref/{n}/file", "text", "", "Picture in reference pad {n}; empty = none."), REFERENCES
    )
    reference_switches: tuple[bool, ...] = knob(
        Parameter("/vj/vace/ref/{n}/on", "switch", False, "Whether reference {n} guides, until it is switched off."),
        REFERENCES,
    )
    reference_roles: tuple[str, ...] = knob(
        Parameter(
            "/vj/vace/ref/{n}/role",
            "choice",
            "reference",
            "reference: who or what is seen, at any place. first, last: the first or last frame of every chunk goes "
            "towards it.",
            choices=REFERENCE_ROLES,
        ),
        REFERENCES,
        rest="reference",
    )
    reference_fits: tuple[str, ...] = knob(
        Parameter(
            "/vj/vace/ref/{n}/fit",
            "choice",
            "whole",
            "whole: all of the picture, on white, as the model was trained. fill: its middle, filling the frame. First "
            "and last frames always fill it.",
            choices=REFERENCE_FITS,
        ),
        REFERENCES,
        rest="whole",
    )
