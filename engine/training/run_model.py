"""Stage `model`: a preset in the run's folder, so that later stages see through the run's own autoencoder and texts.

`vj run --model OUT/model.toml` plays it, also while a stage is still training its transformer.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from engine.model_presets import PresetError, list_presets, load_preset
from engine.training.stage import Job

FILE = "model.toml"


@dataclass(frozen=True)
class RunModelSettings:
    """Stage `model`. Files lie in the run's folder; an empty one stays the base's."""

    base: str = "ember"  # a preset's name
    file: str = FILE  # written in the run's folder; another name beside it for another transformer
    transformer: str = "ode/generator.safetensors"
    autoencoder: str = "autoencoder.safetensors"
    text: str = "text.safetensors"


def write_run_model(settings: RunModelSettings, folder: Path) -> None:
    """Write the base's preset with the run's files in place of its own."""
    text = list_presets()[settings.base].read_text("utf-8")
    table = tomllib.loads(text)
    wanted = {"transformer": settings.transformer, "decoder": settings.autoencoder, "text": settings.text}
    for part, file in wanted.items():
        if file:
            text = text.replace(f'file = "{table[part]["file"]}"', f'file = "{file}"')
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{settings.file}.partial"
    partial.write_text(text, "utf-8")
    partial.replace(folder / settings.file)


def _missing(settings: RunModelSettings, folder: Path) -> list[str]:
    try:
        load_preset(settings.base)
    except PresetError as error:
        return [f"base: {error}"]
    return []  # its files may come later


STAGE = Job(RunModelSettings, write_run_model, _missing)
