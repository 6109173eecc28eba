"""Writes timelines as Daydream Scope reads them: timeline JSON 2.1, or a workflow file.

Every text, weight and time stays; what Scope has no word for is named. Knows nothing of playing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.parameter import Value
from vj.parameters import PARAMETERS
from vj.presets.looks import SEED_ADDRESS, group_of
from vj.presets.prompt_mixing import BLEND_ADDRESS, PADS, PROMPTS, SOLOS, solo_address, text_address, weight_address
from vj.presets.scope_import import TIMELINE_SPELLING, WORKFLOW_FORMAT, WORKFLOW_SPELLING, Spelling
from vj.presets.scope_settings import MODEL_STEPS
from vj.presets.timeline import CHUNK_S, Timeline, TimelineCue

VERSION = "2.1"
WORKFLOW_SUFFIX = ".scope-workflow.json"
WORKFLOW_VERSION = "1.0"
PIPELINE = "reward-forcing"
LAST_S = CHUNK_S  # length of the last entry of a timeline that does not say where it ends
_METHODS = {"": "linear", "linear": "linear", "spherical": "slerp"}


@dataclass(frozen=True)
class _Entry:
    """One stretch with the prompts that are heard in it."""

    start_s: float
    end_s: float
    prompts: tuple[tuple[str, float], ...]  # text and weight 0..1
    chunks: int
    blend: str


def scope_text(timeline: Timeline, is_workflow: bool) -> tuple[str, tuple[str, ...]]:
    """Spell a timeline for Scope; also return a sentence per thing Scope cannot play."""
    timeline = timeline.in_seconds()
    entries, notes = _entries(timeline)
    moment = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
    seed = timeline.seed if timeline.seed is not None else _first_seed(timeline)
    spelled = _workflow(timeline, entries, seed, moment) if is_workflow else _file(timeline, entries, seed, moment)
    return json.dumps(spelled, indent=2, ensure_ascii=False) + "\n", tuple(notes)


def _entries(timeline: Timeline) -> tuple[list[_Entry], list[str]]:
    held: dict[str, Value] = {address: PARAMETERS[address].default for address in (*PROMPTS, *SOLOS, BLEND_ADDRESS)}
    entries: list[_Entry] = []
    cuts: list[str] = []
    left_out: dict[str, None] = {}
    starts = [cue.at for cue in timeline.cues]
    for number, cue in enumerate(timeline.cues):
        held |= {address: value for address, value in cue.values.items() if address in held}
        others = [a for a, value in cue.values.items() if a not in held and a != SEED_ADDRESS and _says(a, value)]
        left_out |= dict.fromkeys(others)
        if cue.cut:
            cuts.append(f"{cue.at:g} s")
        end_s = cue.end if cue.end is not None else _end_s(timeline, starts, number)
        if end_s > cue.at:
            chunks = cue.fade_chunks or (max(1, round(cue.fade / CHUNK_S)) if cue.fade > 0.0 else 0)
            entries.append(_Entry(cue.at, end_s, _heard(held), chunks, _blend(cue, held)))
    notes = [f"Scope has no cuts in a timeline: those at {', '.join(cuts)} are left out"] if cuts else []
    seeds = {value for cue in timeline.cues if (value := cue.values.get(SEED_ADDRESS)) is not None}
    if len(seeds | ({timeline.seed} - {None})) > 1:
        notes.append("Scope's timelines have one seed: later ones are left out")
    if left_out:
        groups = ", ".join(dict.fromkeys(map(group_of, left_out)))
        notes.append(f"Scope's timelines hold prompts alone: values of {groups} are left out")
    return entries, notes


def _says(address: str, value: Value) -> bool:
    """Whether leaving a value out changes anything Scope would show."""
    return value != PARAMETERS[address].default


def _end_s(timeline: Timeline, starts: list[float], number: int) -> float:
    if number + 1 < len(starts):
        return starts[number + 1]
    return timeline.length if timeline.length is not None else starts[number] + LAST_S


def _heard(held: Mapping[str, Value]) -> tuple[tuple[str, float], ...]:
    """Texts with their weights; where pads are soloed only those."""
    soloed = [pad for pad in PADS if held[solo_address(pad)]]
    return tuple(
        (str(held[text_address(pad)]), float(held[weight_address(pad)]))
        for pad in soloed or PADS
        if held[text_address(pad)]
    )


def _blend(cue: TimelineCue, held: Mapping[str, Value]) -> str:
    return _METHODS[cue.fade_blend or str(held[BLEND_ADDRESS])]


def _first_seed(timeline: Timeline) -> int | None:
    seed = timeline.cues[0].values.get(SEED_ADDRESS)
    return None if seed is None else int(seed)


def _spelled(entry: _Entry, spelling: Spelling) -> dict[str, Any]:
    prompts = [{"text": text, "weight": _weight(weight, spelling.full_weight)} for text, weight in entry.prompts]
    return {
        spelling.start: _number(entry.start_s),
        spelling.end: _number(entry.end_s),
        "prompts": prompts,
        spelling.chunks: entry.chunks,
        spelling.method: entry.blend,
    }


def _file(timeline: Timeline, entries: list[_Entry], seed: int | None, moment: str) -> dict[str, Any]:
    settings: dict[str, Any] = {"pipelineId": timeline.model or PIPELINE, "inputMode": "text"}
    if timeline.size is not None:
        settings["resolution"] = {"height": timeline.size[1], "width": timeline.size[0]}
    if seed is not None:
        settings["seed"] = seed
    settings |= {"denoisingSteps": MODEL_STEPS, "manageCache": True, "loras": []}
    return {
        "prompts": [_spelled(entry, TIMELINE_SPELLING) for entry in entries],
        "settings": settings,
        "version": VERSION,
        "exportedAt": moment,
    }


def _workflow(timeline: Timeline, entries: list[_Entry], seed: int | None, moment: str) -> dict[str, Any]:
    params: dict[str, Any] = {"denoising_steps": MODEL_STEPS, "manage_cache": True}
    if timeline.size is not None:
        params |= {"width": timeline.size[0], "height": timeline.size[1]}
    if seed is not None:
        params["base_seed"] = seed
    pipeline = {
        "pipeline_id": timeline.model or PIPELINE,
        "source": {"type": "builtin"},
        "loras": [],
        "params": params,
        "role": "main",
    }
    return {
        "format": WORKFLOW_FORMAT,
        "format_version": WORKFLOW_VERSION,
        "metadata": {"name": timeline.name, "created_at": moment, "scope_version": ""},
        "pipelines": [pipeline],
        "timeline": {"entries": [_spelled(entry, WORKFLOW_SPELLING) for entry in entries]},
    }


def _weight(share: float, full: float) -> float | int:
    """Return the shortest number that is read back as this share: 0.07 of 100 is 7, not 7.000000000000001."""
    for digits in range(17):
        weight = round(share * full, digits)
        if weight / full == share:
            return _number(weight)
    return share * full


def _number(value: float) -> float | int:
    """Write whole numbers without a point, as Scope does."""
    return int(value) if value == int(value) else value
