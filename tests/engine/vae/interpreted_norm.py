"""The Wan autoencoder with channels last and its Triton kernel under the interpreter, beside the plain one.

A program of its own, because the interpreter is chosen when Triton is imported. Prints the largest errors.
"""

import os

os.environ["TRITON_INTERPRET"] = "1"

import copy
import json
import sys

import torch

from engine.vae.layout import put_channels_last
from engine.vae.triton_norm import norm_silu_after
from engine.vae.wan_blocks import ResidualBlock
from engine.vae.wan_vae import WanVae, WanVaeConfig


@torch.inference_mode()
def main() -> None:
    torch.manual_seed(0)
    plain = WanVae(WanVaeConfig(dim=6, dim_mult=(1, 2), num_res_blocks=1, temporal_downsample=(True,))).eval()
    for weight in plain.parameters():
        weight.add_(0.1 * torch.randn_like(weight))
    fused = copy.deepcopy(plain)
    put_channels_last(fused)
    for block in fused.modules():
        if isinstance(block, ResidualBlock):
            block.fused = norm_silu_after
    states, errors = [None, None], []
    for frames in (1, 2, 1):
        latents = torch.randn(2, frames, 16, 3, 5)
        made = []
        for index, vae in enumerate((plain, fused)):
            pixels, states[index] = vae.decode_raw(latents, states[index])
            made.append(pixels)
        errors.append(((made[0] - made[1]).abs().max() / made[0].std()).item())
    norm = plain.decoder.middle[0].residual["0"]
    x = torch.randn(1, 12, 2, 3, 5, dtype=torch.bfloat16)
    joined = norm_silu_after(torch.zeros_like(x), x, norm)
    wide = torch.nn.functional.silu(norm(x.float()))
    errors.append((joined[:, :, 2:].float() - wide).abs().max().item() / wide.abs().max().item())
    sys.stdout.write(json.dumps(errors))


if __name__ == "__main__":
    main()
