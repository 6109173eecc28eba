"""How strongly a chunk is guided in each denoising step: the scale, its fall over the steps, the steps chosen."""

from __future__ import annotations

from engine.params import ChunkParams


def step_scales(params: ChunkParams, steps: int, scale: float) -> tuple[float, ...]:
    """Scale of each of `steps`, 0 = not guided: from `scale` evenly to `scale * vace_scale_end` at the last one.

    A single step has the whole scale; steps that are not chosen have 0, and the others keep theirs.
    """
    guided = _guided(params.vace_steps, steps)
    falls = [1.0 + (params.vace_scale_end - 1.0) * step / max(1, steps - 1) for step in range(steps)]
    return tuple(scale * fall if step in guided else 0.0 for step, fall in enumerate(falls))


def _guided(chosen: str, steps: int) -> range:
    if chosen == "first":
        return range(1)
    if chosen == "first two":
        return range(min(2, steps))
    if chosen == "last two":
        return range(max(0, steps - 2), steps)
    if chosen == "last":
        return range(steps - 1, steps)
    return range(steps)
