"""What the trainer asks of an objective, and what it gives it. Knows nothing of models, optimisers or processes.

An objective says which modules it trains, what is trained in a step, and the loss of one micro-batch. The trainer
(engine/training/trainer) shards, accumulates, clips, steps, averages, saves and resumes; no objective does. How a stage
is found, configured and built: engine/training/stage.py.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class MicroLoss:
    """The loss of one micro-batch.

    `total` is the SUM over its samples of weight * loss and `weight` the sum of their weights: the trainer divides
    the accumulated gradient by the weights of the whole batch on all ranks. `weight_squares` is the sum of squared
    weights where they differ; the effective sample size is logged from it.
    """

    total: Tensor
    weight: float
    figures: Mapping[str, float] = field(default_factory=dict)  # means over the samples; averaged over the batch
    weight_squares: float | None = None


@dataclass(frozen=True)
class Draw:
    """The randomness of one micro-batch, a pure function of its place: nothing has to be saved to resume exactly.

    `micro` counts the micro-batches of a step over all ranks, so that the same batch is drawn by any number of ranks;
    `turn` counts those of one rank. All generators are the CPU's: the same numbers on every device.
    """

    seed: int
    step: int
    part: str
    turn: int
    micro: int
    samples: int  # how many samples `loss` has to draw

    @cached_property
    def shared(self) -> torch.Generator:
        """Equal on all ranks in one turn: for exit steps and lengths, which decide the shape of the computation."""
        return torch.Generator().manual_seed(self._key("shared", self.turn))

    @cached_property
    def own(self) -> torch.Generator:
        """Another one for each micro-batch: for noise and data."""
        return torch.Generator().manual_seed(self._key("own", self.micro))

    @cached_property
    def dice(self) -> random.Random:
        """As `own`, for choices among Python's own things: prompts, captions."""
        return random.Random(self._key("dice", self.micro))

    def _key(self, use: str, index: int) -> int:
        # a hash, not a sum: neighbouring steps and seeds must not share streams
        text = f"{self.seed}/{self.step}/{self.part}/{use}/{index}"
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") >> 1


class Objective(Protocol):
    """What a stage trains. Modules are built on the CPU; the trainer moves and shards them in place before any loss.

    A sharded module is called only through `__call__` and the methods named in engine/training/trainer/sharding.py.
    """

    trained: Mapping[str, nn.Module]
    """By name ("generator", "critic", ...): sharded, optimised, averaged, saved; of them, what requires grad."""

    frozen: Mapping[str, nn.Module]
    """Teachers, rewards, decoders: placed, never saved."""

    def parts(self, step: int) -> tuple[str, ...]:
        """Names of `trained` that take an optimiser step in step `step` (from 0), in order."""

    def loss(self, part: str, step: int, draw: Draw) -> MicroLoss:
        """Loss of one micro-batch of `draw.samples` samples for one part; the graph reaches that part's parameters."""


@runtime_checkable
class Judge(Protocol):
    """An objective that can end its run early."""

    def verdict(self, step: int, figures: Mapping[str, float]) -> str | None:
        """A sentence that ends the run, or None. Called after each step with the same figures on every rank."""


@runtime_checkable
class Painter(Protocol):
    """An objective that can show what it has learnt. All ranks call it together; averaged weights are in place."""

    def paint(self, prompts: tuple[str, ...], seed: int) -> Tensor:
        """Clips (prompts, frames, 3, H, W) in 0..1 for the fixed panel of prompts, the same noise every time."""


@runtime_checkable
class Remembering(Protocol):
    """An objective with state besides its modules, the same on every rank: tensors and numbers, saved and resumed."""

    def state_dict(self) -> dict[str, Any]:
        """What must survive a restart."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from it."""
