"""From a model preset to modules with weights on a device. Knows nothing of streams or prompts' meaning."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import nn

from engine.checkpoints import MAPPED_BYTES, Checkpoint, CheckpointError, load_into, read_checkpoint
from engine.model.cast_linear import FLOAT8, narrow_linears
from engine.model.transformer import CausalWanTransformer
from engine.model_presets import DecoderPreset, ModelPreset
from engine.plans.loading_progress import LoadingProgress, Tell
from engine.plans.machine_speed import is_bfloat16_native, machine_speed
from engine.plans.memory_plan import MemoryChoice, MemoryPlan, plan
from engine.text.encoder_process import EncoderProcess
from engine.text.kept_embeddings import KeptEmbeddings, embeddings_folder, fingerprint
from engine.text.ngram import NgramConfig, NgramEncoder
from engine.text.prompts import TextEncoder
from engine.text.umt5 import check_umt5, load_umt5
from engine.vace.weights import base_weights, check_layers, vace_weights
from engine.vae.frame_by_frame import FrameByFrame
from engine.vae.half_size import HalfSize
from engine.vae.latents import StreamingAutoencoder
from engine.vae.second_device import OnDevice
from engine.vae.tiny_vae import TinyVae, TinyVaeConfig, load_tiny_vae
from engine.vae.wan_vae import WanVae, WanVaeConfig

Module = TypeVar("Module", bound=nn.Module)
Advance = Callable[[int], None]  # told bytes that are in place
LARGEST_BYTES = 1 << 60
_LOG = logging.getLogger(__name__)
NUMBER_TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True)
class LoadedModel:
    """What a generator plays with; `flavour` is that of the transformer's file, `vace_note` why it cannot be guided."""

    transformer: CausalWanTransformer
    decoder: StreamingAutoencoder
    text_encoder: TextEncoder
    flavour: str
    vace_note: str


def choose_device(name: str) -> torch.device:
    """The device of a name: "auto" takes CUDA where there is one. Raises ValueError when a named one is missing."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError("device 'cuda' was asked for, but no NVIDIA GPU can be used here; choose 'cpu' or 'auto'")
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ValueError(f"device {name!r} was asked for, but there are {torch.cuda.device_count()} NVIDIA GPUs here")
    return device


def device_name(device: torch.device) -> str:
    """What the device is called: a GPU by its make."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def choose_dtype(name: str, device: torch.device) -> torch.dtype:
    """The number type of a name: "auto" is bfloat16 where the processor multiplies it natively, float32 elsewhere.

    On CPUs that do not, bfloat16 is slower than float32: 1.2 to 6.6 times, measured. Where one does, both are
    measured on this machine (`machine_speed`): with AVX-512 BF16 it has been found twice as fast, and slower.
    """
    if name != "auto":
        return NUMBER_TYPES[name]
    if device.type == "cuda":
        return torch.bfloat16
    return NUMBER_TYPES[machine_speed().number_type] if is_bfloat16_native() else torch.float32


def plan_loading(
    preset: ModelPreset, size: tuple[int, int], device: torch.device, dtype: torch.dtype, wanted: MemoryChoice
) -> MemoryPlan:
    """How to load a preset at `size` (width, height), by what is free on the device now."""
    free_bytes = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else 0
    if wanted.limit_gb is not None:
        free_bytes = min(free_bytes or LARGEST_BYTES, int(wanted.limit_gb * 1e9))
    return plan(
        preset,
        size,
        free_bytes,
        device=device.type,
        number_bytes=dtype.itemsize,
        wanted=wanted,
    )


def load_model(
    preset: ModelPreset, memory: MemoryPlan, device: torch.device, dtype: torch.dtype, tell: Tell | None = None
) -> LoadedModel:
    """Everything of a preset, as the plan says; `tell` hears how far it is. Raises CheckpointError or ValueError."""
    decoder = memory.decoder(preset)
    files = [preset.transformer_file, decoder.file]
    files += [preset.text.file] if memory.text_place != "process" else []
    files += [preset.vace.file] if memory.has_vace and preset.vace.file != preset.transformer_file else []
    progress = LoadingProgress(preset.name, files, tell)
    progress.begin("transformer")
    transformer, flavour = load_transformer(preset, device, dtype, is_float8=memory.is_float8, advance=progress.advance)
    vace_note = memory.vace_note
    if memory.has_vace:
        progress.begin("VACE")
        try:
            transformer = with_vace(
                transformer, preset, device, dtype, is_float8=memory.is_float8, advance=progress.advance
            )
        except CheckpointError as error:  # the model plays without
            vace_note = str(error)
            _LOG.warning("%s plays without VACE: %s", preset.name, vace_note)
    progress.begin("decoder")
    at = choose_device(memory.decoder_device) if memory.decoder_device else device
    vae = load_decoder(decoder, at, dtype, advance=progress.advance)
    progress.begin("text encoder")
    text = load_text_encoder(preset, device, dtype, memory, progress.advance)
    if memory.is_half:
        if not isinstance(vae, TinyVae):
            raise CheckpointError(f"{preset.name} has no tiny autoencoder: it cannot be decoded at half the size")
        vae = HalfSize(vae)
    played = FrameByFrame(vae) if memory.is_light else vae
    played = OnDevice(played, at) if memory.decoder_device else played
    return LoadedModel(transformer, played, text, flavour, _first_line(vace_note))


def load_transformer(
    preset: ModelPreset,
    device: torch.device,
    dtype: torch.dtype,
    *,
    is_float8: bool = False,
    advance: Advance | None = None,
) -> tuple[CausalWanTransformer, str]:
    """The transformer with its weights, and their flavour. Raises CheckpointError with everything that does not fit.

    With `is_float8` the blocks' linear layers are stored in float8. On a CPU large files of narrower numbers than
    `dtype` stay mapped, and are widened layer by layer in use.
    """
    checkpoint = base_weights(read_checkpoint(preset.transformer_file, averaged=preset.averaged))
    with torch.device("meta"):
        model = CausalWanTransformer(preset.transformer).to(dtype)
    types = _stored_types(model, "blocks", checkpoint, dtype, is_mapped=device.type == "cpu", is_float8=is_float8)
    narrow_linears(model, types)
    report = load_into(model, checkpoint, device=device, advance=advance)
    return _frozen(model), report.flavour


def with_vace(
    model: CausalWanTransformer,
    preset: ModelPreset,
    device: torch.device,
    dtype: torch.dtype,
    *,
    is_float8: bool = False,
    advance: Advance | None = None,
) -> CausalWanTransformer:
    """The same weights with VACE's beside them, stored as `load_transformer` does. `model` is used up, not copied.

    Raises CheckpointError with everything that does not fit; `model` is then as it was.
    """
    assert preset.vace is not None, "only a preset with VACE is asked for it"
    is_own = preset.vace.file == preset.transformer_file
    checkpoint = vace_weights(read_checkpoint(preset.vace.file, averaged=is_own and preset.averaged))
    check_layers(checkpoint, preset.vace.layers)
    with torch.device("meta"):
        guided = CausalWanTransformer(preset.guided).to(dtype)
    branch = nn.Module()
    branch.vace_patch_embedding, branch.vace_blocks = guided.vace_patch_embedding, guided.vace_blocks
    types = _stored_types(branch, "vace_blocks", checkpoint, dtype, is_mapped=device.type == "cpu", is_float8=is_float8)
    narrow_linears(branch, types)
    load_into(branch, checkpoint, device=device, advance=advance)
    for name, part in model.named_children():
        if name != "vace_blocks":
            guided.register_module(name, part)
    return _frozen(guided)


def _stored_types(
    model: nn.Module,
    blocks: str,
    checkpoint: Checkpoint,
    dtype: torch.dtype,
    *,
    is_mapped: bool,
    is_float8: bool,
) -> dict[str, torch.dtype]:
    """Which linear layers of the `blocks` so called store their weights narrower than they compute, and how."""
    is_large = sum(tensor.nbytes for tensor in checkpoint.tensors.values()) >= MAPPED_BYTES
    types = {}
    for name, module in model.get_submodule(blocks).named_modules(prefix=blocks):
        found = checkpoint.tensors.get(f"{name}.weight")
        if not isinstance(module, torch.nn.Linear) or found is None:
            continue
        if is_float8:
            types[name] = FLOAT8
        elif is_mapped and is_large and found.dtype.itemsize < dtype.itemsize and found.dtype != torch.float8_e5m2:
            types[name] = found.dtype
    return types


def load_decoder(
    preset: DecoderPreset, device: torch.device, dtype: torch.dtype, advance: Advance | None = None
) -> StreamingAutoencoder:
    """The autoencoder with its weights. Raises CheckpointError or ValueError with what does not fit."""
    if preset.kind == "wan_vae":
        with torch.device("meta"):
            vae = WanVae(WanVaeConfig(dim=preset.dim)).to(dtype)
        load_into(vae, preset.file, device=device, advance=advance)
        return _frozen(vae)
    config = TinyVaeConfig(
        encoder_widths=preset.encoder_widths,
        decoder_widths=preset.decoder_widths,
        has_latent_statistics=preset.has_latent_statistics,
    )
    tiny = load_tiny_vae(config, read_checkpoint(preset.file).tensors)
    return _frozen(tiny.to(device, dtype, memory_format=torch.channels_last))


def load_text_encoder(
    preset: ModelPreset,
    device: torch.device,
    dtype: torch.dtype,
    memory: MemoryPlan | None = None,
    advance: Advance | None = None,
) -> TextEncoder:
    """The text encoder: ember's on the CPU in float32, UMT5 where the plan says, its embeddings kept on disk.

    Raises CheckpointError when its file does not fit the transformer.
    """
    if preset.text.kind == "umt5":
        place = memory or MemoryPlan(text_place="gpu" if device.type == "cuda" else "cpu")
        return _load_umt5(preset, device, dtype, place, advance)
    checkpoint = read_checkpoint(preset.text.file)
    table = checkpoint.tensors.get("table.weight", torch.empty(0))
    if table.dim() != 2:  # a file of something else: any size will do to tell how it differs
        table = torch.empty(2, 1)
    config = NgramConfig(
        text_len=preset.transformer.text_len,
        text_dim=preset.transformer.text_dim,
        buckets=table.shape[0],
        width=table.shape[1],
    )
    encoder = NgramEncoder(config)
    load_into(encoder, checkpoint)
    return _frozen(encoder)


def _load_umt5(
    preset: ModelPreset, device: torch.device, dtype: torch.dtype, memory: MemoryPlan, advance: Advance | None
) -> TextEncoder:
    file, tokenizer, config = preset.text.file, preset.text.tokenizer, preset.transformer
    assert tokenizer is not None, "a preset of kind umt5 names a tokenizer"
    width = check_umt5(file, tokenizer, config.text_len).width
    if width != config.text_dim:
        raise CheckpointError(f"{file}: its rows are {width} wide, the transformer takes {config.text_dim}")
    cpu = torch.device("cpu")
    storage = FLOAT8 if memory.is_text_float8 else None
    encoder: TextEncoder
    if memory.text_place == "process":
        encoder, number_type = EncoderProcess(file, tokenizer, config.text_len, width), choose_dtype("auto", cpu)
    elif memory.text_place == "cpu":
        # computed as the transformer is, where that is on the CPU too
        number_type = dtype if device.type == "cpu" else choose_dtype("auto", cpu)
        encoder = load_umt5(file, tokenizer, config.text_len, cpu, number_type, storage=storage, advance=advance)
    else:
        number_type = dtype
        encoder = load_umt5(file, tokenizer, config.text_len, device, dtype, storage=storage, advance=advance)
    folder = embeddings_folder()
    if folder is None:
        return encoder
    kind = f"{fingerprint(file)} {fingerprint(tokenizer)} {config.text_len} {number_type} {storage}"
    return KeptEmbeddings(encoder, folder, kind)


def _first_line(text: str) -> str:
    return text.partition("\n")[0].removesuffix(":")


def _frozen(module: Module) -> Module:
    return module.eval().requires_grad_(False)
