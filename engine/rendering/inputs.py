"""Video in offline: what the options of `render` ask for, in every plan; clips connected to a source for each file."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence

from engine.chunk_source import ChunkSource
from engine.rendering.jobs import RenderJob, RenderUseError
from engine.video_in.arguments import AskedInputs, asked_inputs
from engine.video_in.clip_input import ClipInput, check_source


def with_inputs(jobs: Sequence[RenderJob], args: argparse.Namespace) -> tuple[list[RenderJob], AskedInputs]:
    """The jobs with the values the options ask for, and the sources. Raises RenderUseError, for bad sources too."""
    try:
        asked = asked_inputs(args)
        for source in dict.fromkeys([*asked.sources.values(), *args.vace_ref]):
            check_source(source)
    except ValueError as error:  # PictureError too
        raise RenderUseError(str(error)) from None
    if not asked.values:
        return list(jobs), asked
    return [dataclasses.replace(job, plan=job.plan.with_values(asked.values)) for job in jobs], asked


def connect_clips(source: ChunkSource, asked: AskedInputs) -> None:
    """Let a source begin with the first frame of every clip."""
    size = (source.width, source.height)
    clips = {number: ClipInput(name, source.rate_fps, size) for number, name in asked.sources.items()}
    source.connect_inputs(clips)
