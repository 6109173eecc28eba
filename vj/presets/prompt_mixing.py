"""How a fade between two sets of prompts looks on the pads: old and new texts side by side, weighted.

Works on plain values. Knows nothing of time, files or who fades.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.parameter import Value
from engine.params import PROMPT_PADS

BLEND_ADDRESS = "/vj/prompt/blend"
PADS = range(1, PROMPT_PADS + 1)


def text_address(pad: int) -> str:
    """Address of the text of prompt pad 1.."""
    return f"/vj/prompt/{pad}/text"


def weight_address(pad: int) -> str:
    """Address of the weight of prompt pad 1.."""
    return f"/vj/prompt/{pad}/weight"


def solo_address(pad: int) -> str:
    """Address of the solo switch of prompt pad 1.."""
    return f"/vj/prompt/{pad}/solo"


TEXTS = frozenset(text_address(pad) for pad in PADS)
WEIGHTS = frozenset(weight_address(pad) for pad in PADS)
PROMPTS = TEXTS | WEIGHTS
SOLOS = frozenset(solo_address(pad) for pad in PADS)


def has_to_mix(start: Mapping[str, Value], target: Mapping[str, Value]) -> bool:
    """Say whether a pad that is heard gets another text: weights alone cannot fade that."""
    heard = [pad for pad in _soloed(start) or PADS if float(start[weight_address(pad)]) > 0.0]
    return any(start[text_address(pad)] != target[text_address(pad)] for pad in heard)


def mixed_prompts(start: Mapping[str, Value], target: Mapping[str, Value], share: float) -> dict[str, Value]:
    """Lay old and new texts side by side on the pads, weighted. A text stays on one pad through the whole fade.

    `share` is that of the target, 0..1; both mappings hold every pad. More texts than pads: those that are heaviest
    before or after the fade stay. Solos are spelled out as weights: a text that is not heard has no share.
    """
    before, after = _text_shares(start), _text_shares(target)
    peaks = {text: max(before.get(text, 0.0), after.get(text, 0.0)) for text in (*before, *after)}
    kept = sorted(peaks, key=lambda text: -peaks[text])[:PROMPT_PADS]
    pads = {text: pad for pad in PADS if (text := start[text_address(pad)]) in kept and text in before}
    free = [pad for pad in PADS if pad not in pads.values()]
    for text in kept:
        if text not in pads:
            pads[text] = free.pop(0)
    mixed: dict[str, Value] = {weight_address(pad): 0.0 for pad in PADS}
    for text, pad in pads.items():
        mixed[text_address(pad)] = text
        mixed[weight_address(pad)] = (1.0 - share) * before.get(text, 0.0) + share * after.get(text, 0.0)
    if _soloed(start) or _soloed(target):
        mixed |= {solo_address(pad): False for pad in PADS}
    return mixed


def _soloed(values: Mapping[str, Value]) -> list[int]:
    return [pad for pad in PADS if values.get(solo_address(pad), False)]


def _text_shares(values: Mapping[str, Value]) -> dict[str, float]:
    """Return what part of the picture each text has; silent pads left out."""
    shares: dict[str, float] = {}
    for pad in _soloed(values) or PADS:
        text, weight = str(values[text_address(pad)]), float(values[weight_address(pad)])
        if weight > 0.0:
            shares[text] = shares.get(text, 0.0) + weight
    total = sum(shares.values())
    return {text: weight / total for text, weight in shares.items()}
