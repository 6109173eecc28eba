"""What the performer sets about the engine itself, declared once. Knows nothing of the engine."""

from __future__ import annotations

from engine.parameter import Parameter

MODEL_ADDRESS = "/vj/engine/model"
RESTORE_ADDRESS = "/vj/engine/restore"

ENGINE_SETTINGS: tuple[Parameter, ...] = (
    Parameter(
        MODEL_ADDRESS,
        "text",
        "",
        "Model to play, by name or file: it loads beside the one that plays and takes over. Empty = leave it.",
        clock="frame",
    ),
)
ENGINE_TRIGGERS: tuple[Parameter, ...] = (
    Parameter(
        RESTORE_ADDRESS,
        "trigger",
        False,
        "Go back to the full picture size after memory was full.",
        clock="frame",
    ),
)
