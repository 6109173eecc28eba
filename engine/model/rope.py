"""Three-axis rotary positions by slot in the window, not by absolute time. Knows nothing of caches or layers."""

from __future__ import annotations

import torch
from torch import Tensor

BASE = 10_000.0  # Wan2.1


def axis_pairs(head_dim: int) -> tuple[int, int, int]:
    """Channel pairs given to time, height and width: d_h = d_w = 2 * floor(D / 6), the rest to time (Wan2.1)."""
    spatial = head_dim // 6
    return head_dim // 2 - 2 * spatial, spatial, spatial


def _axis_angles(positions: Tensor, pairs: int) -> Tensor:
    # angle of pair j at position p: p * 10000^(-2j / D_axis), D_axis = 2 * pairs
    frequencies = BASE ** (-torch.arange(pairs, dtype=torch.float64) / pairs)
    return torch.outer(positions.double(), frequencies)  # (positions, pairs)


def rotation_table(frames: int, height: int, width: int, head_dim: int, dtype: torch.dtype = torch.complex64) -> Tensor:
    """Unit complex numbers for slots 0..frames-1 of a patch grid: (frames * height * width, D / 2), made in float64.

    complex128 reproduces the reference bit for bit in bfloat16; complex64 is what plays live.
    """
    time_pairs, height_pairs, width_pairs = axis_pairs(head_dim)
    time = _axis_angles(torch.arange(frames), time_pairs)[:, None, None, :].expand(-1, height, width, -1)
    rows = _axis_angles(torch.arange(height), height_pairs)[None, :, None, :].expand(frames, -1, width, -1)
    columns = _axis_angles(torch.arange(width), width_pairs)[None, None, :, :].expand(frames, height, -1, -1)
    angles = torch.cat([time, rows, columns], dim=-1).reshape(frames * height * width, head_dim // 2)
    return torch.polar(torch.ones_like(angles), angles).to(dtype)


def rotate(x: Tensor, table: Tensor) -> Tensor:
    """Turn interleaved channel pairs of x (B, L, N, D) by table (L, D / 2); same dtype out."""
    real = torch.float64 if table.dtype == torch.complex128 else torch.float32
    pairs = torch.view_as_complex(x.to(real).unflatten(-1, (-1, 2)))  # (B, L, N, D / 2)
    return torch.view_as_real(pairs * table[:, None, :]).flatten(-2).to(x.dtype)
