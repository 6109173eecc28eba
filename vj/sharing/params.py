"""What is set about sending the output to other programs, declared once for each way of sending.

Knows nothing of processes or pixels.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from engine.parameter import Parameter, Value, knob, parameters_of, values_from
from vj.sharing.kinds import KINDS, Kind

SIZES = ("output", "2160p", "1440p", "1080p", "720p", "540p", "360p")
ALPHAS = ("off", "straight", "premultiplied")
START = "/vj/share/{kind}/"
CAMERA_NAME_HELP = "Which virtual camera: its device as in /dev/video10 or its name; empty = the first there is."


@dataclass(frozen=True)
class ShareParams:
    """Everything about one way of sending. Built from a snapshot of the store by `from_values`."""

    is_on: bool = knob(
        Parameter(
            f"{START}on", "switch", False, "Sends what the audience sees to other programs, by {label}.", clock="frame"
        )
    )
    name: str = knob(Parameter(f"{START}name", "text", "", "What other programs list the picture as.", clock="frame"))
    size: str = knob(
        Parameter(
            f"{START}size",
            "choice",
            SIZES[0],
            "As large as the output, or at most so many lines high; the shape stays.",
            choices=SIZES,
            clock="frame",
        )
    )
    every: int = knob(
        Parameter(
            f"{START}every", "int", 1, "Sends one of so many pictures: 1 is all of them, 2 half the rate.", 1, 4,
            clock="frame",
        )
    )  # fmt: skip
    alpha: str = knob(
        Parameter(
            f"{START}alpha/mode",
            "choice",
            ALPHAS[0],
            "Makes what is dark transparent: off sends it opaque, straight leaves the colours as they are, "
            "premultiplied multiplies them by alpha.",
            choices=ALPHAS,
            clock="frame",
        )
    )
    alpha_low: float = knob(
        Parameter(f"{START}alpha/low", "float", 0.0, "Brightness that is wholly transparent.", 0.0, 1.0, clock="frame")
    )
    alpha_high: float = knob(
        Parameter(f"{START}alpha/high", "float", 0.25, "Brightness that is wholly opaque.", 0.0, 1.0, clock="frame")
    )

    @classmethod
    def from_values(cls, values: Mapping[str, Value], kind: Kind) -> ShareParams:
        """Build one kind's from addresses in native units, as `ParameterStore.snapshot()` holds them."""
        own = {place: values[address] for place, address in _ADDRESSES[kind.word].items() if address in values}
        return cls(**values_from(cls, own))


def share_address(kind: Kind, name: str) -> str:
    """Address of one of a kind's parameters, as in /vj/share/ndi/on."""
    return START.format(kind=kind.word) + name


def share_parameters(kind: Kind) -> tuple[Parameter, ...]:
    """List what a kind has."""
    made = []
    for one in parameters_of(ShareParams):
        if not kind.has_alpha and one.address.startswith(f"{START}alpha"):
            continue
        text, default = one.help.format(label=kind.label), one.default
        if one.address == f"{START}name":
            default = kind.default_name
            text = text if kind.default_name else CAMERA_NAME_HELP
        address = one.address.format(kind=kind.word)
        made.append(dataclasses.replace(one, address=address, default=default, help=text))
    return tuple(made)


_ADDRESSES = {
    kind.word: {one.address: one.address.format(kind=kind.word) for one in parameters_of(ShareParams)} for kind in KINDS
}
SHARE_PARAMETERS: tuple[Parameter, ...] = tuple(one for kind in KINDS for one in share_parameters(kind))
