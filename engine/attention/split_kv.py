"""Attention over keys in parts, merged by their log-sum-exp: exact whatever the parts. Knows nothing of the choice.

q (B, L, N, D), k and v (B, S, N, D); a log-sum-exp is (B, N, L) float32.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

AttendWithSums = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]  # q, k, v -> outcome, log-sum-exp


def merge(outcomes: Sequence[Tensor], sums: Sequence[Tensor]) -> Tensor:
    """One outcome (B, L, N, D) from those of parts of the keys, in the parts' own number type."""
    stacked = torch.stack(list(sums))  # (parts, B, N, L)
    shares = torch.softmax(stacked, dim=0).transpose(2, 3)[..., None]  # (parts, B, L, N, 1)
    total = sum(outcome.float() * share for outcome, share in zip(outcomes, shares, strict=True))
    return total.to(outcomes[0].dtype)


def attend_parts(q: Tensor, parts: Sequence[tuple[Tensor, Tensor]], attend: AttendWithSums | None = None) -> Tensor:
    """Attention over several pairs of keys and values as if they stood in one piece, without putting them there."""
    attend = attend or torch_with_sums
    answers = [attend(q, k, v) for k, v in parts]
    return merge([outcome for outcome, _ in answers], [sums for _, sums in answers])


def attend_split(q: Tensor, k: Tensor, v: Tensor, splits: int, attend: AttendWithSums | None = None) -> Tensor:
    """Attention with the keys cut into `splits` equal parts that are worked on at the same time.

    A few queries do not fill a GPU's processors; as many sequences side by side do. Keys that do not divide evenly
    leave a rest, which is a call of its own.
    """
    attend = attend or torch_with_sums
    batch, length = k.shape[0], k.shape[1] // splits
    if splits == 1 or length == 0:
        return attend(q, k, v)[0]
    even, rest = length * splits, k.shape[1] - length * splits

    def side_by_side(x: Tensor) -> Tensor:  # (splits * B, S / splits, N, D), a view
        return x[:, :even].unflatten(1, (splits, length)).transpose(0, 1).flatten(0, 1)

    queries = q.expand(splits, *q.shape).flatten(0, 1)
    outcome, sums = attend(queries, side_by_side(k), side_by_side(v))
    outcomes, all_sums = list(outcome.split(batch)), list(sums.split(batch))
    if rest:
        last, last_sums = attend(q, k[:, even:], v[:, even:])
        outcomes.append(last)
        all_sums.append(last_sums)
    return merge(outcomes, all_sums)


def torch_with_sums(q: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """PyTorch's own kernels that give the sums too: FlashAttention 2 on CUDA in halves, a CPU's, else by hand."""
    heads = [x.transpose(1, 2) for x in (q, k, v)]
    if q.device.type == "cpu":
        outcome, sums = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(*heads)
    elif q.is_cuda and q.dtype != torch.float32:
        outcome, sums, *_ = torch.ops.aten._scaled_dot_product_flash_attention(*heads)
    else:
        return _by_hand(*heads)
    return outcome.transpose(1, 2), _sums(sums, q)


def cudnn_with_sums(q: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """CuDNN's kernel through PyTorch; CUDA, bfloat16 or float16."""
    heads = [x.transpose(1, 2) for x in (q, k, v)]
    outcome, sums, *_ = torch.ops.aten._scaled_dot_product_cudnn_attention(*heads, None, True)
    return outcome.transpose(1, 2), _sums(sums, q)


def _sums(sums: Tensor, q: Tensor) -> Tensor:
    """(B, N, L): kernels pad the length, or have a dimension more."""
    return sums.reshape(q.shape[0], q.shape[2], -1)[..., : q.shape[1]].float()


def _by_hand(q: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    scores = (q @ k.transpose(-1, -2)).float() * q.shape[-1] ** -0.5
    return (scores.softmax(-1).to(v.dtype) @ v).transpose(1, 2), scores.logsumexp(-1)
