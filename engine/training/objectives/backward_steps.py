"""Which of the sampler's steps keep a graph: strategies of propagating rewards back (arXiv:2309.17400 and others)."""

from __future__ import annotations

import torch

STRATEGIES = ("last", "tail", "uniform", "random", "list")


def graded_steps(
    strategy: str, steps: int, count: int, listed: tuple[int, ...], generator: torch.Generator
) -> tuple[int, ...]:
    """Steps with a graph of `steps`, counted from 0, rising. `generator` must be the same on every rank.

    "last" the last one; "tail" the last `count`; "uniform" `count` at equal distances from a random start; "random"
    `count` different ones; "list" those of `listed`. Raises ValueError as `check_steps` does.
    """
    check_steps(strategy, steps, count, listed)
    if strategy == "list":
        return tuple(sorted(set(listed)))
    if strategy == "last":
        return (steps - 1,)
    if strategy == "tail":
        return tuple(range(steps - count, steps))
    if strategy == "random":
        return tuple(sorted(torch.randperm(steps, generator=generator)[:count].tolist()))
    distance = steps // count
    start = int(torch.randint(distance, (), generator=generator))
    return tuple(start + i * distance for i in range(count))


def check_steps(strategy: str, steps: int, count: int, listed: tuple[int, ...]) -> None:
    """Raise ValueError for a strategy that a sampler of so many steps cannot follow."""
    if strategy not in STRATEGIES:
        raise ValueError(f"strategy = {strategy!r} must be one of {', '.join(STRATEGIES)}")
    if strategy == "list" and (not listed or any(not 0 <= step < steps for step in listed)):
        raise ValueError(f"step_list = {list(listed)}: must name steps of 0..{steps - 1}")
    if strategy in ("tail", "uniform", "random") and not 1 <= count <= steps:
        raise ValueError(f"backward_steps = {count}: the sampler has {steps}")
