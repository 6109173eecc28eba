"""Which kernels a chunk spends its time in, by torch's profiler: what to look at where a figure is missed."""

from __future__ import annotations

import torch
from torch.profiler import ProfilerActivity, profile

from engine.generator import Generator
from engine.params import ChunkParams

SHOWN = 25
NAME_LETTERS = 100
# first match wins; on a CPU the names are those of torch's operators
KINDS = (
    ("attention", ("flash", "fmha", "attention", "sdpa", "attn", "cudnn_generated_fort_native_sdpa")),
    ("convolution", ("conv", "implicit", "wgrad", "dgrad", "im2col")),
    ("linear", ("gemm", "nvjet", "cutlass", "addmm", "_mm", "::mm", "cublas", "matmul", "linear")),
    ("copy", ("memcpy", "memset", "copy", "cat", "contiguous")),
)
REST = "elementwise and norms"


def kernel_times(generator: Generator, params: ChunkParams, device: torch.device) -> dict[str, object]:
    """Milliseconds of one chunk by kind of kernel, the longest kernels, and what computes attention."""
    is_cuda = device.type == "cuda"
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if is_cuda else [])]
    with profile(activities=activities) as profiler:
        generator.generate_chunk(params)
        generator.remember_chunk()
        if is_cuda:
            torch.cuda.synchronize()
    rows = []
    for event in profiler.key_averages():
        taken_us = event.self_device_time_total if is_cuda else event.self_cpu_time_total
        if taken_us > 0 and (not is_cuda or event.device_type == torch.autograd.DeviceType.CUDA):
            rows.append((event.key[:NAME_LETTERS], taken_us / 1e3, event.count))
    rows.sort(key=lambda row: -row[1])
    kinds: dict[str, float] = {}
    for name, taken_ms, _ in rows:
        kinds[kind_of(name)] = kinds.get(kind_of(name), 0.0) + taken_ms
    attention = [name for name, _, _ in rows if kind_of(name) == "attention"]
    return {
        "by_kind_ms": {kind: round(taken, 3) for kind, taken in sorted(kinds.items(), key=lambda item: -item[1])},
        "longest": [{"name": name, "ms": round(taken, 3), "calls": calls} for name, taken, calls in rows[:SHOWN]],
        "attention": attention[:4],
        "launches": sum(calls for _, _, calls in rows),
    }


def kind_of(name: str) -> str:
    """What a kernel computes, by its name."""
    lowered = name.lower()
    return next((kind for kind, words in KINDS if any(word in lowered for word in words)), REST)
