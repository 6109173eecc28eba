"""What a Scope file says about the machine it was made on: size, seed, steps, pipeline.

What cannot be played here becomes a note. Knows nothing of entries or cues.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.model.step_lists import PUBLISHED_STEPS
from vj.json_fields import JsonFields, JsonTable
from vj.parameters import PARAMETERS
from vj.presets.looks import SEED_ADDRESS

SCHEDULE_START = 1000  # the unwarped schedule counts down from here
MODEL_STEPS = list(PUBLISHED_STEPS)  # what Scope writes for the model's own steps


@dataclass(frozen=True)
class ScopeSettings:
    """Settings in our words."""

    model: str = ""
    size: tuple[int, int] | None = None  # (width, height)
    seed: int | None = None
    notes: tuple[str, ...] = ()  # what was read but is not applied


def timeline_settings(fields: JsonFields, root: JsonTable) -> ScopeSettings:
    """Read `settings` of a timeline file; versions 1.0 have none."""
    table = fields.table("settings", root.get("settings"))
    overrides = fields.table("settings.schemaFieldOverrides", table.get("schemaFieldOverrides"))
    size = fields.table("settings.resolution", table.get("resolution"))
    notes = (
        *_steps_note(fields, "settings.denoisingSteps", table.get("denoisingSteps")),
        *_input_note(fields, "settings.inputMode", table.get("inputMode")),
        *_lora_note(fields, "settings.loras", table.get("loras")),
    )
    seed, seed_notes = _seed(fields, "settings.seed", table.get("seed", overrides.get("base_seed")))
    model = fields.text("settings.pipelineId", table.get("pipelineId"))
    return ScopeSettings(model, _size(fields, "settings.resolution", size), seed, (*seed_notes, *notes))


def workflow_settings(fields: JsonFields, root: JsonTable) -> ScopeSettings:
    """Read the main pipeline of a workflow file."""
    for key, pipeline in fields.tables("pipelines", root.get("pipelines")):
        if pipeline.get("role") not in (None, "main"):
            continue
        params = fields.table(f"{key}.params", pipeline.get("params"))
        steps = params.get("denoising_steps", params.get("denoising_step_list"))
        notes = (
            *_steps_note(fields, f"{key}.params.denoising_steps", steps),
            *_input_note(fields, f"{key}.params.input_mode", params.get("input_mode")),
            *_lora_note(fields, f"{key}.loras", pipeline.get("loras")),
        )
        seed, seed_notes = _seed(fields, f"{key}.params.base_seed", params.get("base_seed", params.get("seed")))
        model = fields.text(f"{key}.pipeline_id", pipeline.get("pipeline_id"))
        return ScopeSettings(model, _size(fields, f"{key}.params", params), seed, (*seed_notes, *notes))
    return ScopeSettings()


def _size(fields: JsonFields, key: str, table: JsonTable) -> tuple[int, int] | None:
    width, height = table.get("width"), table.get("height")
    if width is None or height is None:
        return None
    return fields.whole(f"{key}.width", width), fields.whole(f"{key}.height", height)


def _seed(fields: JsonFields, key: str, seed: object) -> tuple[int | None, tuple[str, ...]]:
    if seed is None:
        return None, ()
    asked = fields.whole(key, seed)
    held = int(PARAMETERS[SEED_ADDRESS].coerce(asked))
    return held, () if held == asked else (f"{key} is {asked}; the largest seed, {held}, is taken",)


def _steps_note(fields: JsonFields, key: str, steps: object) -> tuple[str, ...]:
    if steps is None:
        return ()
    if not isinstance(steps, list):
        fields.refuse(key, "a list of whole numbers", steps)
    listed = [fields.whole(f"{key}[{k}]", step) for k, step in enumerate(steps)]
    if not listed or listed == MODEL_STEPS:
        return ()
    if listed[0] < SCHEDULE_START:
        return (
            f"{key} {listed} begins below {SCHEDULE_START}: it applies only with an input, the model's own steps play",
        )
    return (f"{key} {listed} is not applied: the model's own steps play",)


def _input_note(fields: JsonFields, key: str, mode: object) -> tuple[str, ...]:
    return (f"{key} is video: it was made to play over an input",) if fields.text(key, mode) == "video" else ()


def _lora_note(fields: JsonFields, key: str, loras: object) -> tuple[str, ...]:
    count = len(fields.tables(key, loras))
    return (f"{key}: {count} LoRA{'s' if count > 1 else ''} not applied",) if count else ()
