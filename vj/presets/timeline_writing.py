"""Timelines as TOML that reads back as the same timeline, and as lines for the terminal.

Knows nothing of playing.
"""

from __future__ import annotations

from pathlib import Path

import tomlkit

from vj.parameters import PARAMETERS
from vj.presets.prompt_mixing import PADS, TEXTS, WEIGHTS, text_address, weight_address
from vj.presets.scope_export import WORKFLOW_SUFFIX, scope_text
from vj.presets.timeline import DEFAULT_BEATS_PER_BAR, Timeline, TimelineCue
from vj.written_files import FileError, write_text


def convert_timeline(timeline: Timeline, out: Path) -> tuple[str, ...]:
    """Write a timeline in the format its new name asks for: .toml ours, .json Scope's, .scope-workflow.json a workflow.

    Returns sentences on what the format cannot hold. Raises FileError.
    """
    suffix = out.suffix.lower()
    if suffix == ".toml":
        text, notes = timeline_text(timeline), timeline.notes
    elif suffix == ".json":
        text, notes = scope_text(timeline, out.name.lower().endswith(WORKFLOW_SUFFIX))
        notes = (*timeline.notes, *notes)
    else:
        raise FileError(out, "a timeline's name ends in .toml (ours) or .json (Scope's)")
    write_text(out, text)
    return notes


def cue_line(cue: TimelineCue, unit: str) -> str:
    """Tell a cue in one line: when, which texts with which weights, and what else it moves from its default."""
    words = [f"{cue.at:8.2f} {unit}"]
    for pad in PADS:
        text, weight = cue.values.get(text_address(pad)), cue.values.get(weight_address(pad), 1.0)
        if text and weight:
            words.append(f"{pad}: {text!r} {float(weight):.2f} ")
    moved = {a: v for a, v in cue.values.items() if a not in TEXTS and v != PARAMETERS[a].default}
    moved = {a: v for a, v in moved.items() if not (a in WEIGHTS and a.replace("weight", "text") in cue.values)}
    words += [f"{address} = {value!r}" for address, value in moved.items()]
    if cue.fade or cue.fade_chunks:
        words.append(f"over {cue.fade_chunks} chunks" if cue.fade_chunks else f"over {cue.fade:g} {unit}")
    return "  ".join((*words, f"{cue.cut} cut" if cue.cut else "")).rstrip()


def timeline_text(timeline: Timeline) -> str:
    """Spell a timeline as TOML. Looks were read already: their values are written out."""
    file = tomlkit.document()
    file.add("name", timeline.name)
    if timeline.description:
        file.add("description", timeline.description)
    file.add("unit", timeline.unit)
    if timeline.unit != "seconds":
        file.add("tempo_bpm", timeline.tempo_bpm)
    if timeline.beats_per_bar != DEFAULT_BEATS_PER_BAR:
        file.add("beats_per_bar", timeline.beats_per_bar)
    for key, value in (("seed", timeline.seed), ("length", timeline.length)):
        if value is not None:
            file.add(key, value)
    if timeline.size is not None:
        file.add("size", list(timeline.size))
    if timeline.model:
        file.add("model", timeline.model)
    cues = tomlkit.aot()
    for cue in timeline.cues:
        cues.append(_cue_table(cue))
    file.add("cues", cues)
    return tomlkit.dumps(file)


def _cue_table(cue: TimelineCue) -> tomlkit.items.Table:
    table = tomlkit.table()
    table.add("at", cue.at)
    if cue.end is not None:
        table.add("end", cue.end)
    for key, value in (("fade", cue.fade), ("fade_chunks", cue.fade_chunks), ("fade_blend", cue.fade_blend)):
        if value:
            table.add(key, value)
    if cue.cut:
        table.add("cut", cue.cut)
    if cue.values:
        table.add("values", dict(cue.values))
    return table
