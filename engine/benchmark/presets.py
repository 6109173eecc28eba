"""What `vj bench` measures: named sizes, decoders and switches for speed, and the variants of the reference.

Imports no torch.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from engine.preset_table import did_you_mean

RANDOM_TINY_DECODER, RANDOM_WAN_DECODER = "random:taehv", "random:wan"  # models of random weights, by their decoder
PRESET_FILES = {RANDOM_TINY_DECODER: "taehv.toml", RANDOM_WAN_DECODER: "wan.toml"}  # in the folder of random weights
SMOKE_SIZE = (64, 48)


@dataclass(frozen=True)
class BenchmarkPreset:
    """One configuration of ours. `model` is a model's name, or random weights of the published one's shapes."""

    name: str
    description: str
    model: str = RANDOM_TINY_DECODER
    size: tuple[int, int] = (832, 480)  # pixels
    accelerate: tuple[str, ...] = ()  # switches for speed, NAME=VALUE; none = the exact path
    chunk_frames: int = 3  # latent frames per chunk
    dtype: str = "auto"
    memory_gb: float | None = None  # of 10^9 bytes, the plan of a smaller GPU; None = all there is


_PRESETS = (
    BenchmarkPreset(
        "eager", "exact, every switch off: one kernel after the other", accelerate=("fused=off", "graphs=off")
    ),
    BenchmarkPreset("exact", "exact, tiny decoder (TAEHV's shapes)"),
    BenchmarkPreset("exact-fold", "exact, the clean pass within the next chunk's first step", accelerate=("fold=on",)),
    BenchmarkPreset("exact-compile", "exact, torch.compile", accelerate=("compile=on",)),
    BenchmarkPreset("exact-wan", "exact, the full Wan decoder", model=RANDOM_WAN_DECODER),
    BenchmarkPreset("fp8-linears", "linear layers in fp8", accelerate=("linears=fp8",)),
    BenchmarkPreset("fp8", "linear layers and attention in fp8", accelerate=("linears=fp8", "attention=fp8")),
    BenchmarkPreset("int8-linears", "linear layers in int8", accelerate=("linears=int8",)),
    BenchmarkPreset("no-clean-pass", "without the clean pass", accelerate=("clean_pass=off",)),
    BenchmarkPreset("two-steps", "two denoising steps", accelerate=("steps=2",)),
    BenchmarkPreset("small", "exact at 576x320", size=(576, 320)),
    BenchmarkPreset("small-fp8", "fp8 at 576x320", size=(576, 320), accelerate=("linears=fp8", "attention=fp8")),
    BenchmarkPreset("single", "exact, chunks of one latent frame", chunk_frames=1),
    BenchmarkPreset("12gb", "the plan of a GPU with 12 GB, at 832x480", memory_gb=12.0),
    BenchmarkPreset("8gb-float8", "the plan of a GPU with 8 GB, at 832x480: weights stored in float8", memory_gb=8.0),
    BenchmarkPreset("8gb", "the plan of a GPU with 8 GB, at 576x320", size=(576, 320), memory_gb=8.0),
    BenchmarkPreset("ember", "the small model on this machine, 256x144, float32", "ember", (256, 144), dtype="float32"),
    BenchmarkPreset("ember-bf16", "the small model, 256x144, bfloat16", "ember", (256, 144), dtype="bfloat16"),
    BenchmarkPreset("ember-small", "the small model, 160x96, float32", "ember", (160, 96), dtype="float32"),
)
PRESETS = {preset.name: preset for preset in _PRESETS}
DEFAULT_PRESETS = ("exact",)

UPSTREAM_VARIANTS = {
    "as-shipped": "the attention it would pick by itself, the whole clip decoded at its end by the full Wan decoder",
    "best-attention": "the same with the fastest attention of this machine",
    "tiny-decoder": "the same with the fastest attention and its own TAEHV",
    "compiled": "the same with the fastest attention, its transformer under torch.compile",
}
DEFAULT_VARIANTS = ("as-shipped", "best-attention")


def find_preset(name: str) -> BenchmarkPreset:
    """The preset of a name. Raises ValueError with the known ones."""
    if name not in PRESETS:
        known = ", ".join(PRESETS)
        raise ValueError(f"there is no benchmark preset {name!r}{did_you_mean(name, PRESETS)} (known: {known})")
    return PRESETS[name]


def model_preset(model: str) -> BenchmarkPreset:
    """A preset for a model by NAME, FILE.toml or DIR, at its own size and with its own weights and switches."""
    return BenchmarkPreset(name=model, description=f"model {model} with its own weights", model=model, size=(0, 0))


def small_form(preset: BenchmarkPreset) -> BenchmarkPreset:
    """The same at a size that checks the benchmark and measures nothing."""
    return dataclasses.replace(preset, size=SMOKE_SIZE, dtype="float32")
