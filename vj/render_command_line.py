"""`vj render` on the command line: the instrument's part of it, looks and timelines; the engine renders."""

from __future__ import annotations

import argparse
import logging
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.rendering.plan import RenderPlan


def render(args: argparse.Namespace) -> int:
    """Render what the words ask for; return the exit code."""
    from engine.rendering.render import run

    logging.getLogger("engine").setLevel(logging.WARNING)  # what it logs below that it tells here by itself

    return run(args, _read_plan)


def _read_plan(args: argparse.Namespace) -> RenderPlan:
    """Turn --look or --timeline of `vj render` into a plan. Raises FileError."""
    from vj.presets.looks import load_look, look_plan
    from vj.presets.timeline import timeline_plan
    from vj.presets.timeline_files import load_timeline
    from vj.shipped_files import LOOKS, TIMELINES

    problems: list[str] = []
    if args.look is not None:
        plan = look_plan(_load(load_look, args.look, LOOKS, problems))
    else:
        plan = timeline_plan(_load(load_timeline, args.timeline, TIMELINES, problems), model_name=args.model)
    for problem in problems:
        sys.stderr.write(f"vj: {problem}\n")
    return plan


def _load(load: object, name: str, kind: str, problems: list[str]) -> object:
    """Read a look or a timeline by path or name; what is left out of it goes on the list."""
    from vj.shipped_files import find_file

    loaded, found = load(find_file(name, kind))
    problems += map(str, found)
    return loaded
