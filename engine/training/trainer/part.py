"""One part of an objective with its optimiser and its average: one optimiser step from a whole batch."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)

from engine.training.objective import MicroLoss
from engine.training.trainer.average import Average
from engine.training.trainer.figures import merge, summary
from engine.training.trainer.optimisers import make_optimiser, rate_factor, set_rates
from engine.training.trainer.settings import OptimiserSettings, TrainerSettings
from engine.training.trainer.sharding import local, release, whole, whole_weights
from engine.training.trainer.world import World

TRAINED_ONLY = StateDictOptions(ignore_frozen_params=True)  # what is frozen comes from its own file again


class Part:
    """A module that is trained, already placed. Every process calls every method together."""

    def __init__(
        self, name: str, module: nn.Module, settings: TrainerSettings, optimiser: OptimiserSettings, world: World
    ) -> None:
        self.name, self.module = name, module
        self._settings, self._world = settings, world
        self._parameters = [p for p in module.parameters() if p.requires_grad]
        self._optimiser = make_optimiser(module, optimiser)
        self._average = Average(module, settings.ema) if settings.ema > 0.0 else None

    def step(self, step: int, micro_loss: Callable[[int, int], MicroLoss]) -> tuple[bool, dict[str, float]]:
        """Accumulate a batch and take an optimiser step; False = there was no finite gradient and nothing changed.

        `micro_loss` is called with (turn, micro) and makes the loss of one micro-batch.
        """
        turns = math.ceil(self._settings.micro_batches / self._world.size)
        losses = []
        for turn in range(turns):
            micro = turn * self._world.size + self._world.rank
            with self._narrow():
                loss = micro_loss(turn, micro)
            if micro >= self._settings.micro_batches:  # every process calls as often as the others, to no effect
                loss = MicroLoss(loss.total * 0.0, 0.0, {}, 0.0)
            loss.total.backward()
            losses.append(loss)
        gathered = [row for rows in self._world.gather(summary(losses)) for row in rows]
        weight, figures = merge(gathered)
        norm = self._clip(weight)
        figures["grad_norm"] = norm
        is_finite = math.isfinite(norm) and math.isfinite(figures["loss"])
        if is_finite:
            factor = rate_factor(step, self._settings)
            set_rates(self._optimiser, factor)
            self._optimiser.step()
            figures["rate_share"] = factor
            self._follow(step)
        self._optimiser.zero_grad(set_to_none=True)
        release(self.module)
        return is_finite, {f"{self.name}.{key}": value for key, value in figures.items()}

    def zero_grad(self) -> None:
        """Forget gradients: another part's loss may have left some."""
        self._optimiser.zero_grad(set_to_none=True)

    def averaged(self) -> contextlib.AbstractContextManager[None]:
        """The module holds its averaged weights meanwhile, where an average is kept."""
        return self._average.in_place() if self._average is not None else contextlib.nullcontext()

    def whole_weights(self) -> dict[str, Tensor]:
        """The averaged weights, whole, on the first process's CPU."""
        with self.averaged():
            weights = whole_weights(self.module)
            return {name: weight.clone() for name, weight in weights.items()}

    def state(self) -> dict[str, Any]:
        """What a checkpoint holds of the part: shards, not copies."""
        average = {} if self._average is None else {"average": self._average.weights}
        return {
            "weights": get_model_state_dict(self.module, options=TRAINED_ONLY),
            "optimiser": get_optimizer_state_dict(self.module, self._optimiser),
        } | average

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what a checkpoint was read into; rates stay those of the settings."""
        set_model_state_dict(self.module, state["weights"], options=StateDictOptions(strict=False))
        asked = [{key: v for key, v in group.items() if key != "params"} for group in self._optimiser.param_groups]
        set_optimizer_state_dict(self.module, self._optimiser, state["optimiser"])
        for group, values in zip(self._optimiser.param_groups, asked, strict=True):
            group.update(values)

    def _follow(self, step: int) -> None:
        if self._average is not None:
            if step < self._settings.ema_start_step:
                self._average.restart()
            else:
                self._average.update()

    def _narrow(self) -> contextlib.AbstractContextManager[None]:
        if self._settings.dtype == "float32":
            return contextlib.nullcontext()
        # no cache: it would keep a whole narrow copy of weights that are sharded
        is_sharded = self._world.mesh is not None
        return torch.autocast(self._world.device.type, torch.bfloat16, cache_enabled=not is_sharded)

    def _clip(self, weight: float) -> float:
        """Divide the gradient by the batch's weight, clip it, and return its norm before."""
        grads = [p.grad for p in self._parameters if p.grad is not None]
        if not grads or not math.isfinite(weight) or weight <= 0.0:
            return math.nan
        # shards hold the mean over processes of sums over samples
        torch._foreach_mul_([local(grad) for grad in grads], self._world.size / weight)
        norm = torch.nn.utils.get_total_norm(grads)
        if self._settings.clip_norm > 0.0:
            torch.nn.utils.clip_grads_with_norm_(self._parameters, self._settings.clip_norm, norm)
        return float(whole(norm))
