"""Which news are hard cues: worth giving up a chunk that is under way and making it anew with them.

Works on parameters and numbers alone. Knows nothing of queues, rings or models.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.params import ChunkParams

JUMP_SHARE = 0.5  # of the prompts' blend that becomes another at once; a fade moves less between two looks
RESERVE_S = 0.12  # of frames left when the chunk made anew is there: with less the display slows down


def is_hard_cue(
    made_with: ChunkParams, newest: ChunkParams, playing: Sequence[str], is_ready: Callable[[str], bool]
) -> bool:
    """Whether the newest values jump from those of a chunk under way: another seed, or another prompt.

    `playing` are the texts that the chunk really plays, by pad; a text that is not `is_ready` would change nothing.
    """
    if made_with.seed != newest.seed and newest.seed_morph < 1.0:
        return True
    before, after = _shares(made_with.heard_weights), _shares(newest.heard_weights)
    if not any(after):
        return False  # the last blend plays on
    changed = sum(
        share
        for share, text, old in zip(after, newest.prompt_texts, playing, strict=False)
        if share > 0.0 and text != old and text and is_ready(text)
    )
    moved = sum(abs(new - old) for new, old in zip(after, before, strict=True)) / 2
    return changed >= JUMP_SHARE or moved >= JUMP_SHARE


def can_begin_anew(buffered_s: float, needed_s: float) -> bool:
    """Whether what is in hand is played without a pause until frames of a chunk that is begun now are there."""
    return buffered_s >= needed_s + RESERVE_S


def _shares(weights: Sequence[float]) -> list[float]:
    total = sum(weights)
    return [weight / total for weight in weights] if total > 0.0 else [0.0] * len(weights)
