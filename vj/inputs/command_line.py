"""`vj inputs` on the command line: what can be opened, and whether one of them gives pictures."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vj.inputs.grabbing import Grabber

EXIT_DONE, EXIT_FAILED, EXIT_WRONG_USE = 0, 1, 2
OPENING_S = 15.0
MEASURED_S = 2.0
LOOK_S = 0.02
SHOWN_FORMATS = 6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the two actions."""
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="list what can be opened, with the formats of devices")
    listing.add_argument("--json", action="store_true", help="write one JSON list instead of words")
    listing.add_argument("--no-network", action="store_true", help="do not look for NDI sources, which takes seconds")
    listing.set_defaults(command=list_inputs)
    show = actions.add_parser("show", help="open one for two seconds: its size, its rate and what really comes")
    show.add_argument("source", metavar="SOURCE", help="a device's name, a file, an address or lavfi:GRAPH")
    show.add_argument("--format", default="", metavar="FORMAT", help="what to ask a device for: mjpeg 1280x720@30")
    show.add_argument("--picture", type=Path, metavar="FILE.png", help="write the last picture to a file")
    show.set_defaults(command=show_input)


def list_inputs(args: argparse.Namespace) -> int:
    """Print what there is; return the exit code."""
    from vj.inputs.listing import list_sources

    listed = list_sources(with_network=not args.no_network)
    if args.json:
        print(json.dumps([dataclasses.asdict(one) for one in listed], indent=2))
        return EXIT_DONE
    for one in listed:
        more = f"  ({', '.join(one.formats[:SHOWN_FORMATS])}{', …' if len(one.formats) > SHOWN_FORMATS else ''})"
        name = "" if one.name == one.source else f"  {one.name}"
        print(f"{one.kind:8} {one.source}{name}{more if one.formats else ''}")
    if not any(one.kind == "camera" for one in listed):
        print("no camera or capture card is plugged in", file=sys.stderr)
    return EXIT_DONE


def show_input(args: argparse.Namespace) -> int:
    """Open a source, say what comes for two seconds; return the exit code."""
    from vj.inputs.grabbing import Grabber
    from vj.inputs.messages import InputWishes

    if not args.source.strip():
        sys.stderr.write("vj: SOURCE is empty; `vj inputs list` tells what there is\n")
        return EXIT_WRONG_USE
    grabber = Grabber()
    grabber.wish(InputWishes({"source": args.source.strip(), "format": args.format}))
    grabber.start()
    until_s = time.monotonic() + OPENING_S
    while grabber.state.state in ("off", "opening") and time.monotonic() < until_s:
        time.sleep(LOOK_S)
    state = grabber.state
    if state.state not in ("live", "held"):
        sys.stderr.write(f"vj: {state.problem or f'{args.source} gave no picture within {OPENING_S:.0f} s'}\n")
        return EXIT_FAILED
    before, since_s = state.pictures, time.monotonic()
    time.sleep(MEASURED_S)
    state, measured_s = grabber.state, time.monotonic() - since_s
    said = f"{state.rate_fps:g} fps" if state.rate_fps else "no rate"
    length = f", {state.length_s:.1f} s long" if state.length_s else ""
    print(f"{state.name}: {state.width}x{state.height}, says {said}{length}")
    print(f"{(state.pictures - before) / measured_s:.1f} pictures a second came in {measured_s:.1f} s")
    if args.picture is not None:
        return _write_picture(grabber, args.picture)
    grabber.stop()
    return EXIT_FAILED if state.problem else EXIT_DONE


def _write_picture(grabber: Grabber, path: Path) -> int:
    """Write the newest picture; return the exit code."""
    import cv2

    from vj.inputs.colour import RgbConverter

    picture = grabber.take(1.0)
    grabber.stop()
    if picture is None:
        sys.stderr.write("vj: no picture came that could be written\n")
        return EXIT_FAILED
    rgb = RgbConverter().to_rgb(picture.frame)
    if not cv2.imwrite(str(path), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)):
        sys.stderr.write(f"vj: {path} cannot be written\n")
        return EXIT_FAILED
    print(f"{path} written")
    return EXIT_DONE
