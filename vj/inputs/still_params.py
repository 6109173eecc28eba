"""The triggers that take a picture for a reference pad, declared once. Knows nothing of pictures."""

from __future__ import annotations

from engine.parameter import Parameter
from engine.video_in.params import REFERENCES

GUIDE_INPUT_ADDRESS = "/vj/vace/input"
PAINTED_INPUT_ADDRESS = "/vj/input/use"


def from_input_address(pad: int) -> str:
    """Address of the trigger that takes a picture of the input for reference pad 1.. ."""
    return f"/vj/vace/ref/{pad}/from_input"


def from_output_address(pad: int) -> str:
    """Address of the trigger that takes a picture of the output for reference pad 1.. ."""
    return f"/vj/vace/ref/{pad}/from_output"


STILL_TRIGGERS: tuple[Parameter, ...] = (
    *(
        Parameter(
            from_input_address(n),
            "trigger",
            False,
            f"Take a picture of the input that guides, or is painted over, into reference pad {n} and switch it on.",
        )
        for n in range(1, REFERENCES + 1)
    ),
    *(
        Parameter(
            from_output_address(n),
            "trigger",
            False,
            f"Take what the audience sees of the stream into reference pad {n} and switch it on.",
        )
        for n in range(1, REFERENCES + 1)
    ),
)
