"""How an autoencoder lies in a GPU's memory, and its fused kernels: the same numbers, sooner. Nothing on a CPU."""

from __future__ import annotations

import importlib.util

import torch
from torch import nn

from engine.vae.frame_by_frame import FrameByFrame
from engine.vae.latents import StreamingAutoencoder
from engine.vae.wan_blocks import ResidualBlock
from engine.vae.wan_vae import WanVae


def prepare_decoder(autoencoder: StreamingAutoencoder, device: torch.device, *, is_fused: bool) -> None:
    """Bring an autoencoder whose weights are in place into the form that is fastest on its device, in place."""
    inner = autoencoder.autoencoder if isinstance(autoencoder, FrameByFrame) else autoencoder
    if device.type != "cuda" or not isinstance(inner, WanVae):
        return  # the tiny ones have their channels last everywhere
    put_channels_last(inner)
    if is_fused and importlib.util.find_spec("triton") is not None:
        from engine.vae.triton_norm import norm_silu_after

        for block in inner.modules():
            if isinstance(block, ResidualBlock):
                block.fused = norm_silu_after


def put_channels_last(model: nn.Module) -> None:
    """Lay out the weights of convolutions so that activations keep their channels last from end to end."""
    for module in model.modules():
        if isinstance(module, nn.Conv3d):
            module.weight.data = module.weight.data.contiguous(memory_format=torch.channels_last_3d)
        elif isinstance(module, nn.Conv2d):
            module.weight.data = module.weight.data.contiguous(memory_format=torch.channels_last)
