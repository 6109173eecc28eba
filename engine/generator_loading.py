"""From a model preset to a generator that plays it: what is chosen, planned and loaded on the way."""

from __future__ import annotations

import logging

import torch

from engine.attention.cpu_products import PRODUCTS
from engine.cuda_graphs.warm_up import warm_up
from engine.frame_size import check_size
from engine.generator import Generator
from engine.kernels.choice import prepare_model
from engine.kernels.compiled_block import compile_blocks
from engine.loading import choose_device, choose_dtype, device_name, load_model, plan_loading
from engine.model.config import LATENT_STRIDE
from engine.model.transformer import CausalWanTransformer
from engine.model_presets import ModelPreset
from engine.plans.loading_progress import Tell
from engine.plans.machine_speed import is_bfloat16_native, machine_speed
from engine.plans.memory_plan import MemoryChoice
from engine.schedule import Schedule

ROOM = 1.15  # times the content rate: a window that is drawn by the same processor takes memory's time
_LOG = logging.getLogger(__name__)


def size_for_cpu(preset: ModelPreset, dtype: str, threads: int, tell: Tell | None = None) -> tuple[int, int] | None:
    """The size to play a preset at live on this machine's CPU; None = the preset's own. `tell` hears why it is not."""
    stream = preset.stream
    if stream.small_size is None:
        return None
    number_type = str(choose_dtype(dtype, torch.device("cpu"))).removeprefix("torch.")
    made_fps = machine_speed().fps(number_type, threads)
    if made_fps >= ROOM * stream.rate_fps:
        return None
    width, height = stream.small_size
    sentence = (
        f"{preset.name} plays at {width}x{height}: at {stream.width}x{stream.height} this machine makes about "
        f"{made_fps:.0f} frames a second in {number_type}; --size {stream.width}x{stream.height} has it all the same"
    )
    _LOG.info("%s", sentence)
    if tell is not None:
        tell(sentence)
    return stream.small_size


def load_generator(
    preset: ModelPreset,
    *,
    width: int | None = None,
    height: int | None = None,
    device: str = "auto",
    dtype: str = "auto",
    threads: int | None = None,
    memory: MemoryChoice | None = None,
    tell: Tell | None = None,
) -> Generator:
    """Load a preset's weights; sizes in pixels, None = the model's own; `threads` are for the CPU.

    Raises CheckpointError or ValueError with a sentence. `device` and `dtype` are names of `engine.loading`;
    `tell` hears how it is loaded so that it fits the memory, and how far that is.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    chosen = choose_device(device)
    number_type = choose_dtype(dtype, chosen)
    PRODUCTS.is_on = _attends_by_products(chosen, number_type)
    stream = preset.stream
    size = (width or stream.width, height or stream.height)
    check_size(*size)
    memory_plan = plan_loading(preset, size, chosen, number_type, memory or MemoryChoice())
    _LOG.info("%s on %s: %s", preset.name, device_name(chosen), memory_plan.words)
    if tell is not None:
        tell(f"{preset.name} {memory_plan.words}")
    parts = load_model(preset, memory_plan, chosen, number_type, tell)
    _prepare(parts.transformer, preset, size, tell)
    loaded = Generator(
        parts.transformer,
        parts.decoder,
        parts.text_encoder,
        name=preset.name,
        size=size,
        rate_fps=stream.rate_fps,
        timesteps=stream.warped_steps or Schedule(preset.transformer.timestep_shift).warp(stream.steps),
        acceleration=preset.acceleration,
    )
    if memory_plan.is_half:
        loaded.width, loaded.height = size[0] // 2, size[1] // 2
    loaded.hold_colours(stream.anchor)
    loaded.keep_blends(memory_plan.kept_blends)
    if memory_plan.decoder(preset).kind == "wan_vae":  # a tiny one on a GPU takes no time worth parting
        loaded.handing_over.shows_parts = True
    loaded.flavour, loaded.vace_note = parts.flavour, parts.vace_note
    if chosen.type == "cuda" and preset.acceleration.graphs:
        if tell is not None:
            tell(f"{preset.name} warms up")
        warm_up(loaded, preset.transformer.window_frames)
    return loaded


def _attends_by_products(device: torch.device, number_type: torch.dtype) -> bool:
    is_usable = device.type == "cpu" and number_type == torch.bfloat16 and is_bfloat16_native()
    return is_usable and machine_speed().has_fast_products


def _prepare(model: CausalWanTransformer, preset: ModelPreset, size: tuple[int, int], tell: Tell | None) -> None:
    """Let a loaded transformer be computed as the preset asks, for pictures of `size`; `tell` hears what cannot be."""
    width, height = (side // LATENT_STRIDE for side in size)
    notes = list(prepare_model(model, preset.acceleration, (height, width)).notes)
    if preset.acceleration.compile:
        if tell is not None:
            tell(f"{preset.name} is compiled, which takes a minute")
        notes.append(compile_blocks(model, preset.transformer.tokens_per_frame(height, width)))
    for note in filter(None, notes):
        _LOG.warning("%s: %s", preset.name, note)
        if tell is not None:
            tell(f"{preset.name}: {note}")
