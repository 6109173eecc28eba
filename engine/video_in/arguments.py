"""The options of `render` and `run` for video in: V2V, control video, references, mask. What they mean as values."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from pathlib import Path

from engine.parameter import Value
from engine.params import ENGINE_PARAMETERS
from engine.preset_table import did_you_mean
from engine.video_in.params import CONTROLS, REFERENCES

PAINTED_OVER, CONTROL, MASK = 1, 2, 3  # numbers of the inputs the options fill
AS_IT_IS = CONTROLS[0]  # the control maker of a picture that is a control video already
SOURCES = "a file, a device's name, an address (rtsp://, http://) or lavfi:GRAPH"
_PARAMETERS = {parameter.address: parameter for parameter in ENGINE_PARAMETERS}


@dataclass
class AskedInputs:
    """What the options ask for: the sources of inputs by number, and values over all others."""

    sources: dict[int, str] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)


def add_input_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    group = parser.add_argument_group("video in", f"A SOURCE is {SOURCES}.")
    group.add_argument("--input", metavar="SOURCE", help="paint over a video (V2V)")
    group.add_argument(
        "--v2v",
        type=_number("/vj/input/noise"),
        metavar="NOISE",
        help="how far the picture may leave --input: 0 shows it, 1 forgets it "
        f"(default: {_PARAMETERS['/vj/input/noise'].default:g})",
    )
    group.add_argument(
        "--vace-control",
        type=_source,
        metavar="[MAKER:]SOURCE",
        help=f"guide by a control video; MAKER makes it of the source: {', '.join(CONTROLS)} (default: {AS_IT_IS}, "
        "the source is one already)",
    )
    group.add_argument(
        "--vace-ref",
        nargs="+",
        action="extend",
        type=_source,
        default=[],
        metavar="IMAGE",
        help=f"pictures of who or what is to be seen, {REFERENCES} at most",
    )
    group.add_argument(
        "--vace-mask",
        type=_source,
        metavar="SOURCE",
        help="where to paint: bright = new, dark = the control video, or else --input, stays",
    )
    group.add_argument(
        "--vace-scale",
        type=_number("/vj/vace/scale"),
        metavar="X",
        help=f"strength of control video and references (default: {_PARAMETERS['/vj/vace/scale'].default:g})",
    )


def asked_inputs(args: argparse.Namespace) -> AskedInputs:
    """What the options ask for. Raises ValueError with a sentence for options that do not go together."""
    asked = AskedInputs()
    _ask_for_v2v(args, asked)
    _ask_for_vace(args, asked)
    return asked


def _ask_for_v2v(args: argparse.Namespace, asked: AskedInputs) -> None:
    if args.input is None and args.v2v is not None:
        raise ValueError("--v2v goes with --input: say which video is painted over")
    if args.input is None:
        return
    if not args.input.strip():
        raise ValueError(f"--input is empty: name {SOURCES}")
    asked.sources[PAINTED_OVER] = args.input.strip()
    is_kept_by_mask = args.vace_mask is not None and args.vace_control is None
    asked.values["/vj/input/on"] = args.v2v is not None or not is_kept_by_mask
    asked.values["/vj/input/use"] = PAINTED_OVER
    if args.v2v is not None:
        asked.values["/vj/input/noise"] = args.v2v


def _ask_for_vace(args: argparse.Namespace, asked: AskedInputs) -> None:
    if args.vace_scale is not None:
        asked.values["/vj/vace/scale"] = args.vace_scale
    if args.vace_control is None and args.vace_mask is None and not args.vace_ref:
        if args.vace_scale is not None:
            raise ValueError("--vace-scale goes with --vace-control, --vace-ref or --vace-mask: nothing else guides")
        return
    asked.values |= {"/vj/vace/on": True, "/vj/vace/input": 0}
    if args.vace_control is not None:
        maker, source = read_control(args.vace_control)
        asked.sources[CONTROL] = source
        asked.values |= {"/vj/vace/input": CONTROL, "/vj/vace/control": maker}
    if args.vace_mask is not None:
        if args.vace_control is None and args.input is None:
            raise ValueError("--vace-mask goes with --vace-control or --input: it says where that video stays")
        if args.vace_control is None:
            asked.values |= {"/vj/vace/input": PAINTED_OVER, "/vj/vace/control": AS_IT_IS}
        asked.sources[MASK] = args.vace_mask
        asked.values["/vj/vace/mask/input"] = MASK
    if len(args.vace_ref) > REFERENCES:
        raise ValueError(f"--vace-ref: {len(args.vace_ref)} pictures; there are {REFERENCES} pads")
    for pad, image in enumerate(args.vace_ref, start=1):
        asked.values |= {f"/vj/vace/ref/{pad}/file": image, f"/vj/vace/ref/{pad}/on": True}


def read_control(written: str) -> tuple[str, str]:
    """Maker and source of `[MAKER:]SOURCE`: what stands before the first colon is a maker only if it is one's name."""
    maker, colon, source = written.partition(":")
    if not colon or maker not in CONTROLS:
        meant = did_you_mean(maker, CONTROLS) if colon and not Path(written).exists() else ""
        if meant:
            raise ValueError(f"--vace-control {written}: there is no control {maker!r}{meant}")
        return AS_IT_IS, written
    if not source.strip():
        raise ValueError(f"--vace-control {written}: {maker} of what? Name {SOURCES} after the colon")
    return maker, source.strip()


def _source(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError(f"it is empty: name {SOURCES}")
    return text.strip()


def _number(address: str) -> object:
    parameter = _PARAMETERS[address]

    def read(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
        if not parameter.minimum <= number <= parameter.maximum:
            raise argparse.ArgumentTypeError(f"{text} is outside {parameter.minimum:g} to {parameter.maximum:g}")
        return number

    return read
