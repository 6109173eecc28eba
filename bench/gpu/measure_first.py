"""What decides how the rest is built: attention, linear layers, decoders, graphs and the reference, each by itself.

`python -m bench.gpu.measure_first --out DIR [--upstream CHECKOUT]`; `--smoke` runs tiny shapes on any machine.
About 5 minutes. Writes DIR/measure_first.json after every part, so that what was measured is kept.
"""

from __future__ import annotations

import argparse
import functools
import json
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from bench.environment import ROOT
from bench.gpu.table import output_folder
from engine.attention.kernels import Capability, kernels_for
from engine.benchmark.clocks import copy_bytes_per_s, matmul_flops, median_ms
from engine.benchmark.command_line import main as vj_bench
from engine.benchmark.environment import card_state, describe
from engine.benchmark.random_models import SMOKE_MODEL, SMOKE_TINY, randomise
from engine.caches.slot_cache import SlotCache
from engine.cuda_graphs.recorder import CudaRecorder, RecordedWork
from engine.golden import stream_output
from engine.model.config import WAN_1_3B, ModelConfig
from engine.model.transformer import CausalWanTransformer
from engine.text.umt5 import Umt5Config
from engine.vae.latents import LATENT_STRIDE
from engine.vae.tiny_vae import TinyVae, TinyVaeConfig
from engine.vae.wan_vae import WanVae, WanVaeConfig

Figures = dict[str, object]
GOLDEN = ROOT / "tests" / "data" / "golden" / "tiny_causal_dit.safetensors"
HEADS, HEAD_DIM = 12, 128
# size, latent frames per chunk: 832x480 and 576x320 in whole chunks, 832x480 frame by frame, 704x512 fills a wave
STREAMS = (((832, 480), 3), ((576, 320), 3), ((832, 480), 1), ((704, 512), 3))
WINDOW_FRAMES = 9
# layers of a block: name, inputs, outputs
LINEARS = (("qkv", 1536, 4608), ("o", 1536, 1536), ("ffn up", 1536, 8960), ("ffn down", 8960, 1536))
LAYERS_IN_GRAPH = 4
FAULTS = (RuntimeError, TypeError, ValueError, NotImplementedError, AttributeError, ImportError)  # of one kernel


def tokens(size: tuple[int, int]) -> int:
    """Tokens of a latent frame."""
    return (size[0] // (2 * LATENT_STRIDE)) * (size[1] // (2 * LATENT_STRIDE))


def timed(device: torch.device, work: Callable[[], object]) -> float | str:
    """Median milliseconds of the work, or why it cannot be done here."""
    try:
        return round(median_ms(device, work, *((20, 3) if device.type == "cuda" else (1, 1))), 4)
    except FAULTS as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0][:120]}"


def parity(device: torch.device, *, is_smoke: bool) -> Figures:
    """How far this device's stream lies from the golden file's, relative; the reference's own bfloat16 lies 0.0066."""
    torch.backends.cudnn.allow_tf32 = False  # true float32
    told: Figures = {}
    for dtype, gate in ((torch.float32, 1e-4), (torch.bfloat16, 0.02)):
        made, expected = stream_output(GOLDEN, device, dtype)
        error = ((made.cpu().double() - expected.double()).norm() / expected.double().norm()).item()
        told[str(dtype).removeprefix("torch.")] = {"error": error, "passed": error < gate}
    torch.backends.cudnn.allow_tf32 = True
    return told


def attention(device: torch.device, *, is_smoke: bool) -> Figures:
    """Every attention kernel at every stream's steady shape: milliseconds, and operations per second of the best."""
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    told: Figures = {}
    for size, frames in (((64, 48), 3),) if is_smoke else STREAMS:
        queries, keys = frames * tokens(size), WINDOW_FRAMES * tokens(size)
        qkv = [torch.randn(1, n, HEADS, HEAD_DIM, device=device).to(dtype) for n in (queries, keys, keys)]
        times = {
            kernel.name: timed(device, functools.partial(kernel.attend, *qkv))
            for kernel in kernels_for(Capability.of(device), dtype, HEAD_DIM)
        }
        best = min(taken for taken in times.values() if isinstance(taken, float))
        rate = 4 * queries * keys * HEADS * HEAD_DIM / best / 1e9
        told[f"{queries}x{keys}"] = {"ms": times, "best_tflop_per_s": round(rate, 1)}
    return told


def linears(device: torch.device, *, is_smoke: bool) -> Figures:
    """The layers of a block in bfloat16 and float8, quantisation of what goes in apart."""
    rows = 48 if is_smoke else 3 * tokens((832, 480))
    told: Figures = {}
    for name, inputs, outputs in LINEARS:
        if is_smoke:
            inputs, outputs = inputs // 32, outputs // 32
        x, weight = torch.randn(rows, inputs, device=device).bfloat16(), torch.randn(outputs, inputs, device=device)
        half = weight.bfloat16()
        times: Figures = {"bf16": timed(device, lambda x=x, w=half: torch.nn.functional.linear(x, w))}
        if device.type == "cuda":
            times |= _float8_times(device, x, weight)
        told[name] = {"rows": rows, "inputs": inputs, "outputs": outputs, "ms": times}
    return told


def _float8_times(device: torch.device, x: Tensor, weight: Tensor) -> Figures:
    def row_scale(values: Tensor) -> Tensor:
        return values.float().abs().amax(dim=1, keepdim=True) / 448.0  # largest number of e4m3

    def narrow(values: Tensor, scale: Tensor) -> Tensor:
        return (values.float() / scale).to(torch.float8_e4m3fn)

    x_scale, w_scale = row_scale(x), row_scale(weight)
    x8, w8 = narrow(x, x_scale), narrow(weight, w_scale).t()
    one = torch.ones((), device=device)
    scaled = torch._scaled_mm
    return {
        "fp8 tensorwise": timed(device, lambda: scaled(x8, w8, one, one, out_dtype=torch.bfloat16)),
        "fp8 rowwise": timed(device, lambda: scaled(x8, w8, x_scale, w_scale.t(), out_dtype=torch.bfloat16)),
        "quantise rows": timed(device, lambda: narrow(x, row_scale(x))),
    }


def decoders(device: torch.device, *, is_smoke: bool) -> Figures:
    """A chunk of each decoder: the tiny one, the full one as it lies in memory and by one or three latents a call."""
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    size = (64, 48) if is_smoke else (832, 480)
    shape = (1, 3, 16, size[1] // LATENT_STRIDE, size[0] // LATENT_STRIDE)
    latents = torch.randn(shape, device=device).to(dtype)
    with torch.device(device):
        tiny = TinyVae(SMOKE_TINY if is_smoke else TinyVaeConfig()).to(dtype).eval()
        wan = WanVae(WanVaeConfig(dim=8) if is_smoke else WanVaeConfig()).to(dtype).eval()
    randomise(tiny, 1)
    randomise(wan, 2)
    told: Figures = {"taehv, 3 latents a call": _decode_ms(device, tiny, [latents])}
    for layout in (torch.contiguous_format, torch.channels_last_3d):
        for module in wan.modules():
            if isinstance(module, torch.nn.Conv3d):
                module.to(memory_format=layout)
        words = str(layout).removeprefix("torch.")
        told[f"wan, 3 latents a call, {words}"] = _decode_ms(device, wan, [latents])
        told[f"wan, 1 latent a call, {words}"] = _decode_ms(device, wan, list(latents.split(1, dim=1)))
    return told


def _decode_ms(device: torch.device, decoder: torch.nn.Module, calls: list[Tensor]) -> float | str:
    try:
        _, state = decoder.decode(calls[0], None)
        _, state = decoder.decode(calls[0], state)
    except FAULTS as error:
        return str(error).splitlines()[0][:120]

    def chunk() -> None:
        after = state
        for latents in calls:
            _, after = decoder.decode(latents, after)

    return timed(device, chunk)


def graph(device: torch.device, *, is_smoke: bool) -> Figures:
    """A forward of a few layers, written out and as a CUDA graph: what launching costs."""
    config = SMOKE_MODEL if is_smoke else ModelConfig(num_layers=LAYERS_IN_GRAPH)
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    with torch.device(device):
        model = CausalWanTransformer(config).to(dtype).eval().requires_grad_(False)
    randomise(model, 0)
    told: Figures = {"layers": config.num_layers, "of": WAN_1_3B.num_layers}
    for size in ((64, 48),) if is_smoke else ((832, 480), (576, 320)):
        height, width = size[1] // LATENT_STRIDE, size[0] // LATENT_STRIDE
        cache = SlotCache(config, height, width, device=device, dtype=dtype)
        latents = torch.randn(1, 3, config.in_dim, height, width, device=device).to(dtype)
        times = torch.full((1, 3), 625.0, device=device)
        text = model.encode_text(torch.randn(1, config.text_len, config.text_dim, device=device).to(dtype))
        for _ in range(4):  # the window is full from the third on
            cache.begin_chunk(3)
            model(latents, times, text, cache)

        def forward(given: tuple = (latents, times, text, cache)) -> None:
            model(*given)

        row: Figures = {"written out": timed(device, forward)}
        if device.type == "cuda":
            work = RecordedWork(CudaRecorder(device), "a forward")
            row["graph"] = timed(device, lambda work=work, forward=forward: work.run("forward", forward))
        told[f"{size[0]}x{size[1]} ms"] = row
    return told


def text(device: torch.device, *, is_smoke: bool) -> Figures:
    """Encoding a prompt with UMT5-XXL's shapes, by its number of tokens: what a prompt nobody has encoded adds."""
    from transformers import UMT5Config, UMT5EncoderModel

    sizes = Umt5Config(vocabulary=64, width=64, layers=2, heads=2, feed_forward=64) if is_smoke else Umt5Config()
    config = UMT5Config(
        vocab_size=sizes.vocabulary,
        d_model=sizes.width,
        num_layers=sizes.layers,
        num_heads=sizes.heads,
        d_kv=sizes.head_width,
        d_ff=sizes.feed_forward,
        feed_forward_proj="gated-gelu",
    )
    with torch.device("meta"):
        encoder = UMT5EncoderModel(config).to(torch.bfloat16)
    encoder = encoder.to_empty(device=device).eval()
    randomise(encoder, 3)
    times: Figures = {}
    for length in (16, 64, 512):
        ids = torch.randint(sizes.vocabulary, (1, length), device=device)
        times[f"{length} tokens"] = timed(device, functools.partial(encoder, input_ids=ids))
    return {"ms": times}


def reference(arguments: argparse.Namespace, out: Path) -> Figures:
    """A clip of the reference, in a process of its own."""
    file = out / "measure_first_upstream.json"
    words = ["exact", "--parts", "--chunks", "20", "--rounds", "1", "--upstream", str(arguments.upstream)]
    words += ["--upstream-chunks", "14", "--json", str(file), "--limit", "200"]
    vj_bench([*words, *(["--smoke"] if arguments.smoke else [])])
    told = json.loads(file.read_text())
    return {
        "file": file.name,
        "failures": told["failures"],
        "ours_fps": {name: figures["fps"] for name, figures in told["ours"].items()},
        "upstream": {
            name: {part: figures[part] for part in ("fps", "chunk_ms", "streamed", "said")}
            for name, figures in told["upstream"].items()
        },
    }


@torch.inference_mode()
def main() -> int:
    """Measure every part; a part that fails is told and the next one runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="folder for the figures (default: $OUT, or bench/results)")
    parser.add_argument("--upstream", type=Path, metavar="DIR", help="a checkout of the reference implementation")
    parser.add_argument("--commit", default="", metavar="HASH", help="of what is measured, where git cannot tell")
    parser.add_argument("--smoke", action="store_true", help="tiny shapes: checks the script, measures nothing")
    arguments = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.type == "cpu" and not arguments.smoke:
        parser.error("no CUDA device: run on a GPU machine, or give --smoke to check the script")
    out, began_s = output_folder(arguments.out), time.monotonic()
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    result: Figures = {"environment": describe(device), "smoke": arguments.smoke, "card": card_state()}
    result["commit"] = arguments.commit or result["environment"]["commit"]  # type: ignore[index]
    result["matmul_tflop_per_s"] = round(matmul_flops(device, dtype) / 1e12, 2)
    result["copy_gb_per_s"] = round(copy_bytes_per_s(device) / 1e9, 1)
    parts: dict[str, Callable[[], Figures]] = {
        part.__name__: lambda part=part: part(device, is_smoke=arguments.smoke)
        for part in (parity, attention, linears, decoders, graph, text)
    }
    if arguments.upstream:
        parts["reference"] = lambda: reference(arguments, out)
    for name, part in parts.items():
        try:
            result[name] = part()
        except FAULTS as error:
            result[name] = {"failed": f"{type(error).__name__}: {error}"}
        result["s"] = round(time.monotonic() - began_s, 1)
        print(json.dumps({name: result[name]}, indent=1), flush=True)
        (out / "measure_first.json").write_text(json.dumps(result, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
