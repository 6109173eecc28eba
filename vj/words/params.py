"""The triggers of prompt help, declared once."""

from __future__ import annotations

from engine.parameter import Parameter
from engine.params import PROMPT_PADS


def extend_address(pad: int) -> str:
    """Address of the trigger that asks for a longer text for a pad, 1.."""
    return f"/vj/prompt/{pad}/extend"


def undo_address(pad: int) -> str:
    """Address of the trigger that goes back to the words before, 1.."""
    return f"/vj/prompt/{pad}/undo"


WORDS_TRIGGERS: tuple[Parameter, ...] = (
    *(
        Parameter(
            extend_address(n),
            "trigger",
            False,
            f"Propose a longer text for prompt pad {n}, for models trained on long ones. Pressed again: take it.",
            clock="frame",
        )
        for n in range(1, PROMPT_PADS + 1)
    ),
    *(
        Parameter(
            undo_address(n),
            "trigger",
            False,
            f"Drop the text proposed for prompt pad {n}, or give back the one before the last that was taken.",
            clock="frame",
        )
        for n in range(1, PROMPT_PADS + 1)
    ),
)
