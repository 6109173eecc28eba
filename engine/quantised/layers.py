"""Which layers of a transformer are computed narrower, and which are too sensitive: those stay as they are.

Kept: patches, time and text embeddings, head, modulations, VACE's projections, keys and values of the prompt.
"""

from __future__ import annotations

from torch import nn

from engine.model.cast_linear import FLOAT8, CastLinear
from engine.model.transformer import CausalWanTransformer
from engine.quantised.linears import Float8Linear, QuantisedLinear, fits

NARROW = ("self_attn.q", "self_attn.k", "self_attn.v", "self_attn.o", "cross_attn.q", "cross_attn.o", "ffn.0", "ffn.2")


def narrow_blocks(model: CausalWanTransformer, kind: str) -> tuple[str, ...]:
    """Let the blocks' large layers multiply in "fp8" or "int8", in place; the names of those that do.

    A layer whose sides do not divide by 16, or whose weight is stored narrow in another way, stays as it is.
    """
    narrowed = []
    for name, block in model.named_modules():
        if name.rpartition(".")[0] not in ("blocks", "vace_blocks"):
            continue
        for leaf in NARROW:
            if (layer := _narrow(block.get_submodule(leaf), kind)) is not None:
                block.set_submodule(leaf, layer)
                narrowed.append(f"{name}.{leaf}")
    return tuple(narrowed)


def _narrow(layer: nn.Module, kind: str) -> nn.Module | None:
    if isinstance(layer, CastLinear):
        is_float8 = kind == "fp8" and layer.weight.dtype == FLOAT8 and fits(layer)
        return Float8Linear(layer.weight.data, layer.scale, layer.bias) if is_float8 else None
    return QuantisedLinear(layer, kind) if isinstance(layer, nn.Linear) and fits(layer) else None
