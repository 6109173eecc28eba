"""Timelines: cues in time, their fades spelled out chunk by chunk, for a render or a live run.

Knows nothing of file formats, models or clocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from engine.parameter import Value
from engine.params import ENGINE_PARAMETERS, ChunkParams
from engine.render_plan import Cue, RenderPlan
from vj.controls import Controls
from vj.parameters import PARAMETERS
from vj.presets.looks import SEED_ADDRESS, live_only_notes
from vj.presets.prompt_mixing import BLEND_ADDRESS, PROMPTS, WEIGHTS, mixed_prompts

CHUNK_S = 0.75  # 3 latent frames of 4 frames at 16 per second
LONGEST_S = 86400.0  # a fade is spelled out chunk by chunk: longer than a day can only be a slip

Cut = Literal["", "hard", "soft"]


@dataclass(frozen=True)
class TimelineCue:
    """From `at_s` on these values hold; what is not named goes on. A fade moves there over chunks."""

    at_s: float
    values: Mapping[str, Value]  # address -> native units
    fade_s: float = 0.0
    fade_chunks: int = 0  # instead of fade_s, in files that count chunks
    fade_blend: str = ""  # how prompts mix while they fade; nothing = as they are
    cut: Cut = ""


@dataclass(frozen=True)
class Timeline:
    """What one file plays, whatever its format."""

    name: str
    cues: tuple[TimelineCue, ...]  # in order of time, at least one
    length_s: float | None = None  # None where the file does not say
    seed: int | None = None
    size: tuple[int, int] | None = None  # (width, height) the file was made at
    model: str = ""  # what it was made for, in its author's words
    notes: tuple[str, ...] = ()  # what was read but not applied


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
    held: dict[str, Value] = {parameter.address: parameter.default for parameter in ENGINE_PARAMETERS}
    target = dict(held)  # where the cues so far lead, once their fades are over
    steps: list[TimelineStep] = []
    ends = [cue.at_s for cue in timeline.cues[1:]] + [float("inf")]
    for number, (cue, end_s) in enumerate(zip(timeline.cues, ends, strict=True)):
        is_first = number == 0
        if is_first and timeline.seed is not None:
            target[SEED_ADDRESS] = timeline.seed
        target |= cue.values
        # before the first cue there is nothing to fade from
        stages = [target] if is_first else _fade(held, target, _fade_chunks(cue, chunk_s), cue.fade_blend)
        for k, stage in enumerate(stages):
            at_s = cue.at_s + k * chunk_s
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
    other = _made_for_other(timeline, model_name, model_size)
    return RenderPlan(
        tuple(cues),
        size_hint=timeline.size,
        seed=timeline.seed,
        length_s=timeline.length_s,
        notes=(*((other,) if other else ()), *timeline.notes, *live_only_notes(held)),
    )


class TimelinePlayer:
    """Plays steps into the instrument as their time comes. Owned by one thread, which calls `tick`."""

    def __init__(self, controls: Controls, timeline: Timeline, chunk_s: float = CHUNK_S) -> None:
        self._controls = controls
        self._source = f"timeline {timeline.name}"
        self._steps = timeline_steps(timeline, chunk_s)
        self._next = 0

    @property
    def is_over(self) -> bool:
        """Whether the last step was played; it goes on holding."""
        return self._next >= len(self._steps)

    def tick(self, elapsed_s: float) -> None:
        """Play what is due `elapsed_s` seconds after the timeline began."""
        while not self.is_over and self._steps[self._next].at_s <= elapsed_s:
            step = self._steps[self._next]
            self._next += 1
            # values first: a new stream begins with them
            self._controls.set_many(step.changes, self._source)
            if step.cut:
                self._controls.trigger(f"/vj/cut/{step.cut}", self._source)


def _fade_chunks(cue: TimelineCue, chunk_s: float) -> int:
    return max(1, cue.fade_chunks or round(cue.fade_s / chunk_s))


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


def _made_for_other(timeline: Timeline, model_name: str, model_size: tuple[int, int] | None) -> str:
    is_other_model = bool(model_name and timeline.model) and not model_name.startswith(timeline.model)
    is_other_size = bool(model_size and timeline.size) and model_size != timeline.size
    if not (is_other_model or is_other_size):
        return ""
    made, plays = [timeline.model or "another model"], [model_name or "this model"]
    if is_other_size:
        made.append("{}x{}".format(*timeline.size))
        plays.append("{}x{}".format(*model_size))
    return f"the timeline was made for {' at '.join(made)}; it plays on {' at '.join(plays)}"
