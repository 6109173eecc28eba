"""Modules over processes: FSDP2 per transformer block, in place; and whole weights again. Knows nothing of training."""

from __future__ import annotations

import functools
import warnings

import torch
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor
from torch.utils.checkpoint import checkpoint

from engine.model.block import Block
from engine.model.transformer import CausalWanTransformer
from engine.model.vace import VaceBlock
from engine.training.trainer.settings import TrainerSettings
from engine.training.trainer.world import World
from engine.vae.tiny_vae import TinyVae

# What may be called on a sharded module besides itself: its weights are gathered around these
METHODS: dict[type[nn.Module], tuple[str, ...]] = {
    CausalWanTransformer: ("encode_text", "remember"),
    Block: ("prompt_keys_values", "store"),
    VaceBlock: ("prompt_keys_values",),
    TinyVae: ("encode", "decode", "decode_unclamped"),
}


def place(module: nn.Module, world: World, settings: TrainerSettings, is_trained: bool) -> None:
    """Move a module to the device; in several processes shard it, if it is trained or a transformer.

    Frozen modules of other classes (decoders, rewards) are small: every process keeps a copy.
    """
    module.to(world.device)
    if not is_trained:
        module.requires_grad_(False).eval()
        if isinstance(module, CausalWanTransformer) and settings.frozen_dtype == "bfloat16":
            module.bfloat16()
    blocks = [*module.blocks, *module.vace_blocks] if isinstance(module, CausalWanTransformer) else []
    for block in blocks:
        if settings.recompute and is_trained:
            # inside the module's call: in the backward pass its weights are gathered before it runs again
            block.forward = functools.partial(checkpoint, block.forward, use_reentrant=False)
        if settings.compile:
            block.compile(dynamic=False)
    if world.mesh is None or not (is_trained or blocks):
        return
    # said of every output that is reshaped at its end; nothing here is changed in place
    warnings.filterwarnings("ignore", "FSDP2-wrapped module", UserWarning)
    narrow = torch.bfloat16 if settings.gather_dtype == "bfloat16" else None
    policy = MixedPrecisionPolicy(narrow, torch.float32, cast_forward_inputs=False)
    keep = settings.keep_gathered and is_trained
    for part in [*blocks, module]:
        # a root's weights are needed at the end of the forward pass and at once again: never worth gathering twice
        fully_shard(part, mesh=world.mesh, mp_policy=policy, reshard_after_forward=not keep and part is not module)
        for name in METHODS.get(_plain_class(part), ()):
            register_fsdp_forward_method(part, name)


def _plain_class(module: nn.Module) -> type[nn.Module]:
    return next(kind for kind in type(module).__mro__ if not issubclass(kind, FSDPModule))


def release(module: nn.Module) -> None:
    """Free gathered weights, where a module keeps them between passes."""
    for part in module.modules():
        if isinstance(part, FSDPModule):
            part.reshard()


def local(tensor: Tensor) -> Tensor:
    """What this process holds of a tensor: its shard, or all of it. Shares memory."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def whole(tensor: Tensor) -> Tensor:
    """All of a tensor. Every process must call it."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def whole_weights(module: nn.Module) -> dict[str, Tensor]:
    """All weights and buffers, float32 where they float, on the CPU of the first process; empty on the others.

    Every process must call it.
    """
    options = StateDictOptions(full_state_dict=True, cpu_offload=True)
    weights = get_model_state_dict(module, options=options)
    return {name: w.float() if w.is_floating_point() else w for name, w in weights.items()}
