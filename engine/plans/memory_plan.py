"""How a model is loaded so that it fits: where the text encoder runs, which decoder plays, how wide weights are kept.

Arithmetic alone: nothing is loaded or allocated. Imports no torch.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from engine.model_presets import DecoderPreset, ModelPreset, missing_vace
from engine.plans.needs import (
    FEW_BLENDS,
    GUIDING_STATES,
    KEPT_BLENDS,
    activation_bytes,
    cache_bytes,
    decoder_bytes,
    encoder_state_bytes,
    text_bytes,
    transformer_bytes,
    vace_bytes,
)

TEXT_PLACES = ("auto", "gpu", "cpu", "process")
RESERVE = 0.05  # of the free memory is left to others: the stage draws on the same GPU
CONTEXT_BYTES = 600_000_000  # what CUDA takes for itself, where a GPU is only spoken of
GPU_SIZES_GB = (24, 16, 12, 8)
GIB = 1 << 30
NO_ROOM = "VACE's weights do not fit into the memory beside the rest: choose a smaller --size, or a smaller model"
UNWANTED = "VACE was left out (--no-vace)"
HALF = "VACE takes the whole picture: it was left out (--half-decode)"
SMALLER_SIZES = ((832, 480), (640, 384), (576, 320), (448, 256), (320, 192))


@dataclass(frozen=True)
class MemoryChoice:
    """What a person asks for: where things run, how much memory the engine may take, what is left out."""

    text_place: str = "auto"  # one of TEXT_PLACES
    limit_gb: float | None = None  # in 10^9 bytes; None = what is free
    with_vace: bool = True  # where a model has it
    decoder_device: str = ""  # one of its own for the autoencoder, such as cuda:1; empty = beside the model
    is_half: bool = False  # pictures have half the height and width; only a tiny autoencoder makes them


NOTHING_SAID = MemoryChoice()


@dataclass(frozen=True)
class MemoryPlan:
    """What is to be loaded, and how. `needs` are bytes on the device by part; `free_bytes` 0 = nobody counts them."""

    text_place: str = "gpu"  # where the text encoder runs: "gpu", "cpu" (this process) or "process" (one of its own)
    is_text_float8: bool = False  # a wide file's weights are stored in float8
    is_light: bool = False  # the light decoder plays, or the one there is if that is tiny; a latent frame at a time
    is_float8: bool = False  # the transformer's blocks, and VACE's, are stored in float8
    kept_blends: int = KEPT_BLENDS  # of prompts, beside the one in use: a cut back to one of them costs nothing
    decoder_device: str = ""  # of its own, for the autoencoder: nothing of it is in `needs` then
    is_half: bool = False  # pictures have half the height and width
    vace_note: str = "VACE was not asked for"  # why it is not loaded; empty when it is
    size: tuple[int, int] = (0, 0)
    free_bytes: int = 0
    needs: tuple[tuple[str, int], ...] = ()
    advice: str = ""  # what to do when it does not fit

    @property
    def needed_bytes(self) -> int:
        """All of it, on the device."""
        return sum(part for _, part in self.needs)

    @property
    def fits(self) -> bool:
        """Whether the device has that much, and a little for others."""
        return not self.free_bytes or self.needed_bytes <= self.free_bytes * (1 - RESERVE)

    @property
    def has_vace(self) -> bool:
        """Whether VACE's weights are loaded."""
        return not self.vace_note

    def decoder(self, preset: ModelPreset) -> DecoderPreset:
        """The decoder that plays."""
        return preset.light_decoder if self.is_light and preset.light_decoder else preset.decoder

    @property
    def words(self) -> str:
        """The plan in a line: "needs 9.2 GB at 832x480 (transformer 2.8, ..); text encoder in a process of its own"."""
        parts = ", ".join(f"{name} {part / 1e9:.1f}" for name, part in self.needs if part >= 5e7)
        parts = f" ({parts})" if parts else ""  # none of a small model's is worth a word
        width, height = self.size
        free = f" of {self.free_bytes / 1e9:.1f} free" if self.free_bytes else ""
        line = f"needs {self.needed_bytes / 1e9:.1f} GB{free} at {width}x{height}{parts}; {self.choices}"
        return f"{line}. {self.advice}" if self.advice else line

    @property
    def choices(self) -> str:
        """What was chosen, in words."""
        place = {"gpu": "on the GPU", "cpu": "on the CPU", "process": "on the CPU in a process of its own"}
        chosen = [f"text encoder {place[self.text_place]}{' in float8' if self.is_text_float8 else ''}"]
        chosen += ["light decoder"] if self.is_light else []
        chosen += ["decoded at half the size"] if self.is_half else []
        chosen += [f"decoder on {self.decoder_device}"] if self.decoder_device else []
        chosen += ["transformer in float8"] if self.is_float8 else []
        chosen += ["without VACE"] if self.vace_note == NO_ROOM else []
        return ", ".join(chosen)


def plan(
    preset: ModelPreset,
    size: tuple[int, int],
    free_bytes: int,
    *,
    device: str = "cuda",
    number_bytes: int = 2,
    has_files: bool = False,
    wanted: MemoryChoice = NOTHING_SAID,
) -> MemoryPlan:
    """Choose how to load `preset` at `size` (width, height) into `free_bytes` of the device's memory; 0 = no limit.

    The first of the steps that fits, best picture and fastest prompts first; the last with advice where none does.
    A text place other than "auto" is obeyed; light decoder and VACE count where their files are here, or with
    `has_files`. On device "cpu" weights stay mapped files and nothing is given up.
    """
    text_place = wanted.text_place
    first = MemoryPlan(
        size=size,
        free_bytes=free_bytes,
        vace_note=_vace_note(preset, has_files, wanted),
        decoder_device=wanted.decoder_device,
        is_half=wanted.is_half,
    )
    if device == "cpu":
        place = "process" if text_place == "process" else "cpu"
        return _counted(preset, dataclasses.replace(first, text_place=place), number_bytes)
    steps = [_counted(preset, step, number_bytes) for step in _steps(preset, first, text_place, has_files)]
    chosen = next((step for step in steps if step.fits), steps[-1])
    if chosen.fits:
        return chosen
    return dataclasses.replace(chosen, advice=_advice(preset, chosen, number_bytes))


def plans_by_gpu(preset: ModelPreset, size: tuple[int, int]) -> list[tuple[int, MemoryPlan]]:
    """The plans for empty GPUs of 24, 16, 12 and 8 GB, with every file of the preset."""
    free = [(gb, gb * GIB - CONTEXT_BYTES) for gb in GPU_SIZES_GB]
    return [(gb, plan(preset, size, free_bytes, has_files=True)) for gb, free_bytes in free]


def _vace_note(preset: ModelPreset, has_files: bool, wanted: MemoryChoice) -> str:
    if not wanted.with_vace or wanted.is_half:
        return HALF if wanted.with_vace else UNWANTED
    return "" if has_files and preset.vace else missing_vace(preset)


def _steps(preset: ModelPreset, first: MemoryPlan, text_place: str, has_files: bool) -> list[MemoryPlan]:
    """Every way to load it, the one that gives up least first."""
    is_umt5 = preset.text.kind == "umt5"
    whole = dataclasses.replace(first, text_place="gpu" if is_umt5 else "cpu")
    texts = [whole]
    if is_umt5:
        if not text_bytes(preset.text)[1]:
            texts.append(dataclasses.replace(whole, is_text_float8=True))
        texts.append(dataclasses.replace(whole, text_place="process"))
        if text_place != "auto":
            texts = [step for step in texts if step.text_place == text_place] or [
                dataclasses.replace(whole, text_place=text_place)
            ]
    steps = list(texts)
    is_there = preset.light_decoder is not None and (has_files or preset.light_decoder.file.exists())
    if is_there or preset.decoder.kind == "tiny_vae":
        steps.append(dataclasses.replace(texts[-1], is_light=True))
    steps.append(dataclasses.replace(steps[-1], is_float8=True, kept_blends=FEW_BLENDS))
    if first.has_vace:
        steps.append(dataclasses.replace(steps[-1], vace_note=NO_ROOM))
    return steps


def _counted(preset: ModelPreset, step: MemoryPlan, number_bytes: int) -> MemoryPlan:
    config, size = preset.transformer, step.size
    encoder_bytes, is_float8 = text_bytes(preset.text)
    if step.is_text_float8 and not is_float8:
        encoder_bytes //= 2
    frames = 1 if step.is_light else config.chunk_frames
    decoder = step.decoder(preset)
    stored = {"is_float8": step.is_float8, "is_copied": preset.acceleration.linears != "exact" and not step.is_float8}
    guiding = vace_bytes(preset.guided, number_bytes, blends=step.kept_blends, **stored)
    carried = 0 if step.decoder_device else encoder_state_bytes(decoder, size, number_bytes)
    decoding = 0 if step.decoder_device else decoder_bytes(decoder, size, number_bytes, latent_frames=frames)
    guiding += GUIDING_STATES * carried
    needs = (
        ("transformer", transformer_bytes(config, number_bytes, **stored)),
        ("VACE", guiding if step.has_vace else 0),
        ("text encoder", encoder_bytes if step.text_place == "gpu" else 0),
        ("keys and values", cache_bytes(config, size, number_bytes, step.kept_blends)),
        ("decoder", decoding),
        ("video in", carried),
        ("in between", activation_bytes(config, size, number_bytes)),
    )
    return dataclasses.replace(step, needs=needs)


def _advice(preset: ModelPreset, chosen: MemoryPlan, number_bytes: int) -> str:
    """The largest common size that fits with everything given up."""
    area = chosen.size[0] * chosen.size[1]
    for size in SMALLER_SIZES:
        smaller = _counted(preset, dataclasses.replace(chosen, size=size), number_bytes)
        if size[0] * size[1] < area and smaller.fits:
            return f"That is more than is free: --size {size[0]}x{size[1]} fits ({smaller.needed_bytes / 1e9:.1f} GB)"
    return "That is more than is free at any size: close other programs, or choose a smaller model"
