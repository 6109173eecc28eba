"""Contact sheet of the drawn clips: `python -m engine.training.clips --out docs/clips.jpg`.

Rows from above: one for each family in six palettes, then finishes, grounds, cameras and events, blends, a switch.
"""

import argparse
import dataclasses
import sys
from pathlib import Path

from torch import Tensor

from engine.training.clips.contact_sheet import lay_out, write_jpeg
from engine.training.clips.drawing import draw_plan
from engine.training.clips.families import FAMILIES
from engine.training.clips.spec import FINISHES, GROUNDS, ClipPlan, ClipSpec

PALETTES_SHOWN = ("ice", "sunset", "neon", "absinthe", "kingfisher", "blue", "pink")
FINISHED = ("plasma", "blobs", "kaleidoscope", "aurora", "ink", "labyrinth", "terrain")
GROUNDED = ("tunnel", "blobs", "aurora", "particles", "smoke", "fire", "terrain")
BLENDED = ("tunnel cells", "kaleidoscope fire", "blobs caustics", "aurora terrain", "particles labyrinth")
BLENDED += ("ink smoke", "thaw plasma")
OTHER_COLOURS = ("orange", "gold", "opal", "green", "violet", "red", "earth")


def sheet_rows(seed: int, size: tuple[int, int]) -> list[list[Tensor]]:
    """Draw the rows of the sheet, each of seven stills of (height, width)."""

    def still(plan: ClipPlan, frame: int = 8) -> Tensor:
        return draw_plan(plan, size, frame, 1)[0]

    def spec(family: str, palette: str, **variation: str | int) -> ClipSpec:
        return dataclasses.replace(ClipSpec(family, palette, "normal", seed), **variation)

    rows = [
        [still(ClipPlan(spec(family, palette, seed=seed + index))) for index, palette in enumerate(PALETTES_SHOWN)]
        for family in FAMILIES
    ]
    for name in FINISHES[1:]:
        pairs = zip(FINISHED, PALETTES_SHOWN, strict=True)
        rows.append([still(ClipPlan(spec(family, palette, finish=name))) for family, palette in pairs])
    for name in GROUNDS[1:]:
        pairs = zip(GROUNDED, OTHER_COLOURS, strict=True)
        rows.append([still(ClipPlan(spec(family, palette, ground=name))) for family, palette in pairs])
    pushed, ringed = spec("cells", "teal", camera="in"), spec("caustics", "blue", event="drop")
    mirrored = spec("smoke", "violet", mirror="both")
    rows.append(
        [still(ClipPlan(pushed), frame) for frame in (0, 25, 50)]
        + [still(ClipPlan(ringed), frame) for frame in (18, 22, 26)]
        + [still(ClipPlan(mirrored))]
    )
    pairs = [pair.split() for pair in BLENDED]
    rows.append(
        [still(ClipPlan(spec(one, "sunset"), spec(other, "teal", seed=seed + 1), share=0.5)) for one, other in pairs]
    )
    switch = ClipPlan(spec("ink", "black"), spec("fire", "orange"), switch_frame=9)
    rows.append([still(switch, frame) for frame in (4, 9, 11, 13, 15, 17, 24)])
    return rows


def main(arguments: list[str] | None = None) -> int:
    """Draw the sheet and write it; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m engine.training.clips", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the JPEG file to write")
    parser.add_argument("--seed", type=int, default=204, help="of the first clip (default: 204)")
    parser.add_argument("--height", type=int, default=108, help="of a still, in pixels; 16:9 (default: 108)")
    options = parser.parse_args(arguments)
    size = (options.height, options.height * 16 // 9)
    try:
        write_jpeg(lay_out(sheet_rows(options.seed, size)), options.out)
    except OSError as fault:
        print(f"{options.out} cannot be written: {fault.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
