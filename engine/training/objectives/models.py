"""Transformers, text encoders and decoders of training: model presets, weights in published layouts, latent spaces.

Knows nothing of losses.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from torch import nn

from engine.checkpoints import load_into, read_checkpoint
from engine.downloads.catalogue import PREFIX
from engine.downloads.places import resolve
from engine.frame_size import check_size
from engine.loading import choose_device, choose_dtype, load_decoder, load_text_encoder
from engine.model.config import LATENT_STRIDE
from engine.model.transformer import CausalWanTransformer, initialise
from engine.model_presets import ModelPreset, PresetError, load_preset
from engine.text.prompts import TextEncoder
from engine.text.umt5 import load_umt5

TRAINING_MODELS = Path(__file__).parents[1] / "models"  # models to train from, which do not play
FRESH = "fresh"
PRESET = "preset:"  # of `start_from`: the file another model plays
_INDEX = ".index.json"
_CPU = torch.device("cpu")


def model_preset(name: str) -> ModelPreset:
    """A model by NAME, FILE.toml or DIR; names of training's own models too. Raises PresetError (a ValueError)."""
    own = TRAINING_MODELS / f"{name}.toml"
    return load_preset(str(own) if own.is_file() else name)


def weights_file(preset: ModelPreset, start_from: str, folder: Path) -> Path:
    """Where weights come from: "" = the preset's own file, `preset:NAME`, `models:..`, a file in `folder` or anywhere.

    Raises PresetError for an unknown NAME.
    """
    if start_from.startswith(PRESET):
        path = model_preset(start_from.removeprefix(PRESET)).transformer_file
    elif start_from.startswith(PREFIX):
        path = resolve(start_from)
    else:  # an absolute path wins over the folder
        path = folder / start_from if start_from else preset.transformer_file
    return path.parent if path.name.endswith(_INDEX) else path


def missing_model(role: str, name: str, start_from: str, folder: Path) -> list[str]:
    """A sentence per thing that is wrong with a model of the settings; only looks."""
    try:
        preset = model_preset(name)
    except PresetError as error:
        return [f"{role}: {error}"]
    if start_from == FRESH:
        return []
    try:
        file = weights_file(preset, start_from, folder)
    except PresetError as error:
        return [f"{role}: start_from = {start_from!r}: {error}"]
    if file.exists():
        return []
    is_own = bool(start_from) and not start_from.startswith(PREFIX)
    hint = "an earlier stage writes it" if is_own else "`vj models list` tells how published files are fetched"
    return [f"{role}: {file}: there is no such file; {hint}"]


def load_transformer(name: str, start_from: str, folder: Path, seed: int = 0) -> CausalWanTransformer:
    """A transformer in float32 on the CPU; "fresh" weights come from the seed. Raises CheckpointError."""
    preset = model_preset(name)
    if start_from == FRESH:
        model = CausalWanTransformer(preset.transformer)
        initialise(model, torch.Generator().manual_seed(seed))
        return model
    with torch.device("meta"):
        model = CausalWanTransformer(preset.transformer)
    averaged = preset.averaged and not start_from  # what the preset says of its own file
    load_into(model, read_checkpoint(weights_file(preset, start_from, folder), averaged=averaged), device=_CPU)
    return model


def load_pixels(preset: ModelPreset) -> nn.Module:
    """The decoder of a model, float32, on the CPU. Raises CheckpointError."""
    decoder = load_decoder(preset.decoder, _CPU, torch.float32)
    assert isinstance(decoder, nn.Module), "every decoder is a module"
    return decoder


def load_texts(preset: ModelPreset) -> TextEncoder:
    """The text encoder of a model: a small one on the CPU, a large one on the GPU where there is one.

    Raises CheckpointError.
    """
    text = preset.text
    if text.kind != "umt5":
        return load_text_encoder(preset, _CPU, torch.float32)
    assert text.tokenizer is not None, "a preset of kind umt5 names a tokenizer"
    device = choose_device("auto")
    return load_umt5(text.file, text.tokenizer, preset.transformer.text_len, device, choose_dtype("auto", device))


def latent_size(width: int, height: int) -> tuple[int, int]:
    """(h, w) of latents of a picture in pixels. Raises ValueError for sizes that are not divisible by 16."""
    check_size(width, height)
    return height // LATENT_STRIDE, width // LATENT_STRIDE


def latent_space(preset: ModelPreset) -> str:
    """What a model's latents mean, as a name: equal for models that may teach each other."""
    decoder = preset.decoder
    plain = type(decoder)(decoder.kind, decoder.file)
    if decoder.kind == "wan_vae" or decoder.has_latent_statistics or decoder == plain:  # the published ones' sizes
        return f"Wan2.1's ({preset.transformer.in_dim} channels)"
    digest = ""
    if decoder.file.is_file():
        digest = f", {hashlib.sha256(decoder.file.read_bytes()).hexdigest()[:8]}"
    return f"that of {decoder.file.name}{digest} ({preset.transformer.in_dim} channels)"


def misfits(role: str, teacher: str, student: str) -> list[str]:
    """Sentences on why one model cannot teach another: its latents or its texts are others."""
    try:
        ours, theirs = model_preset(student), model_preset(teacher)
    except PresetError:
        return []  # told by missing_model
    problems = []
    if latent_space(ours) != latent_space(theirs):
        problems.append(
            f"{role} = {teacher!r} works in another latent space, {latent_space(theirs)}; "
            f"{student!r} works in {latent_space(ours)}"
        )
    texts = [(preset.transformer.text_len, preset.transformer.text_dim) for preset in (ours, theirs)]
    if texts[0] != texts[1]:
        problems.append(
            f"{role} = {teacher!r} reads texts as {texts[1][0]} rows of {texts[1][1]}, {student!r} as {texts[0][0]} "
            f"rows of {texts[0][1]}"
        )
    return problems
