"""Softmax attention on a processor as two products of matrices: PyTorch's own kernel multiplies bfloat16 as float32.

With AVX-512 BF16 it has been measured 2.4 times faster there, at twice the rounding error (0.45 % against 0.22 %).
Whether it is faster is measured at start-up (`engine.plans.machine_speed`).
"""

from __future__ import annotations

import torch
from torch import Tensor

LARGEST_SCORES = 1 << 25  # numbers of one sample's scores, which are all in memory at once; PyTorch's kernel takes none
FEWEST_KEYS = 64  # with fewer there is nothing to gain


class ProductsSwitch:
    """Whether this process attends so. Set before a model plays, by whoever loads it."""

    def __init__(self) -> None:
        self.is_on = False

    def suits(self, q: Tensor, k: Tensor) -> bool:
        """Whether q (B, L, N, D) over k (B, S, N, D) is attended by products."""
        if not self.is_on or q.dtype != torch.bfloat16 or q.device.type != "cpu" or k.shape[1] < FEWEST_KEYS:
            return False
        return q.shape[1] * k.shape[1] * q.shape[2] <= LARGEST_SCORES


PRODUCTS = ProductsSwitch()


def attend_by_products(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """softmax(q k^T / sqrt(D)) v for q (B, L, N, D), k and v (B, S, N, D); returns (B, L, N, D)."""
    scaled = q * q.shape[-1] ** -0.5
    answers = torch.empty_like(q)
    for sample in range(q.shape[0]):
        scores = torch.bmm(scaled[sample].transpose(0, 1), k[sample].permute(1, 2, 0))  # (N, L, S)
        answer = torch.bmm(torch.softmax(scores, dim=-1), v[sample].transpose(0, 1))
        answers[sample] = answer.transpose(0, 1)
    return answers
