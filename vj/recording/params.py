"""What a performer sets about recordings and presses, declared once. Knows nothing of encoders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.parameter import Parameter, Value, knob, parameters_of, values_from

CODECS = ("h264", "hevc", "prores", "hap", "ffv1")
OWN_MOMENTS = "own"  # every picture is in the file at the moment it was drawn for
RATES = (OWN_MOMENTS, "24", "25", "30", "50", "60")  # frames per second
ON_ADDRESS = "/vj/record/on"
SAVE_REPLAY_ADDRESS = "/vj/record/replay/save"
STILL_ADDRESS = "/vj/record/still"


@dataclass(frozen=True)
class RecordParams:
    """Settings of the recorder."""

    on: bool = knob(
        Parameter(ON_ADDRESS, "switch", False, "Records what the audience sees into a new file.", clock="frame")
    )
    codec: str = knob(
        Parameter(
            "/vj/record/codec",
            "choice",
            "h264",
            "Of the next recording; h264 and hevc by the graphics card where it can, ffv1 without any loss.",
            clock="frame",
            choices=CODECS,
        )
    )
    rate: str = knob(
        Parameter(
            "/vj/record/rate",
            "choice",
            "60",
            "Frames per second in the file; own = each picture at its own moment.",
            unit="fps",
            clock="frame",
            choices=RATES,
        )
    )
    folder: str = knob(
        Parameter(
            "/vj/record/folder",
            "text",
            "",
            "Where recordings and stills go; empty = `vj` in the folder of your videos.",
            clock="frame",
        )
    )
    with_sound: bool = knob(
        Parameter("/vj/record/sound", "switch", True, "Records the sound input beside the picture.", clock="frame")
    )
    is_replay_armed: bool = knob(
        Parameter(
            "/vj/record/replay/on",
            "switch",
            False,
            "Keeps the last seconds ready, encoded in memory, to be saved by a key.",
            clock="frame",
        )
    )
    replay_s: float = knob(
        Parameter(
            "/vj/record/replay/length",
            "float",
            30.0,
            "How much of what was seen a saved replay holds.",
            5.0,
            120.0,
            "s",
            clock="frame",
        )
    )

    @classmethod
    def from_values(cls, values: Mapping[str, Value]) -> RecordParams:
        """Build from addresses in native units, as `ParameterStore.snapshot()` holds them."""
        return cls(**values_from(cls, values))


RECORD_PARAMETERS: tuple[Parameter, ...] = parameters_of(RecordParams)
RECORD_TRIGGERS: tuple[Parameter, ...] = (
    Parameter(
        SAVE_REPLAY_ADDRESS,
        "trigger",
        False,
        "Save the last seconds as a file, while everything goes on; needs the replay armed.",
        clock="frame",
    ),
    Parameter(
        STILL_ADDRESS,
        "trigger",
        False,
        "Save the picture the audience sees as a PNG file that says prompts, seed, look and model.",
        clock="frame",
    ),
)
