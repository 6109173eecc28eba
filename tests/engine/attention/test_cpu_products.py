"""Attention as two products of matrices: the same answer to bfloat16's rounding, where it is asked for and suits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from engine.attention import cpu_products
from engine.attention.cpu_products import PRODUCTS, attend_by_products
from engine.attention.kernels import plain
from engine.model.attention import scaled_dot_product


def numbers(queries: int, keys: int, *, batch: int = 1) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and values out of larger memories, as a cache holds them."""
    generator = torch.Generator().manual_seed(3)
    q, k, v = (torch.randn(batch, count + 32, 4, 64, generator=generator) for count in (queries, keys, keys))
    return q[:, 32:], k[:, :keys], v[:, :keys]


@pytest.fixture
def switched_on() -> Iterator[None]:
    before, PRODUCTS.is_on = PRODUCTS.is_on, True
    yield
    PRODUCTS.is_on = before


@pytest.mark.parametrize("batch", [1, 2])
def test_the_answer_is_attention(batch: int) -> None:
    exact = numbers(96, 288, batch=batch)
    assert (attend_by_products(*exact) - plain(*exact)).abs().max() < 1e-5
    rounded = [x.bfloat16() for x in exact]
    answer = plain(*exact)
    errors = [
        (attend(*rounded) - answer).square().mean().sqrt() / answer.square().mean().sqrt()
        for attend in (plain, attend_by_products)
    ]
    assert errors[1] < 0.01
    assert errors[1] < 3 * errors[0]


def test_it_is_taken_where_it_suits(switched_on: None, monkeypatch: pytest.MonkeyPatch) -> None:
    q, k, v = (x.bfloat16() for x in numbers(48, 96))
    taken = attend_by_products(q, k, v)
    assert torch.equal(scaled_dot_product(q, k, v), taken)
    assert not PRODUCTS.suits(q.float(), k.float())
    assert not PRODUCTS.suits(q, k[:, :16]), "a prompt's few keys"
    assert torch.equal(scaled_dot_product(q.requires_grad_(), k, v), plain(q, k, v)), "training"
    monkeypatch.setattr(cpu_products, "LARGEST_SCORES", 1000)
    assert not PRODUCTS.suits(q, k), "scores that are too large for memory"
    PRODUCTS.is_on = False
    assert torch.equal(scaled_dot_product(q.detach(), k, v), plain(q.detach(), k, v))
