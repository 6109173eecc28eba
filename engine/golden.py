"""Golden files: weights, inputs and the reference's outputs, and their recomputation with the engine's own code.

Kinds: `causal_dit` (the streaming transformer and its sampler), `wan_vae`, and `vace_dit` (one guided pass).
Knows nothing of tolerances or of how a result is shown.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import torch
from torch import Tensor, nn

from engine.caches.slot_cache import SlotCache
from engine.checkpoints import Checkpoint, CheckpointError, load_into
from engine.model.config import ModelConfig
from engine.model.transformer import CausalWanTransformer
from engine.model.vace import Guide, streaming_attention
from engine.sampler import clean_pass, denoise_chunk
from engine.schedule import LEVELS, Schedule
from engine.vae.wan_vae import WanVae, WanVaeConfig
from engine.weight_files import read_weight_file, tensors_of

_CONFIG_OF_KIND = {"causal_dit": ModelConfig, "wan_vae": WanVaeConfig, "vace_dit": ModelConfig}
KINDS = tuple(_CONFIG_OF_KIND)
_WEIGHT, _INPUT = "w.", "in."
_STREAM_KEYS = ("sink_decay", "prompt_switch_chunk")  # of a causal_dit's config, beside the model's own
_ORIGINAL_SPELLING = {"temperal_downsample": "temporal_downsample"}
# Far above any model: a config that says more is damaged, and would only be slow to refuse
_LARGEST_SIZE = 1_000_000
_LIMITS = {"num_layers": 1000, "window_frames": 1000, "num_res_blocks": 100}
Prepare = Callable[[CausalWanTransformer], object]  # chooses how a model is computed, in place
_PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}


class GoldenError(Exception):
    """A golden file that cannot be recomputed; the message is a sentence without the file's name."""


@dataclass(frozen=True)
class Golden:
    """What a golden file holds, names without their `w.` and `in.`."""

    path: Path
    kind: str
    config: dict[str, object]
    weights: dict[str, Tensor]
    inputs: dict[str, Tensor]
    expected: dict[str, Tensor]


@dataclass(frozen=True)
class Recomputed:
    """One tensor made here; `way` tells apart several ways to the same expected tensor (chunkings)."""

    name: str
    value: Tensor
    way: str = ""


def read_golden(path: Path) -> Golden:
    """Read a golden file. Raises CheckpointError for an unreadable file, GoldenError for one that is not golden."""
    file = read_weight_file(path)
    kind = file.metadata.get("kind")
    if kind is None:
        raise GoldenError(f"its metadata has no `kind`, so it is no golden file; known kinds are {', '.join(KINDS)}")
    if kind not in KINDS:
        raise GoldenError(f"its kind is {kind!r}; known kinds are {', '.join(KINDS)}")
    try:
        config = json.loads(file.metadata.get("config", ""))
    except ValueError as error:
        raise GoldenError(f"its metadata has no readable `config` ({error}); JSON is expected") from error
    if not isinstance(config, dict):
        raise GoldenError(f"its `config` is a JSON {type(config).__name__}, an object of sizes is expected")
    tensors = tensors_of(file.entries)
    return Golden(
        path,
        kind,
        config,
        weights={name.removeprefix(_WEIGHT): t for name, t in tensors.items() if name.startswith(_WEIGHT)},
        inputs={name.removeprefix(_INPUT): t for name, t in tensors.items() if name.startswith(_INPUT)},
        expected={name: t for name, t in tensors.items() if not name.startswith((_WEIGHT, _INPUT))},
    )


def recompute(golden: Golden) -> Iterator[Recomputed]:
    """Yield every tensor the kind can have, in the order of the computation, float32 results before bfloat16 ones.

    bfloat16 is run only if the file expects something of it. Raises GoldenError when the file does not hold together.
    """
    ways = {"causal_dit": _recompute_stream, "wan_vae": _recompute_autoencoder, "vace_dit": _recompute_guided}
    yield from ways[golden.kind](golden)


@dataclass(frozen=True)
class _Script:
    """The inputs of a stream, checked."""

    config: ModelConfig
    sink_decay: float
    switch_chunk: int | None
    timesteps: tuple[float, ...]
    noise: Tensor  # (1, F, C, h, w)
    renoise: Tensor  # (chunks, steps - 1, chunk frames, C, h, w)
    prompts: Tensor  # (1 or 2, text_len, text_dim)

    @property
    def chunks(self) -> int:
        return self.noise.shape[1] // self.config.chunk_frames


def _recompute_stream(golden: Golden) -> Iterator[Recomputed]:
    script = _read_script(golden)
    for precision, dtype in _PRECISIONS.items():
        if precision == "fp32" or any(name.startswith(f"{precision}.") for name in golden.expected):
            for part in _play(_transformer(golden, script.config, dtype), script, dtype):
                yield Recomputed(f"{precision}.{part.name}", part.value)


@torch.inference_mode()
def stream_output(path: Path, device: torch.device, dtype: torch.dtype, prepare: Prepare = id) -> tuple[Tensor, Tensor]:
    """Return the stream recomputed on a device in a number type, and the file's float32 one, both (1, F, C, h, w).

    `prepare` may choose how the model is computed, in place. Raises CheckpointError or GoldenError as `recompute` does.
    """
    golden = read_golden(path)
    script = _read_script(golden)
    model = _transformer(golden, script.config, dtype).to(device)
    prepare(model)
    *_, output = _play(model, script, dtype)
    return output.value, golden.expected["fp32.out"]


def _transformer(golden: Golden, config: ModelConfig, dtype: torch.dtype) -> CausalWanTransformer:
    with torch.device("meta"):
        model = CausalWanTransformer(config).to(dtype)
    _fill(model, golden)
    return model


def _play(model: CausalWanTransformer, script: _Script, dtype: torch.dtype) -> Iterator[Recomputed]:
    """Generate the whole stream through the live path, on the model's device, fed with the file's noise."""
    config, device = script.config, model.patch_embedding.weight.device
    height, width = script.noise.shape[-2:]
    # Rotations in float64, as the reference makes them; the live path may use float32.
    cache = SlotCache(config, height, width, device=device, dtype=dtype, exact_rotation=True)
    schedule = Schedule(config.timestep_shift)
    noise, renoise = script.noise.to(device, dtype), script.renoise.to(device, dtype)
    prompts = [model.encode_text(prompt[None].to(device, dtype)) for prompt in script.prompts]
    finished = []
    for b, start_noise in enumerate(noise.split(config.chunk_frames, dim=1)):
        has_switched = script.switch_chunk is not None and b >= script.switch_chunk
        text = prompts[1 if has_switched else 0]
        cache.begin_chunk(config.chunk_frames, "parity_bf16", script.sink_decay)
        fresh = [step[None] for step in renoise[b]]
        steps = denoise_chunk(model, cache, text, start_noise, fresh, script.timesteps, schedule)
        for s, step in enumerate(steps):
            yield Recomputed(f"flow.b{b}.s{s}", step.flow)
            yield Recomputed(f"x0.b{b}.s{s}", step.x0)
            x0 = step.x0
        clean_pass(model, cache, text, x0)
        finished.append(x0)
        yield from _cache_contents(cache, b)
    yield Recomputed("out", torch.cat(finished, dim=1))


def _cache_contents(cache: SlotCache, b: int) -> Iterator[Recomputed]:
    used = cache.filled_frames * cache.tokens_per_frame
    for letter, layers in (("K", cache.keys), ("V", cache.values)):
        for layer, slots in enumerate(layers):
            contents = slots.clone()
            contents[:, used:] = 0.0  # slots not in use hold what was there before; the files have zeros
            yield Recomputed(f"cache{letter}.l{layer}.b{b}", contents)
    yield Recomputed(f"idx.b{b}", torch.tensor([cache.frames_seen * cache.tokens_per_frame, used]))


def _read_script(golden: Golden) -> _Script:
    config = _config_of(golden, ModelConfig)
    decay = golden.config.get("sink_decay")
    if not isinstance(decay, int | float) or not 0.0 <= decay <= 1.0:
        raise GoldenError(f"sink_decay in its config is {decay!r}; a number from 0 to 1 is needed")
    steps = _input(golden, "steps", (None,))
    noise = _input(golden, "noise", (1, None, config.in_dim, None, None))
    timesteps = tuple(steps.double().tolist())
    if any(not 0.0 <= t <= LEVELS for t in timesteps):
        raise GoldenError(f"in.steps is {list(timesteps)}; timesteps from 0 to {LEVELS} are needed")
    frames = noise.shape[1]
    if frames % config.chunk_frames:
        raise GoldenError(f"in.noise has {frames} latent frames, which are no whole chunks of {config.chunk_frames}")
    chunks = frames // config.chunk_frames
    renoise_shape = (chunks, len(timesteps) - 1, config.chunk_frames, *noise.shape[2:])
    if len(timesteps) == 1 and "renoise" not in golden.inputs:
        renoise = noise.new_zeros(renoise_shape)  # one step re-noises nothing
    else:
        renoise = _input(golden, "renoise", renoise_shape)
    prompts = _input(golden, "prompt_embeds", (None, config.text_len, config.text_dim))
    switch = _switch_chunk(golden, len(prompts), chunks)
    _no_other_inputs(golden, ("noise", "renoise", "steps", "prompt_embeds"))
    if config.in_dim != config.out_dim:
        raise GoldenError(f"in_dim {config.in_dim} and out_dim {config.out_dim} differ; a sampler needs them equal")
    return _Script(config, float(decay), switch, timesteps, noise, renoise, prompts)


def _switch_chunk(golden: Golden, prompts: int, chunks: int) -> int | None:
    switch = golden.config.get("prompt_switch_chunk")
    if switch is None and prompts == 1:
        return None
    if prompts != 2 or not isinstance(switch, int) or isinstance(switch, bool) or not 0 <= switch < chunks:
        raise GoldenError(
            f"it has {prompts} prompts and prompt_switch_chunk {switch!r}; one prompt goes with null, two with the "
            f"chunk that first uses the second one (0 to {chunks - 1})"
        )
    return switch


def _recompute_guided(golden: Golden) -> Iterator[Recomputed]:
    """A whole clip in one pass, guided and not; what references it has are in its latents, as published."""
    config = _config_of(golden, ModelConfig)
    latents = _input(golden, "latents", (1, None, config.in_dim, None, None))
    context = _input(golden, "context", (1, None, config.vace_in_dim, *latents.shape[-2:]))
    prompt = _input(golden, "prompt_embeds", (1, config.text_len, config.text_dim))
    timestep = _input(golden, "timestep", (1, 1))
    scales = _input(golden, "scales", (len(config.vace_layers),))
    _no_other_inputs(golden, ("latents", "context", "prompt_embeds", "timestep", "scales"))
    model = _transformer(golden, config, torch.float32)
    memory = streaming_attention(config, latents.shape[1], tuple(latents.shape[-2:]), latents.device)
    text = model.encode_text(prompt)
    for name, guide in (("guided", Guide(context, memory, tuple(scales.tolist()))), ("unguided", None)):
        yield Recomputed(f"fp32.{name}", model(latents, timestep, text, memory, guide))


def _recompute_autoencoder(golden: Golden) -> Iterator[Recomputed]:
    config = _config_of(golden, WanVaeConfig)
    z = _input(golden, "z", (None, config.z_dim, None, None, None)).transpose(1, 2)
    pixels = _input(golden, "pixels", (None, 3, None, None, None)).transpose(1, 2)
    _no_other_inputs(golden, ("z", "pixels"))
    with torch.device("meta"):
        vae = WanVae(config)
    _fill(vae, golden)
    for way, sizes in _chunkings(z.shape[1], {"3+3..": (3, 3), "1+3+3..": (1, 3), "one by one": (1, 1)}):
        state, parts = None, []
        for chunk in z.split(sizes, dim=1):
            frames, state = vae.decode_raw(chunk, state)
            parts.append(frames)
        yield Recomputed("out.pixels_raw", torch.cat(parts, dim=1).transpose(1, 2), way)
    step = config.time_stride
    ways = {f"1+{step}+{step}..": (1, step), f"1+{2 * step}+{2 * step}..": (1, 2 * step)}
    for way, sizes in _chunkings(pixels.shape[1], ways):
        state, parts = None, []
        for chunk in pixels.split(sizes, dim=1):
            latents, state = vae.encode(chunk, state)
            parts.append(latents)
        yield Recomputed("out.latent", torch.cat(parts, dim=1).transpose(1, 2), way)


def _chunkings(total: int, ways: Mapping[str, tuple[int, int]]) -> Iterator[tuple[str, list[int]]]:
    """Yield names and chunk sizes that add up to `total`: all at once, then each way's first and later sizes."""
    yield "all at once", [total]
    for way, (first, later) in ways.items():
        sizes = [min(first, total)]
        while sum(sizes) < total:
            sizes.append(min(later, total - sum(sizes)))
        if len(sizes) > 1:
            yield way, sizes


def unused_config_keys(golden: Golden) -> list[str]:
    """Return the keys of the file's config that nothing here reads; what they mean can only show in the numbers."""
    known = {field.name for field in fields(_CONFIG_OF_KIND[golden.kind])} | _ORIGINAL_SPELLING.keys()
    return sorted(golden.config.keys() - known - set(_STREAM_KEYS if golden.kind == "causal_dit" else ()))


def _config_of(golden: Golden, kind: type[ModelConfig] | type[WanVaeConfig]) -> object:
    """Build the config dataclass `kind` from the file's, each value of its default's type."""
    values: dict[str, object] = {}
    known = {field.name: field.default for field in fields(kind)}
    for spelt, value in golden.config.items():
        key = _ORIGINAL_SPELLING.get(spelt, spelt)
        if key in known:
            values[key] = _checked(key, value, known[key])
    try:
        return kind(**values)
    except ValueError as error:
        raise GoldenError(f"its config is impossible: {error}") from error


def _checked(key: str, value: object, default: object) -> object:
    """Return a value of the config if it is of its default's type and not absurd."""
    if default == ():  # layers, of which there may be none; the model's own config checks them
        if isinstance(value, list) and all(isinstance(item, int) and not isinstance(item, bool) for item in value):
            return tuple(value)
        raise GoldenError(f"{key} in its config is {value!r}; a list of whole numbers is needed")
    if isinstance(default, tuple):
        is_list = isinstance(value, list) and value and all(_is_like(item, default[0]) for item in value)
        if not is_list or (key == "patch_size" and len(value) != len(default)):
            raise GoldenError(f"{key} in its config is {value!r}; a list like {list(default)} is needed")
        return tuple(value)
    if not _is_like(value, default):
        wanted = "a number" if isinstance(default, float) else f"a whole number from 1 to {_LARGEST_SIZE}"
        raise GoldenError(f"{key} in its config is {value!r}; {wanted} is needed")
    if key in _LIMITS and value > _LIMITS[key]:
        raise GoldenError(f"{key} in its config is {value}; at most {_LIMITS[key]} can be right")
    return value


def _is_like(value: object, default: object) -> bool:
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, float):
        return isinstance(value, int | float)
    return isinstance(value, int) and 1 <= value <= _LARGEST_SIZE


def _input(golden: Golden, name: str, shape: tuple[int | None, ...]) -> Tensor:
    """Return an input as float32, checked against `shape` (None = any size of at least 1)."""
    tensor = golden.inputs.get(name)
    if tensor is None:
        raise GoldenError(f"it has no in.{name}")
    fits = tensor.dim() == len(shape) and all(
        (size >= 1 if want is None else size == want) for size, want in zip(tensor.shape, shape, strict=True)
    )
    if not fits:
        wanted = ", ".join("any" if size is None else str(size) for size in shape)
        raise GoldenError(f"in.{name} has the shape {tuple(tensor.shape)}, ({wanted}) is needed")
    if tensor.is_complex() or not bool(tensor.float().isfinite().all()):
        raise GoldenError(f"in.{name} holds values that are no finite real numbers")
    return tensor.float()


def _no_other_inputs(golden: Golden, known: tuple[str, ...]) -> None:
    other = sorted(golden.inputs.keys() - set(known))
    if other:
        raise GoldenError(f"its inputs {', '.join(_INPUT + name for name in other)} are not known and would be ignored")


def _fill(model: nn.Module, golden: Golden) -> None:
    try:
        load_into(model, Checkpoint(golden.path, "golden", golden.weights, {}))
    except CheckpointError as error:
        detail = str(error).removeprefix(f"{golden.path}: ")
        raise GoldenError(f"its weights (w.*) do not fill the model: {detail}") from error
    model.requires_grad_(False)


def series_of(name: str) -> str:
    """Return the name without its chunk and step: "fp32.flow.b0.s3" belongs to "fp32.flow"."""
    return re.sub(r"\.b\d+(\.s\d+)?$", "", name)
