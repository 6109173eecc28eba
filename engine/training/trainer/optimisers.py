"""Optimisers of a part, their state made ready for a checkpoint, and the learning rate over the run."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import get_optimizer_state_dict

from engine.training.muon import Muon
from engine.training.trainer.settings import OptimiserSettings, TrainerSettings


def is_matrix(name: str, p: Tensor) -> bool:
    """Tell whether Muon takes a parameter: the blocks' matrices and the modulation's projection."""
    return p.ndim == 2 and (name.startswith(("blocks.", "vace_blocks.")) or name == "time_projection.1.weight")


def make_optimiser(module: nn.Module, settings: OptimiserSettings) -> torch.optim.Optimizer:
    """An optimiser over what requires grad, with `peak` beside every group's rate and with state from the start."""
    named = [(name, p) for name, p in module.named_parameters() if p.requires_grad]
    if settings.kind == "muon":
        matrices = [p for name, p in named if is_matrix(name, p)]
        others = [p for name, p in named if not is_matrix(name, p)]
        optimiser = Muon(matrices, others, settings.rate, settings.adam_rate, settings.weight_decay)
    else:
        betas = (settings.beta1, settings.beta2)
        parameters = [p for _, p in named]
        optimiser = torch.optim.AdamW(parameters, settings.rate, betas, settings.epsilon, settings.weight_decay)
        for group in optimiser.param_groups:
            group["peak"] = settings.rate
    # a step with zero gradients at rate 0: what a checkpoint is read into must exist before the first real step
    get_optimizer_state_dict(module, optimiser)
    for state in optimiser.state.values():
        if isinstance(state.get("step"), Tensor):
            state["step"].zero_()
        elif "step" in state:
            state["step"] = 0
    return optimiser


def rate_factor(step: int, settings: TrainerSettings) -> float:
    """The learning rate's share of its peak in a step: linear warm-up, level, linear to `rate_floor`."""
    if step < settings.warm_up_steps:
        return (step + 1) / settings.warm_up_steps
    begin = settings.hold * settings.steps
    if step <= begin or settings.hold >= 1.0:
        return 1.0
    return 1.0 - (1.0 - settings.rate_floor) * (step - begin) / (settings.steps - begin)


def set_rates(optimiser: torch.optim.Optimizer, factor: float) -> None:
    """Set every group's rate to `factor` times its peak."""
    for group in optimiser.param_groups:
        group["lr"] = group["peak"] * factor
