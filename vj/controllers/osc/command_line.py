"""The options of `vj run` that concern OSC, and what they ask for."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

from vj.controllers.osc.endpoint import ARTNET_PORT, LOOPBACK, OscEndpoint, parse_endpoint, parse_target

if TYPE_CHECKING:
    from vj.controllers.osc.network import OscOptions
    from vj.controllers.osc.template import Template


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --osc, --osc-out, --osc-template and --artnet."""
    add_port_argument(parser)
    parser.add_argument(
        "--osc-out",
        type=_checked(parse_target),
        nargs="+",
        action="extend",
        default=[],
        metavar="[HOST:]PORT",
        help="who is told every change and the state over OSC",
    )
    parser.add_argument(
        "--osc-template",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME[@[HOST:]PORT]",
        help="programs to talk to in their own words, such as resolume or touchdesigner: a file, or the name of one "
        "of ours; where one listens, if not where the file says",
    )
    parser.add_argument(
        "--artnet",
        type=_checked(parse_endpoint),
        nargs="?",
        const=OscEndpoint(LOOPBACK, ARTNET_PORT, is_default=False),
        metavar="[HOST:]PORT",
        help=f"hear lighting desks (Art-Net): at {LOOPBACK}:{ARTNET_PORT}, or where this says; 0.0.0.0:{ARTNET_PORT} "
        "opens it to the network",
    )


def add_port_argument(parser: argparse.ArgumentParser) -> None:
    """Add --osc alone."""
    parser.add_argument(
        "--osc",
        type=_checked(parse_endpoint),
        metavar="[HOST:]PORT",
        help="where OSC is heard (default: 127.0.0.1:9000, or the next free port up to 9010); 0.0.0.0:9000 opens it "
        "to the network",
    )


def read_options(args: argparse.Namespace, problems: list[str]) -> OscOptions:
    """Load what the options name; a template that cannot be used goes on the list of problems."""
    from vj.controllers.osc.network import OscOptions
    from vj.written_files import FileError

    templates = []
    for words in args.osc_template:
        try:
            templates.append(_load(words, problems))
        except (FileError, ValueError) as error:
            problems.append(str(error))
    return OscOptions(args.osc, tuple(args.osc_out), tuple(templates))


def _load(words: str, problems: list[str]) -> Template:
    from vj.controllers.osc.template_files import load_template
    from vj.shipped_files import OSC_TEMPLATES, find_file

    name, _, place = words.partition("@")
    template, found = load_template(find_file(name, OSC_TEMPLATES))
    problems += map(str, found)
    if place:
        target = parse_target(place)
        template = dataclasses.replace(template, host=target.host, port=target.port)
    return template


def _checked(read: Callable[[str], OscEndpoint]) -> Callable[[str], OscEndpoint]:
    def endpoint(text: str) -> OscEndpoint:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return endpoint
