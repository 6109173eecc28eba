"""Muon: momentum whose matrix-shaped updates are made orthogonal, with Adam for everything else.

Knows nothing of models; the caller says which parameters are matrices.
"""

from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor, Replicate

# Newton-Schulz coefficients of K. Jordan et al., "Muon" (2024): the quintic with the steepest slope at zero
_QUINTIC = (3.4445, -4.7750, 2.0315)


def orthogonalise(update: Tensor, steps: int = 5) -> Tensor:
    """Return the matrices (N, rows, columns) with all singular values brought near 1."""
    a, b, c = _QUINTIC
    x = update.bfloat16()
    tall = x.shape[-2] > x.shape[-1]
    if tall:
        x = x.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return (x.mT if tall else x).to(update.dtype)


class Muon(torch.optim.Optimizer):
    """Muon for `matrices` (convolution kernels are flattened to matrices), AdamW for `others`."""

    def __init__(
        self,
        matrices: Iterable[nn.Parameter],
        others: Iterable[nn.Parameter],
        rate: float,
        adam_rate: float,
        weight_decay: float = 0.0,
    ) -> None:
        groups = [
            {"params": list(matrices), "lr": rate, "peak": rate, "is_matrix": True},
            {"params": list(others), "lr": adam_rate, "peak": adam_rate, "is_matrix": False},
        ]
        super().__init__(groups, {"weight_decay": weight_decay})

    def scale_rates(self, factor: float) -> None:
        """Set every learning rate to `factor` times its peak."""
        for group in self.param_groups:
            group["lr"] = group["peak"] * factor

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        """Update the parameters from their gradients."""
        for group in self.param_groups:
            if group["is_matrix"]:
                self._matrix_step(group)
            else:
                self._adam_step(group)

    def _matrix_step(self, group: dict) -> None:
        by_shape: dict[tuple[int, int], list[tuple[nn.Parameter, Tensor]]] = defaultdict(list)
        for p in group["params"]:
            if p.grad is None:
                continue
            momentum = self.state[p].setdefault("momentum", torch.zeros_like(p, memory_format=torch.contiguous_format))
            momentum.lerp_(p.grad, 0.05)
            look_ahead = _whole(p.grad.lerp(momentum, 0.95)).reshape(p.shape[0], -1)
            by_shape[tuple(look_ahead.shape)].append((p, look_ahead))
        for (rows, columns), entries in by_shape.items():
            updates = orthogonalise(torch.stack([update for _, update in entries]))
            scale = max(1.0, rows / columns) ** 0.5
            for (p, _), update in zip(entries, updates, strict=True):
                p.mul_(1.0 - group["lr"] * group["weight_decay"])
                p.add_(_as_shard(update.reshape(p.shape), p), alpha=-group["lr"] * scale)

    def _adam_step(self, group: dict) -> None:
        for p in group["params"]:
            if p.grad is None:
                continue
            state = self.state[p]
            if not state:
                state.update(step=0, mean=torch.zeros_like(p), square=torch.zeros_like(p))
            state["step"] += 1
            state["mean"].lerp_(p.grad, 0.1)
            state["square"].lerp_(p.grad * p.grad, 0.02)
            mean = state["mean"] / (1.0 - 0.9 ** state["step"])
            square = state["square"] / (1.0 - 0.98 ** state["step"])
            p.mul_(1.0 - group["lr"] * group["weight_decay"])
            p.addcdiv_(mean, square.sqrt().add_(1e-8), value=-group["lr"])


def _whole(tensor: Tensor) -> Tensor:
    # a matrix is made orthogonal as a whole: each process gathers it and does the same
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def _as_shard(tensor: Tensor, like: Tensor) -> Tensor:
    if not isinstance(like, DTensor):
        return tensor
    everywhere = [Replicate()] * like.device_mesh.ndim
    return DTensor.from_local(tensor, like.device_mesh, everywhere, run_check=False).redistribute(
        placements=like.placements
    )
