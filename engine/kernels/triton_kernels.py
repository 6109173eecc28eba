"""Running the fused kernels on tensors. Imported only where Triton is (`choice.py`)."""

from __future__ import annotations

import torch
import triton
from torch import Tensor

from engine.kernels.shaping import FLOAT8, SMALLEST_PEAK, After, Folded, Rows8
from engine.kernels.triton_rows import gelu_kernel, norm_kernel, norm_rotate_kernel

_ROUNDING = {torch.float32: 0, torch.bfloat16: 1, torch.float16: 2}
_NARROW = {"": 0, "fp8": 1, "int8": 2}
_NARROW_TYPES = {"fp8": FLOAT8, "int8": torch.int8}
NUMBERS_PER_WARP = 256  # that one warp takes: 8 a thread
FEWEST_NUMBERS = 2048  # of a program: short rows share one


class TritonKernels:
    """As `PlainKernels`, each a single pass over memory. For CUDA devices, and for the interpreter."""

    name = "triton"

    def norm(self, x: Tensor, eps: float, after: After, narrow: str = "") -> Tensor | Rows8:
        """Layer norm over E, then `after`."""
        _, out = _run_norm(x, None, None, eps, after, narrow)
        return out

    def add_norm(
        self, x: Tensor, y: Tensor, gate: tuple[Folded, int] | None, eps: float, after: After, narrow: str = ""
    ) -> tuple[Tensor, Tensor | Rows8]:
        """x + y * gate, and the norm of that."""
        return _run_norm(x, y, gate, eps, after, narrow)

    def add(self, x: Tensor, y: Tensor, gate: tuple[Folded, int] | None) -> Tensor:
        """x + y * gate."""
        total, _ = _run_norm(x, y, gate, 0.0, None, "")
        return total

    def norm_rotate(
        self, x: Tensor, weight: Tensor, eps: float, table: Tensor | None, out: Tensor, plain: Tensor | None = None
    ) -> None:
        """Norm by the root mean square, turn, write."""
        batch, length, width = x.shape
        assert x.stride(2) == 1, "rows must lie in one piece"
        for heads in (out, plain):
            assert heads is None or heads.stride()[2:] == (heads.shape[3], 1), "a token's heads must lie in one piece"
        angles = torch.view_as_real(table.to(torch.complex64)) if table is not None else x
        kept = out if plain is None else plain
        block, together, warps = _sizes(width)
        norm_rotate_kernel[(triton.cdiv(length, together), batch)](
            x,
            weight,
            angles,
            out,
            kept,
            length,
            width,
            eps,
            out.shape[3] // 2,
            x.stride(0),
            x.stride(1),
            out.stride(0),
            out.stride(1),
            kept.stride(0),
            kept.stride(1),
            HAS_TABLE=table is not None,
            HAS_PLAIN=plain is not None,
            FLOAT8_OUT=out.dtype == FLOAT8,
            KIND=_ROUNDING[x.dtype],
            ROWS=together,
            BLOCK=block,
            num_warps=warps,
        )

    def gelu(self, x: Tensor, narrow: str = "") -> Tensor | Rows8:
        """GELU by tanh."""
        return _run_gelu(x, True, narrow)

    def rows8(self, x: Tensor, narrow: str) -> Rows8:
        """Rows as they are, narrow."""
        return _run_gelu(x, False, narrow)


def _run_norm(
    x: Tensor, y: Tensor | None, gate: tuple[Folded, int] | None, eps: float, after: After | None, narrow: str
) -> tuple[Tensor, Tensor | Rows8]:
    """Run `norm_kernel` over tokens (B, F, P, E); of what is not asked for the input is returned."""
    x = x.contiguous()
    batch, frames, patches, width = x.shape
    wishes = after or After()
    folded = gate[0] if gate is not None else wishes.modulations
    if gate is not None and wishes.modulations is not None and gate[0] is not wishes.modulations:
        raise ValueError("a gate and a modulation of one call must be of one timestep")
    rows = x if folded is None else folded.rows
    if folded is not None and rows.shape[0] != batch:
        rows = rows.expand(batch, -1, -1, -1)
    rows = rows.contiguous()
    total = x if y is None else torch.empty_like(x)
    out = torch.empty_like(x, dtype=_NARROW_TYPES.get(narrow, x.dtype)) if after is not None else x
    scales = torch.empty(*x.shape[:-1], 1, dtype=torch.float32, device=x.device) if narrow else x
    weight = x if wishes.weight is None else wishes.weight
    count = batch * frames * patches
    block, together, warps = _sizes(width)
    norm_kernel[(triton.cdiv(count, together),)](
        x,
        x if y is None else y.contiguous(),
        total,
        out,
        scales,
        weight,
        weight if wishes.bias is None else wishes.bias,
        rows,
        count,
        width,
        eps,
        patches if folded is not None and folded.frames > 1 else frames * patches,
        0 if gate is None else gate[1],
        wishes.shift,
        wishes.scale,
        1 if folded is None else rows.shape[2],
        HAS_Y=y is not None,
        HAS_GATE=gate is not None,
        HAS_NORM=after is not None,
        HAS_WEIGHT=wishes.weight is not None,
        HAS_MODULATIONS=wishes.modulations is not None,
        NARROW=_NARROW[narrow],
        SMALLEST=SMALLEST_PEAK,
        KIND=_ROUNDING[x.dtype],
        ROWS=together,
        BLOCK=block,
        num_warps=warps,
    )
    return total, Rows8(out, scales) if narrow else out


def _run_gelu(x: Tensor, has_gelu: bool, narrow: str) -> Tensor | Rows8:
    x = x.contiguous()
    width = x.shape[-1]
    out = torch.empty_like(x, dtype=_NARROW_TYPES.get(narrow, x.dtype))
    scales = torch.empty(*x.shape[:-1], 1, dtype=torch.float32, device=x.device) if narrow else x
    count = x.numel() // width
    block, together, warps = _sizes(width)
    gelu_kernel[(triton.cdiv(count, together),)](
        x,
        out,
        scales,
        count,
        width,
        HAS_GELU=has_gelu,
        NARROW=_NARROW[narrow],
        SMALLEST=SMALLEST_PEAK,
        KIND=_ROUNDING[x.dtype],
        ROWS=together,
        BLOCK=block,
        num_warps=warps,
    )
    return Rows8(out, scales) if narrow else out


def _sizes(width: int) -> tuple[int, int, int]:
    """Columns and rows of a program's tile, and its warps."""
    block = triton.next_power_of_2(width)
    together = max(1, FEWEST_NUMBERS // block)
    return block, together, max(1, min(16, block * together // NUMBERS_PER_WARP))


TRITON = TritonKernels()
