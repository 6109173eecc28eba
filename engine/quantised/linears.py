"""Linear layers multiplied in float8 or int8: each row of the weight and each token has a scale of its own.

The wide weight stays beside the narrow one: LoRAs are mixed into it, and the base's bits come back when they go.
"""

from __future__ import annotations

import functools
import importlib.util

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.attention.kernels import Capability
from engine.kernels.shaping import FLOAT8, Rows8, rows8
from engine.model.cast_linear import CastLinear

SIDE = 16  # float8 and int8 products want sides divisible by this
FEWEST_INT8_ROWS = 17  # of CUDA's int8 product


class QuantisedLinear(nn.Module):
    """y = x W^T + bias with both factors rounded to float8 (e4m3) or int8, summed wide.

    `weight` and `bias` are those of the layer it stands for, which LoRAs change; `narrow` must be called after that.
    """

    def __init__(self, linear: nn.Linear, kind: str) -> None:
        """`kind` is "fp8" or "int8"."""
        super().__init__()
        self.kind = kind
        self.weight, self.bias = linear.weight, linear.bias
        rows, columns = linear.weight.shape
        device = linear.weight.device
        stored = torch.empty(rows, columns, dtype=FLOAT8 if kind == "fp8" else torch.int8, device=device)
        self.register_buffer("stored", stored, persistent=False)
        self.register_buffer("scale", torch.empty(rows, 1, device=device), persistent=False)
        self.narrow()

    @torch.no_grad()
    def narrow(self) -> None:
        """Make the narrow weight from the wide one, in place: the same wide bits give the same narrow ones."""
        made = rows8(self.weight, self.kind)
        self.stored.copy_(made.values)
        self.scale.copy_(made.scale)

    def forward(self, x: Tensor | Rows8, dtype: torch.dtype | None = None) -> Tensor:
        """(.., in) -> (.., out) in x's number type, or `dtype` where x is narrow already."""
        narrow = x if isinstance(x, Rows8) else rows8(x, self.kind)
        wanted = dtype or (self.weight.dtype if isinstance(x, Rows8) else x.dtype)
        return multiply(narrow, Rows8(self.stored, self.scale), self.bias, wanted)


class Float8Linear(CastLinear):
    """A layer stored in float8 alone, multiplied as it is stored; without a second copy of the weight.

    While a LoRA is on it, it is multiplied wide: see `KeptWeights`.
    """

    def forward(self, x: Tensor | Rows8, dtype: torch.dtype | None = None) -> Tensor:
        """(.., in) -> (.., out), as `QuantisedLinear`."""
        wanted = dtype or (self.bias.dtype if isinstance(x, Rows8) and self.bias is not None else _dtype_of(x))
        if self.weight.dtype != FLOAT8 or self.scale is None or self.scale.numel() != len(self.weight):
            return super().forward(x.widened(wanted) if isinstance(x, Rows8) else x)
        narrow = x if isinstance(x, Rows8) else rows8(x, "fp8")
        return multiply(narrow, Rows8(self.weight, self.scale), self.bias, wanted)


def multiply(x: Rows8, weight: Rows8, bias: Tensor | None, dtype: torch.dtype) -> Tensor:
    """x (.., in) times weight (out, in) transposed, both narrow with a scale per row; (.., out) in `dtype`."""
    shape = (*x.values.shape[:-1], weight.values.shape[0])
    values, scale = x.values.flatten(0, -2), x.scale.flatten(0, -2)
    product = _float8_product if values.dtype == FLOAT8 else _int8_product
    return product(values, scale, weight, bias, dtype).view(shape)


def _float8_by_kernel(values: Tensor, scale: Tensor, weight: Rows8, bias: Tensor | None, dtype: torch.dtype) -> Tensor:
    """The device's own product: Hopper, Ada and later, and CPUs. In bfloat16, which is what rows with scales give."""
    product = torch._scaled_mm(
        values,
        weight.values.t(),
        scale_a=scale,
        scale_b=weight.scale.t(),
        bias=None if bias is None else bias.to(torch.bfloat16),
        out_dtype=torch.bfloat16,
        use_fast_accum=True,
    )
    return product.to(dtype)


def _float8_by_casting(values: Tensor, scale: Tensor, weight: Rows8, bias: Tensor | None, dtype: torch.dtype) -> Tensor:
    """The same numbers multiplied wide, where there is no float8 product: slower, for its numerics."""
    product = functional.linear(values.float(), weight.values.float()) * scale * weight.scale.t()
    return (product if bias is None else product + bias.float()).to(dtype)


def _float8_product(values: Tensor, scale: Tensor, weight: Rows8, bias: Tensor | None, dtype: torch.dtype) -> Tensor:
    by = _float8_by_kernel if has_float8_product(values.device) else _float8_by_casting
    return by(values, scale, weight, bias, dtype)


def _int8_product(values: Tensor, scale: Tensor, weight: Rows8, bias: Tensor | None, dtype: torch.dtype) -> Tensor:
    rows = len(values)
    if rows < FEWEST_INT8_ROWS:
        values = functional.pad(values, (0, 0, 0, FEWEST_INT8_ROWS - rows))
    sums = torch._int_mm(values, weight.values.t())[:rows]
    if values.is_cuda and _has_triton():
        from engine.quantised.triton_widen import widen

        return widen(sums, scale, weight.scale, bias, dtype)
    product = sums.float() * scale * weight.scale.t()
    return (product if bias is None else product + bias.float()).to(dtype)


@functools.cache
def has_float8_product(device: torch.device) -> bool:
    """Whether a device multiplies float8 itself: compute capability 8.9 and up."""
    return Capability.of(device).is_at_least(8, 9)


@functools.cache
def _has_triton() -> bool:
    return importlib.util.find_spec("triton") is not None


def fits(linear: nn.Module) -> bool:
    """Whether a layer can be narrow: its sides divide evenly."""
    weight = linear.weight
    return not weight.shape[0] % SIDE and not weight.shape[1] % SIDE


def _dtype_of(x: Tensor | Rows8) -> torch.dtype:
    return torch.bfloat16 if isinstance(x, Rows8) else x.dtype
