"""Every kernel of the transformer beside its plain form and beside what memory or arithmetic allows at most.

`python -m bench.gpu.kernels --out DIR`; `--smoke` runs tiny shapes on any machine. About 4 minutes, FlashAttention 4's
compiling included. Writes DIR/kernels.json after every part, and fills this machine's attention table.
"""

from __future__ import annotations

import argparse
import copy
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from bench.gpu.table import output_folder
from engine.acceleration import EXACT, Acceleration
from engine.attention.table import AttentionTable, Shape, random_heads, table_file
from engine.benchmark.clocks import copy_bytes_per_s, matmul_flops, median_ms
from engine.benchmark.environment import card_state, describe
from engine.benchmark.random_models import SMOKE_MODEL, randomise
from engine.caches.slot_cache import SlotCache
from engine.kernels.choice import fused_kernels, prepare_model
from engine.kernels.plain import PLAIN, Kernels
from engine.kernels.shaping import FLOAT8, After, Folded, rows8
from engine.model.config import WAN_1_3B, ModelConfig
from engine.model.rope import rotation_table
from engine.model.transformer import CausalWanTransformer
from engine.quantised.attention import float8_kernel, to_float8
from engine.quantised.float8_cache import Float8SlotCache
from engine.quantised.linears import QuantisedLinear
from engine.vae.latents import LATENT_STRIDE

Figures = dict[str, object]
# size and latent frames of a chunk: whole chunks, frame by frame, 576x320, and 704x512, which fills whole waves
STREAMS = (((832, 480), 3), ((832, 480), 1), ((576, 320), 3), ((704, 512), 3))
LINEARS = (("q, k, v", 1, 3), ("o", 1, 1), ("cross q", 1, 1), ("ffn up", 1, 0), ("ffn down", 0, 1))  # widths; 0 = ffn
TILE, PROCESSORS = 128, 132  # queries of a block, and how many an H200 works on at once
FAULTS = (RuntimeError, TypeError, ValueError, AssertionError, NotImplementedError, ImportError)
LAYERS = 4


@dataclass(frozen=True)
class Bench:
    """Where and at which size."""

    device: torch.device
    dtype: torch.dtype
    config: ModelConfig
    streams: tuple[tuple[tuple[int, int], int], ...]
    runs: int
    copy_bytes_per_s: float

    def ms(self, work: Callable[[], object]) -> float | str:
        """Median milliseconds, or why it cannot be done here."""
        try:
            return round(median_ms(self.device, work, self.runs, 3 if self.runs > 1 else 1), 4)
        except FAULTS as error:
            return f"{type(error).__name__}: {str(error).splitlines()[0][:120]}"

    def random(self, *shape: int) -> Tensor:
        """Never zeros: a GPU is faster on them."""
        return torch.randn(shape, device=self.device).to(self.dtype)

    def tokens(self, size: tuple[int, int]) -> int:
        """Of a latent frame."""
        return self.config.tokens_per_frame(size[1] // LATENT_STRIDE, size[0] // LATENT_STRIDE)


def elementwise(bench: Bench) -> Figures:
    """Each fused kernel and its plain form, beside the time its bytes take at a copy's rate."""
    kernels, told = fused_kernels(bench.device), {}
    size, frames = bench.streams[0]
    patches, width, ffn = bench.tokens(size), bench.config.dim, bench.config.ffn_dim
    x, y = (bench.random(1, frames, patches, width) for _ in range(2))
    folded = Folded(bench.random(1, 1, 6, width))
    weight, bias, hidden = bench.random(width), bench.random(width), bench.random(1, frames, patches, ffn)
    shape = (1, frames * patches, bench.config.num_heads, bench.config.head_dim)
    grid = (size[1] // LATENT_STRIDE // 2, size[0] // LATENT_STRIDE // 2)
    table = rotation_table(frames, *grid, bench.config.head_dim).to(bench.device)
    out, plain = bench.random(*shape), bench.random(*shape)
    out8, rows, wide = out.float().clamp(-1, 1).to(FLOAT8), x.flatten(1, 2), hidden.numel() * x.element_size()
    moved, one = x.nbytes, After(modulations=folded)
    cases: dict[str, tuple[int, Callable[[Kernels], object]]] = {
        "norm, modulation": (2 * moved, lambda k: k.norm(x, 1e-6, one)),
        "norm, modulation, fp8": (moved * 3 // 2, lambda k: k.norm(x, 1e-6, one, "fp8")),
        "gated sum, affine norm": (4 * moved, lambda k: k.add_norm(x, y, (folded, 2), 1e-6, After(weight, bias))),
        "sum, norm, modulation, fp8": (moved * 7 // 2, lambda k: k.add_norm(x, y, None, 1e-6, one, "fp8")),
        "gated sum": (3 * moved, lambda k: k.add(x, y, (folded, 5))),
        "norm, rotation": (2 * moved, lambda k: k.norm_rotate(rows, weight, 1e-6, table, out)),
        "norm, rotation, two slots": (3 * moved, lambda k: k.norm_rotate(rows, weight, 1e-6, table, out, plain)),
        "norm, rotation, fp8": (moved * 3 // 2, lambda k: k.norm_rotate(rows, weight, 1e-6, table, out8)),
        "gelu": (2 * wide, lambda k: k.gelu(hidden)),
        "gelu, fp8": (wide * 3 // 2, lambda k: k.gelu(hidden, "fp8")),
    }
    for name, (count, work) in cases.items():
        told[name] = {
            "plain_ms": bench.ms(lambda work=work: work(PLAIN)),
            "fused_ms": bench.ms(lambda work=work: work(kernels)) if kernels else "no fused kernels here",
            "memory_bound_ms": round(count / bench.copy_bytes_per_s * 1e3, 4),
        }
    return told


def attention(bench: Bench) -> Figures:
    """Every kernel at the true shapes, exact ones by the table that is kept, float8 by itself; and how waves fill."""
    table, told = AttentionTable(table_file() if bench.device.type == "cuda" else None), {}
    for size, frames in bench.streams:
        config = bench.config
        queries, keys = frames * bench.tokens(size), config.window_frames * bench.tokens(size)
        shape = Shape(1, queries, keys, config.num_heads, config.head_dim, bench.dtype)
        times = table.measure([shape], bench.device, bench.ms, patience_s=240.0).get(shape.words, {})
        q, k, v = (to_float8(x) for x in random_heads(shape, bench.device))
        v = v.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
        name, attend = float8_kernel(bench.device)
        operations = 4 * queries * keys * config.num_heads * config.head_dim
        best = min((ms for ms in times.values()), default=None)
        waves = -(-queries // TILE) * config.num_heads / PROCESSORS
        told[f"{size[0]}x{size[1]}, {queries} over {keys}"] = {
            "exact_ms": times,
            f"fp8 by {name}_ms": bench.ms(lambda q=q, k=k, v=v, attend=attend: attend(q, k, v, bench.dtype)),
            "best_tflop_per_s": round(operations / best / 1e9, 1) if best else None,
            "waves_of_blocks": round(waves, 2),
            "full_share_of_waves": round(waves / -(-waves // 1), 3),
        }
    return told


def linears(bench: Bench) -> Figures:
    """The five products of a block: exact, float8 and int8, with the tokens narrowed already and narrowed first."""
    told, (size, frames) = {}, bench.streams[0]
    count = frames * bench.tokens(size)
    for name, inputs, outputs in LINEARS:
        rows, columns = (bench.config.dim * n or bench.config.ffn_dim for n in (inputs, outputs))
        with torch.device(bench.device):
            linear = nn.Linear(rows, columns).to(bench.dtype).requires_grad_(False)
        x, operations = bench.random(1, count, rows), 2 * count * rows * columns
        times: Figures = {"exact": bench.ms(lambda x=x, linear=linear: linear(x))}
        for kind in ("fp8", "int8"):
            layer, narrow = QuantisedLinear(copy.deepcopy(linear), kind), rows8(x, kind)
            times[kind] = bench.ms(lambda layer=layer, narrow=narrow: layer(narrow, bench.dtype))
            times[f"{kind}, tokens narrowed by torch"] = bench.ms(lambda layer=layer, x=x: layer(x))
        rates = {kind: round(operations / ms / 1e9, 1) for kind, ms in times.items() if isinstance(ms, float) and ms}
        told[name] = {"shape": [count, rows, columns], "ms": times, "tflop_per_s": rates}
    return told


def forwards(bench: Bench) -> Figures:
    """A forward over a full window by switches, in a few layers; and how far its flow lies from the exact one's."""
    config, told, expected = bench.config, {}, None
    ways = {
        "plain": Acceleration(fused=False),
        "fused": EXACT,
        "fp8 linears": Acceleration(linears="fp8"),
        "fp8 linears, fp8 attention": Acceleration(linears="fp8", attention="fp8"),
        "int8 linears": Acceleration(linears="int8"),
    }
    (width, height), frames = bench.streams[0]
    latent_size = (height // LATENT_STRIDE, width // LATENT_STRIDE)
    for name, switches in ways.items():
        with torch.device(bench.device):
            model = CausalWanTransformer(config).to(bench.dtype).eval().requires_grad_(False)
        randomise(model, 0)
        prepared = prepare_model(model, switches, latent_size)
        kind = Float8SlotCache if switches.attention == "fp8" else SlotCache
        cache = kind(config, *latent_size, device=bench.device, dtype=bench.dtype)
        generator = torch.Generator(bench.device).manual_seed(5)
        shape = (1, frames, config.in_dim, *latent_size)
        latents = torch.randn(shape, generator=generator, device=bench.device).to(bench.dtype)
        prompt = torch.randn(1, config.text_len, config.text_dim, generator=generator, device=bench.device)
        text, times = (
            model.encode_text(prompt.to(bench.dtype)),
            model.fold(torch.full((1, 1), 625.0, device=bench.device)),
        )
        for _ in range(3):
            cache.begin_chunk(frames)
            flow = model(latents, times, text, cache).float()
        expected = flow if expected is None else expected
        told[name] = {
            "layers": config.num_layers,
            "kernels": prepared.kernels,
            "ms": bench.ms(lambda given=(model, latents, times, text, cache): given[0](*given[1:])),
            "relative_error": ((flow - expected).norm() / expected.norm()).item(),
            "notes": list(prepared.notes),
        }
        del model, cache
    return told


@torch.inference_mode()
def main() -> int:
    """Measure every part; a part that fails is told and the next one runs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="folder for the figures (default: $OUT, or bench/results)")
    parser.add_argument("--smoke", action="store_true", help="tiny shapes: checks the script, measures nothing")
    arguments = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.type == "cpu" and not arguments.smoke:
        parser.error("no CUDA device: run on a GPU machine, or give --smoke to check the script")
    out, began_s = output_folder(arguments.out), time.monotonic()
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    bytes_per_s, flops = copy_bytes_per_s(device), matmul_flops(device, dtype)
    if arguments.smoke:
        bench = Bench(device, dtype, SMOKE_MODEL, (((64, 48), 3), ((64, 48), 1)), 1, bytes_per_s)
    else:
        few = ModelConfig(num_layers=LAYERS)
        assert few.dim == WAN_1_3B.dim, "the layers are those of the published model"
        bench = Bench(device, dtype, few, STREAMS, 20, bytes_per_s)
    result: Figures = {"environment": describe(device), "smoke": arguments.smoke, "card": card_state()}
    result |= {"copy_gb_per_s": round(bytes_per_s / 1e9, 1), "matmul_tflop_per_s": round(flops / 1e12, 2)}
    for part in (elementwise, attention, linears, forwards):
        try:
            result[part.__name__] = part(bench)
        except FAULTS as error:
            result[part.__name__] = {"failed": f"{type(error).__name__}: {error}"}
        result["s"] = round(time.monotonic() - began_s, 1)
        print(json.dumps({part.__name__: result[part.__name__]}, indent=1), flush=True)
        (out / "kernels.json").write_text(json.dumps(result, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
