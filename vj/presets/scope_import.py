"""Timelines of Daydream Scope: its JSON of versions 1.0 to 2.1 and the timeline inside its workflow files.

Unknown keys are passed over, as in Scope; a known key of a wrong type is one sentence. Knows nothing of playing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from engine.parameter import Value
from engine.params import PROMPT_PADS
from vj.json_fields import JsonFields, JsonTable, read_json
from vj.presets.prompt_mixing import PADS, text_address, weight_address
from vj.presets.scope_settings import ScopeSettings, timeline_settings, workflow_settings
from vj.presets.timeline import CHUNK_S, LONGEST_S, Timeline, TimelineCue
from vj.written_files import FileError

WORKFLOW_FORMAT = "scope-workflow"
LONGEST_FADE_CHUNKS = int(LONGEST_S / CHUNK_S)
_BLENDS = {"": "linear", "linear": "linear", "slerp": "spherical"}


@dataclass(frozen=True)
class Spelling:
    """The same entry, spelled in two ways."""

    start: str
    end: str
    chunks: str
    method: str
    full_weight: float


TIMELINE_SPELLING = Spelling("startTime", "endTime", "transitionSteps", "temporalInterpolationMethod", 100.0)
WORKFLOW_SPELLING = Spelling("start_time", "end_time", "transition_steps", "temporal_interpolation_method", 1.0)


@dataclass(frozen=True)
class _Entry:
    """One stretch of the timeline with its prompts, weights 0..1."""

    start_s: float
    end_s: float
    prompts: tuple[tuple[str, float], ...]
    fade_chunks: int
    fade_blend: str


def load_scope_timeline(path: Path) -> Timeline:
    """Read a timeline or workflow file. Raises FileError with file, key and value."""
    root = read_json(path)
    fields = JsonFields(path)
    if isinstance(root, dict) and root.get("format") == WORKFLOW_FORMAT:
        settings = workflow_settings(fields, root)
        timeline = fields.table("timeline", root.get("timeline"))
        if not timeline:
            return _still(fields, root, settings)
        return _Entries(fields, WORKFLOW_SPELLING).timeline("timeline.entries", timeline.get("entries"), settings)
    if isinstance(root, dict) and "prompts" in root:
        return _Entries(fields, TIMELINE_SPELLING).timeline("prompts", root["prompts"], timeline_settings(fields, root))
    raise FileError(path, f'is no Scope timeline: it has neither "prompts" nor "format": "{WORKFLOW_FORMAT}"')


def _still(fields: JsonFields, root: JsonTable, settings: ScopeSettings) -> Timeline:
    """Play the prompts of a workflow that has no timeline."""
    reader = _Entries(fields, WORKFLOW_SPELLING)
    prompts = reader.prompts("", {"prompts": root.get("prompts")})
    if not prompts:
        raise FileError(fields.path, "is a workflow with neither a timeline nor prompts")
    return _timeline(fields.path, (TimelineCue(0.0, _pad_values(prompts)),), None, settings, reader.notes)


class _Entries:
    """Reads the list of entries, in either spelling."""

    def __init__(self, fields: JsonFields, spelling: Spelling) -> None:
        self.notes: list[str] = []
        self._fields = fields
        self._spelling = spelling

    def timeline(self, key: str, entries: object, settings: ScopeSettings) -> Timeline:
        if entries is None:
            self._fields.refuse(key, "a list", entries)
        read = [self._entry(at, table) for at, table in self._fields.tables(key, entries)]
        cues: list[TimelineCue] = []
        reached_s = 0.0
        for entry in sorted(read, key=lambda entry: entry.start_s):
            # Scope plays the first entry a moment lies in, so an entry begins where the one before it ends
            begin_s = max(entry.start_s, reached_s)
            if entry.end_s <= begin_s:
                continue
            if cues and (begin_s > reached_s or not entry.prompts):
                cues[-1] = replace(cues[-1], end=cues[-1].end or reached_s)
            reached_s = entry.end_s
            if entry.prompts:  # without one the prompt before it goes on, as in a gap
                values = _pad_values(entry.prompts)
                fade_chunks, fade_blend = entry.fade_chunks, entry.fade_blend
                cues.append(TimelineCue(begin_s, values, fade_chunks=fade_chunks, fade_blend=fade_blend))
        if cues and cues[-1].end == reached_s:
            cues[-1] = replace(cues[-1], end=None)
        if not cues:
            raise FileError(self._fields.path, f"{key} has no entry with a text and a length")
        return _timeline(self._fields.path, tuple(cues), reached_s, settings, self.notes)

    def _entry(self, at: str, table: JsonTable) -> _Entry:
        spelling, fields = self._spelling, self._fields
        start_s = fields.number(f"{at}.{spelling.start}", table.get(spelling.start))
        end_s = fields.number(f"{at}.{spelling.end}", table.get(spelling.end))
        if end_s < start_s:
            fields.refuse(f"{at}.{spelling.end}", f"{start_s:g} or more, where the entry starts", end_s)
        method = fields.text(f"{at}.{spelling.method}", table.get(spelling.method))
        if method not in _BLENDS:
            fields.refuse(f"{at}.{spelling.method}", "linear or slerp", method)
        chunks = fields.whole(f"{at}.{spelling.chunks}", table.get(spelling.chunks) or 0)
        if chunks > LONGEST_FADE_CHUNKS:
            fields.refuse(f"{at}.{spelling.chunks}", f"at most {LONGEST_FADE_CHUNKS}, a day", chunks)
        return _Entry(start_s, end_s, self.prompts(f"{at}.", table), chunks, _BLENDS[method] if chunks else "")

    def prompts(self, prefix: str, table: JsonTable) -> tuple[tuple[str, float], ...]:
        """Return texts and weights 0..1, at most one per pad; version 1.0 has a single `text`.

        Weights stay as written, as shares of the full weight; only where one is above it all are scaled down.
        """
        lines = table.get("prompts")
        if not lines:
            text = self._fields.text(f"{prefix}text", table.get("text"))
            return ((text, 1.0),) if text else ()
        if not isinstance(lines, list):
            self._fields.refuse(f"{prefix}prompts", "a list", lines)
        found = [self._prompt(f"{prefix}prompts[{k}]", line) for k, line in enumerate(lines)]
        found = [(text, weight) for text, weight in found if text]
        if len(found) > PROMPT_PADS:
            self.notes.append(f"{prefix}prompts: {len(found)} prompts; the {PROMPT_PADS} heaviest play")
            heaviest = sorted(range(len(found)), key=lambda k: -found[k][1])[:PROMPT_PADS]
            found = [found[k] for k in sorted(heaviest)]
        if not any(weight for _, weight in found):
            return tuple((text, 1.0) for text, _ in found)
        full = max(self._spelling.full_weight, *(weight for _, weight in found))
        return tuple((text, weight / full) for text, weight in found)

    def _prompt(self, key: str, line: object) -> tuple[str, float]:
        if isinstance(line, str):
            return line.strip(), self._spelling.full_weight
        table = self._fields.table(key, line)
        weight = table.get("weight", self._spelling.full_weight)
        return self._fields.text(f"{key}.text", table.get("text")), self._fields.number(f"{key}.weight", weight)


def _timeline(
    path: Path, cues: tuple[TimelineCue, ...], length_s: float | None, settings: ScopeSettings, notes: list[str]
) -> Timeline:
    name = path.name.split(".")[0]
    return Timeline(name, cues, length_s, settings.seed, settings.size, settings.model, (*settings.notes, *notes))


def _pad_values(prompts: tuple[tuple[str, float], ...]) -> dict[str, Value]:
    """Lay prompts on the pads from the first on; the pads left over fall silent."""
    values: dict[str, Value] = {}
    for pad in PADS:
        text, weight = prompts[pad - 1] if pad <= len(prompts) else ("", 0.0)
        values[text_address(pad)] = text
        values[weight_address(pad)] = weight
    return values
