"""The rolling kernel under Triton's interpreter beside the plain roll: prints the largest distance of each sink mode.

A program of its own, because the interpreter is chosen when Triton is imported.
"""

import os

os.environ["TRITON_INTERPRET"] = "1"

import json
import sys

import torch

from engine.caches.slot_cache import SlotCache
from engine.caches.triton_roll import roll_all
from engine.model.config import ModelConfig

CONFIG = ModelConfig(dim=36, ffn_dim=8, num_heads=3, num_layers=2, freq_dim=8, text_dim=8, text_len=2)


def contents(cache: SlotCache) -> torch.Tensor:
    used = cache.filled_frames * cache.tokens_per_frame
    return torch.stack([held[:, :, :used].float() for held in (cache._keys, cache._rotated, cache._values)])


@torch.inference_mode()
def main() -> None:
    errors = {}
    for dtype in (torch.float32, torch.bfloat16):
        plain, fused = (SlotCache(CONFIG, 2, 4, batch=1, dtype=dtype) for _ in range(2))
        fused.roll_all = roll_all
        generator = torch.Generator().manual_seed(0)
        plan = [("parity_bf16", 3, 9)] * 4 + [("ema_fp32", 3, 9)] * 2 + [("static", 3, 9), ("as_released", 3, 9)]
        plan += [("parity_bf16", 1, 9)] * 2 + [("static", 1, 7), ("as_released", 1, 7)]
        for mode, frames, window in plan:
            shape = (1, frames * 2, CONFIG.num_heads, CONFIG.head_dim)
            for cache in (plain, fused):
                cache.begin_chunk(frames, mode, 0.9, window)
            worst = (contents(plain) - contents(fused)).abs().max().item() / contents(plain).abs().max().clamp_min(
                1
            ).item()
            name = f"{mode} {dtype}"
            errors[name] = max(errors.get(name, 0.0), worst)
            for layer in range(CONFIG.num_layers):
                k, v = (torch.randn(shape, generator=generator).to(dtype) for _ in range(2))
                plain.store(layer, k, v)
                fused.store(layer, k, v)
    sys.stdout.write(json.dumps(errors))


if __name__ == "__main__":
    main()
