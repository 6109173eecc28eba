"""Timelines: cues in time, and their fades spelled out chunk by chunk for a render.

Knows nothing of file formats, models or clocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from engine.parameter import Value
from engine.params import ENGINE_PARAMETERS, ChunkParams
from engine.rendering.plan import Cue, RenderPlan
from vj.parameters import PARAMETERS
from vj.presets.looks import SEED_ADDRESS, live_only_notes
from vj.presets.prompt_mixing import BLEND_ADDRESS, PROMPTS, WEIGHTS, mixed_prompts

CHUNK_S = 0.75  # 3 latent frames of 4 frames at 16 per second
LONGEST_S = 86400.0  # a fade is spelled out chunk by chunk: longer than a day can only be a slip

Cut = Literal["", "hard", "soft"]
Unit = Literal["seconds", "beats", "bars"]
DEFAULT_TEMPO_BPM = 120.0
DEFAULT_BEATS_PER_BAR = 4.0


@dataclass(frozen=True)
class TimelineCue:
    """From `at` on these values hold; what is not named goes on. Times are in the timeline's unit."""

    at: float
    values: Mapping[str, Value]  # address -> native units
    fade: float = 0.0
    fade_chunks: int = 0  # instead of fade, in files that count chunks
    fade_blend: str = ""  # how prompts mix while they fade; nothing = as they are
    cut: Cut = ""
    end: float | None = None  # where its file lets it end, if that is before the next one; it holds on all the same


@dataclass(frozen=True)
class Timeline:
    """What one file plays, whatever its format."""

    name: str
    cues: tuple[TimelineCue, ...]  # in order of time, at least one
    length: float | None = None  # in its unit; None where the file does not say
    seed: int | None = None
    size: tuple[int, int] | None = None  # (width, height) the file was made at
    model: str = ""  # what it was made for, in its author's words
    notes: tuple[str, ...] = ()  # what was read but not applied
    unit: Unit = "seconds"
    tempo_bpm: float = DEFAULT_TEMPO_BPM  # of a render; live the clock leads
    beats_per_bar: float = DEFAULT_BEATS_PER_BAR
    description: str = ""
    file: Path | None = field(default=None, compare=False)  # it was read from

    @property
    def unit_beats(self) -> float | None:
        """Beats in one of its unit; None for seconds."""
        return {"seconds": None, "beats": 1.0, "bars": self.beats_per_bar}[self.unit]

    @property
    def unit_s(self) -> float:
        """Seconds in one of its unit at its own tempo."""
        return 1.0 if self.unit_beats is None else self.unit_beats * 60.0 / self.tempo_bpm

    def in_seconds(self) -> Timeline:
        """Return the same timeline counted in seconds, at its own tempo."""
        if self.unit == "seconds":
            return self
        scale = self.unit_s
        cues = tuple(
            replace(cue, at=cue.at * scale, fade=cue.fade * scale, end=None if cue.end is None else cue.end * scale)
            for cue in self.cues
        )
        return replace(self, cues=cues, length=None if self.length is None else self.length * scale, unit="seconds")


@dataclass(frozen=True)
class TimelineStep:
    """One moment of a timeline: what changes there."""

    at_s: float
    changes: Mapping[str, Value]
    cut: Cut = ""


def timeline_steps(timeline: Timeline, chunk_s: float = CHUNK_S) -> tuple[TimelineStep, ...]:
    """Spell a timeline out: one step per cue, and one per chunk of `chunk_s` seconds while it fades.

    A cue that comes before the fade of the one before it is over goes on from where that fade is.
    """
    timeline = timeline.in_seconds()
    held: dict[str, Value] = {parameter.address: parameter.default for parameter in ENGINE_PARAMETERS}
    target = dict(held)  # where the cues so far lead, once their fades are over
    steps: list[TimelineStep] = []
    ends = [cue.at for cue in timeline.cues[1:]] + [float("inf")]
    for number, (cue, end_s) in enumerate(zip(timeline.cues, ends, strict=True)):
        is_first = number == 0
        if is_first and timeline.seed is not None:
            target[SEED_ADDRESS] = timeline.seed
        target |= cue.values
        # before the first cue there is nothing to fade from
        stages = [target] if is_first else _fade(held, target, _fade_chunks(cue, chunk_s), cue.fade_blend)
        for k, stage in enumerate(stages):
            at_s = cue.at + k * chunk_s
            if k and at_s >= end_s:
                break
            named = cue.values if is_first else ()
            changes = {a: value for a, value in stage.items() if a in named or held.get(a) != value}
            held |= changes
            steps.append(TimelineStep(at_s, changes, "" if k else cue.cut))
    return tuple(steps)


def timeline_plan(
    timeline: Timeline, chunk_s: float = CHUNK_S, model_name: str = "", model_size: tuple[int, int] | None = None
) -> RenderPlan:
    """Make the plan of a render.

    Given the name and (width, height) of the model, a file that was made for another says so in one of the notes.
    """
    held: dict[str, Value] = {}
    cues: list[Cue] = []
    for step in timeline_steps(timeline, chunk_s):
        held |= step.changes
        cues.append(Cue(step.at_s, ChunkParams.from_values(held), step.cut == "hard", step.cut == "soft"))
    other = made_for_other(timeline, model_name, model_size)
    return RenderPlan(
        tuple(cues),
        size_hint=timeline.size,
        seed=timeline.seed,
        length_s=timeline.in_seconds().length,
        notes=(*((other,) if other else ()), *timeline.notes, *live_only_notes(held)),
    )


def _fade_chunks(cue: TimelineCue, chunk_s: float) -> int:
    return max(1, cue.fade_chunks or round(cue.fade / chunk_s))


def _fade(
    held: Mapping[str, Value], target: Mapping[str, Value], count: int, blend: str
) -> Iterator[Mapping[str, Value]]:
    """Yield the values of `count` chunks on the way from `held` to `target`; the last one is the target itself."""
    start, end = dict(held), dict(target)
    has_new_prompts = any(start[address] != end[address] for address in PROMPTS)
    floats = [a for a in end if PARAMETERS[a].kind == "float" and a not in WEIGHTS]
    for k in range(1, count):
        share = k / count
        stage = {a: value for a, value in end.items() if a not in PROMPTS}
        for address in floats:
            before = float(start.get(address, PARAMETERS[address].default))
            stage[address] = before + share * (float(end[address]) - before)
        if has_new_prompts:
            stage |= mixed_prompts(start, end, share)
            stage |= {BLEND_ADDRESS: blend} if blend else {}
        yield stage
    yield end


def made_for_other(timeline: Timeline, model_name: str, model_size: tuple[int, int] | None) -> str:
    """Return a sentence where a timeline names another model or size than it plays on; else nothing."""
    is_other_model = bool(model_name and timeline.model) and not model_name.startswith(timeline.model)
    is_other_size = bool(model_size and timeline.size) and model_size != timeline.size
    if not (is_other_model or is_other_size):
        return ""
    made, plays = [timeline.model or "another model"], [model_name or "this model"]
    if is_other_size:
        made.append("{}x{}".format(*timeline.size))
        plays.append("{}x{}".format(*model_size))
    return f"the timeline was made for {' at '.join(made)}; it plays on {' at '.join(plays)}"
