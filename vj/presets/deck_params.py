"""The two decks' parameters and triggers, declared once. Knows nothing of looks, engines or windows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.parameter import Parameter, Value, knob, parameters_of, values_from
from vj.presets.params import LOOK_SLOTS

CUT_ADDRESS, FADE_ADDRESS, DISARM_ADDRESS = "/vj/deck/cut", "/vj/deck/fade", "/vj/deck/disarm"


def arm_address(slot: int) -> str:
    """Address of the trigger that arms the free deck with the look in slot 1.."""
    return f"/vj/look/{slot}/arm"


@dataclass(frozen=True)
class DeckParams:
    """What a performer sets about the decks."""

    fade_s: float = knob(
        Parameter(
            "/vj/deck/fade_s",
            "float",
            2.0,
            "How long both decks are seen while one fades into the other.",
            0.1,
            20.0,
            "s",
            curve="square",
            clock="frame",
        )
    )
    preroll_s: float = knob(
        Parameter(
            "/vj/deck/preroll_s",
            "float",
            2.0,
            "How far ahead the free deck is filled. After a cut a hand is seen so much later.",
            0.6,
            3.0,
            "s",
            clock="frame",
        )
    )

    @classmethod
    def from_values(cls, values: Mapping[str, Value]) -> DeckParams:
        """Build from addresses in native units, as `ParameterStore.snapshot()` holds them."""
        return cls(**values_from(cls, values))


def _trigger(address: str, text: str) -> Parameter:
    return Parameter(address, "trigger", False, text, clock="frame")


DECK_PARAMETERS: tuple[Parameter, ...] = parameters_of(DeckParams)
DECK_TRIGGERS: tuple[Parameter, ...] = (
    _trigger(
        CUT_ADDRESS, "Cut to the free deck: on the beat if commands wait for it, else at the next display refresh."
    ),
    _trigger(FADE_ADDRESS, "Fade over to the free deck."),
    _trigger(DISARM_ADDRESS, "Forget what the free deck was armed with."),
    *(_trigger(arm_address(n), f"Arm the free deck with the look in slot {n}.") for n in range(1, LOOK_SLOTS + 1)),
)
