"""The effects' parameters: what their files' headers say, and for each how much of it is seen and where it stands.

Knows nothing of GL, files' texts or the store.
"""

from __future__ import annotations

from engine.parameter import Parameter
from vj.effects.isf_file import EffectInput
from vj.effects.shipped import SHIPPED, SHIPPED_FADES

START = "/vj/effect/"
USER_SLOTS, KNOBS = 4, 8
KNOB_REST = 0.5  # where every input is at the file's own default
DISSOLVE = "dissolve"
CROSSFADE_ADDRESS = f"{START}crossfade"
LIMIT_ADDRESS = f"{START}strobe/limit"
PLACES = len(SHIPPED) + USER_SLOTS


def mix_address(name: str) -> str:
    """Where it is said how much of an effect is seen; `name` is a file's, or user/1.."""
    return f"{START}{name}/mix"


def place_address(name: str) -> str:
    """Where it is said at which place of the chain an effect stands."""
    return f"{START}{name}/place"


def file_address(slot: int) -> str:
    """Where slot 1.. holds the name or path of its file."""
    return f"{START}user/{slot}/file"


def knob_address(slot: int, knob: int) -> str:
    """Where knob 1.. of slot 1.. is."""
    return f"{START}user/{slot}/knob/{knob}"


def input_address(name: str, held: EffectInput, component: str = "") -> str:
    """Where an input of a shipped effect is, or one number of it."""
    return f"{START}{name}/{held.name}" + (f"/{component}" if component else "")


def _number(address: str, text: str, low: float, high: float, default: float, *details: str) -> Parameter:
    """Declare a float; `details` are unit and curve."""
    return Parameter(address, "float", default, text, low, high, *details, clock="frame")


def _mix(name: str, words: str) -> Parameter:
    return _number(mix_address(name), f"How much of {words} is seen; 0 = off, which costs nothing.", 0.0, 1.0, 0.0)


def _place(name: str, words: str, default: int) -> Parameter:
    text = f"Where {words} stands in the chain of effects: 1 comes first."
    return Parameter(place_address(name), "int", default, text, 1, PLACES, clock="frame")


def _input(name: str, held: EffectInput) -> list[Parameter]:
    if held.kind == "event":
        return []
    address, text = input_address(name, held), held.help or f"{held.label} of {name}."
    if held.kind == "bool":
        return [Parameter(address, "switch", held.default[0] >= 0.5, text, clock="frame")]
    if held.kind == "long":
        chosen = held.choices[int(held.default[0])]
        return [Parameter(address, "choice", chosen, text, clock="frame", choices=held.choices)]
    return [
        _number(
            input_address(name, held, component),
            f"{text} ({component})" if component else text,
            held.minimum[k],
            held.maximum[k],
            held.default[k],
            held.unit,
            held.curve,
        )
        for k, component in enumerate(held.components)
    ]


def shipped_parameters(name: str) -> tuple[Parameter, ...]:
    """List what one shipped effect declares: mix, its inputs, place."""
    effect, words = SHIPPED[name], name.replace("_", " ")
    inputs = [parameter for held in effect.inputs for parameter in _input(name, held)]
    return (_mix(name, words), *inputs, _place(name, words, list(SHIPPED).index(name) + 1))


def slot_parameters(slot: int) -> tuple[Parameter, ...]:
    """List what one slot for a user's effect declares."""
    name = f"user/{slot}"
    file_text = f"File of user effect {slot}: a name in the user's folder of effects, or a path; empty = none."
    knob_text = "Knob {k} of user effect {slot}, over its inputs in their order; in the middle each is at its default."
    return (
        Parameter(file_address(slot), "text", "", file_text, clock="frame"),
        _mix(name, f"user effect {slot}"),
        *(
            _number(knob_address(slot, k), knob_text.format(k=k, slot=slot), 0.0, 1.0, KNOB_REST)
            for k in range(1, KNOBS + 1)
        ),
        _place(name, f"user effect {slot}", len(SHIPPED) + slot),
    )


SLOT_NAMES = tuple(f"user/{slot}" for slot in range(1, USER_SLOTS + 1))
CHAIN_NAMES: tuple[str, ...] = (*SHIPPED, *SLOT_NAMES)
"""Everything that has a place in the chain."""
FILE_ADDRESSES = frozenset(file_address(slot) for slot in range(1, USER_SLOTS + 1))
CROSSFADE = Parameter(
    CROSSFADE_ADDRESS,
    "choice",
    DISSOLVE,
    "How the deck that is faded in comes over the one before.",
    clock="frame",
    choices=tuple(sorted({DISSOLVE, *SHIPPED_FADES})),
)
EFFECT_PARAMETERS: tuple[Parameter, ...] = (
    *(parameter for name in SHIPPED for parameter in shipped_parameters(name)),
    *(parameter for slot in range(1, USER_SLOTS + 1) for parameter in slot_parameters(slot)),
)
