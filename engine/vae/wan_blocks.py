"""The layers of the Wan2.1 video autoencoder, each continuing where the last call stopped.

Tensors are (B, C, T, H, W), channels before time, as the convolutions want them.
Knows nothing of the whole network, of latent scale or of checkpoints.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

TIME_TAPS = 3  # frames a temporal convolution sees: the current one and two before it


class Carry:
    """The memories of all layers during one call, in the order in which the layers run.

    Each layer takes the memory it left in the call before and leaves a new one; none is altered in place.
    """

    def __init__(self, past: tuple[Tensor, ...] | None) -> None:
        self.is_start = past is None
        self._past = iter(past or ())
        self._next: list[Tensor] = []

    def take(self) -> Tensor | None:
        """Return the memory the asking layer left in the call before; None at the start of a stream."""
        return None if self.is_start else next(self._past)

    def leave(self, memory: Tensor) -> None:
        """Store what the asking layer needs in the next call."""
        # A copy, because a slice would keep the whole activation alive until the next chunk.
        self._next.append(memory.clone())

    def finish(self) -> tuple[Tensor, ...]:
        """Return the memories for the next call."""
        return tuple(self._next)


class CausalConv3d(nn.Conv3d):
    """A convolution over time and space that never looks ahead; it remembers its last two input frames."""

    def __init__(self, in_channels: int, out_channels: int, space_taps: int = 3) -> None:
        pad = space_taps // 2
        super().__init__(in_channels, out_channels, (TIME_TAPS, space_taps, space_taps), padding=(0, pad, pad))

    def forward(self, x: Tensor, carry: Carry) -> Tensor:
        """Convolve x (B, C, T, H, W); the result has as many frames."""
        return self.over(torch.cat([past_of(x, carry), x], dim=2), carry)

    def over(self, joined: Tensor, carry: Carry) -> Tensor:
        """Convolve frames that stand behind their past (B, C, 2 + T, H, W); the result has T."""
        carry.leave(joined[:, :, -(TIME_TAPS - 1) :])
        return super().forward(joined)


class ChannelNorm(nn.Module):
    """Scale every pixel's channel vector to length sqrt(C), then by a learned gain."""

    def __init__(self, channels: int, *, axes: int = 3) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(channels, *[1] * axes))
        self._length = channels**0.5

    def forward(self, x: Tensor) -> Tensor:
        """Normalise x over its axis 1."""
        return functional.normalize(x, dim=1) * self._length * self.gamma


class ResidualBlock(nn.Module):
    """Two normalised causal convolutions around a skip connection."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        # The numbers are the published key names (positions that hold no weights are left out).
        self.residual = nn.ModuleDict(
            {
                "0": ChannelNorm(in_channels),
                "2": CausalConv3d(in_channels, out_channels),
                "3": ChannelNorm(out_channels),
                "6": CausalConv3d(out_channels, out_channels),
            }
        )
        self.shortcut = nn.Conv3d(in_channels, out_channels, 1) if in_channels != out_channels else nn.Identity()
        # (past, x, norm) -> past and silu(norm(x)) as one tensor, where a kernel does that at once
        self.fused: Callable[[Tensor, Tensor, ChannelNorm], Tensor] | None = None

    def forward(self, x: Tensor, carry: Carry) -> Tensor:
        """Return x (B, C, T, H, W) plus its correction."""
        y = self._convolved(self.residual["0"], self.residual["2"], x, carry)
        return self.shortcut(x) + self._convolved(self.residual["3"], self.residual["6"], y, carry)

    def _convolved(self, norm: ChannelNorm, convolution: CausalConv3d, x: Tensor, carry: Carry) -> Tensor:
        if self.fused is None:
            return convolution(functional.silu(norm(x)), carry)
        return convolution.over(self.fused(past_of(x, carry), x, norm), carry)


class SpatialAttention(nn.Module):
    """Single-head attention among the pixels of one frame; frames do not see each other."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = ChannelNorm(channels, axes=2)
        self.to_qkv = nn.Conv2d(channels, 3 * channels, 1)
        self.proj = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor, carry: Carry) -> Tensor:
        """Return x (B, C, T, H, W) plus what its pixels say to each other; carries nothing."""
        frames = _frames_as_batch(x)  # (B*T, C, H, W)
        qkv = self.to_qkv(self.norm(frames)).flatten(2).transpose(1, 2).unsqueeze(1)  # (B*T, 1, H*W, 3C)
        q, k, v = qkv.chunk(3, dim=-1)
        y = functional.scaled_dot_product_attention(q, k, v)
        y = y.squeeze(1).transpose(1, 2).reshape(frames.shape)
        return x + _batch_as_frames(self.proj(y), x.shape[0])


class Upsample(nn.Module):
    """Double height and width and halve the channels; a temporal one doubles the frames first."""

    def __init__(self, channels: int, *, is_temporal: bool) -> None:
        super().__init__()
        self.resample = nn.ModuleDict({"1": nn.Conv2d(channels, channels // 2, 3, padding=1)})
        self.time_conv = CausalConv3d(channels, 2 * channels, space_taps=1) if is_temporal else None

    def forward(self, x: Tensor, carry: Carry) -> Tensor:
        """Upsample x (B, C, T, H, W) to (B, C/2, T or 2T, 2H, 2W); the first frame of a stream stays one frame."""
        if self.time_conv is not None:
            x = self._double_frames(x, carry)
        frames = functional.interpolate(_frames_as_batch(x), scale_factor=2.0, mode="nearest")
        return _batch_as_frames(self.resample["1"](frames), x.shape[0])

    def _double_frames(self, x: Tensor, carry: Carry) -> Tensor:
        if carry.is_start:
            # The first latent frame skips the doubling and is not remembered either: the frame after it
            # sees zeros here, as in the published decoder.
            carry.leave(_blank_past(x))
            return x
        doubled = self.time_conv(x, carry)
        even, odd = doubled.chunk(2, dim=1)  # the two channel halves are two successive frames
        return torch.stack([even, odd], dim=3).flatten(2, 3)  # (B, C, 2T, H, W)


class Downsample(nn.Module):
    """Halve height and width; a temporal one halves the frames afterwards and remembers one frame."""

    def __init__(self, channels: int, *, is_temporal: bool) -> None:
        super().__init__()
        self.resample = nn.ModuleDict({"1": nn.Conv2d(channels, channels, 3, stride=2)})
        self.time_conv = nn.Conv3d(channels, channels, (TIME_TAPS, 1, 1), stride=(2, 1, 1)) if is_temporal else None

    def forward(self, x: Tensor, carry: Carry) -> Tensor:
        """Downsample x (B, C, T, H, W) to (B, C, T or T/2, H/2, W/2); the first frame of a stream stays one frame."""
        frames = functional.pad(_frames_as_batch(x), (0, 1, 0, 1))  # right and bottom only
        x = _batch_as_frames(self.resample["1"](frames), x.shape[0])
        if self.time_conv is None:
            return x
        past = carry.take()
        carry.leave(x[:, :, -1:])
        return x if past is None else self.time_conv(torch.cat([past, x], dim=2))


def past_of(x: Tensor, carry: Carry) -> Tensor:
    """The two frames before x (B, C, T, H, W) that the asking layer remembers; zeros at the start of a stream."""
    past = carry.take()
    return _blank_past(x) if past is None else past


def _blank_past(x: Tensor) -> Tensor:
    batch, channels, _, height, width = x.shape
    return x.new_zeros(batch, channels, TIME_TAPS - 1, height, width)


def _frames_as_batch(x: Tensor) -> Tensor:
    return x.transpose(1, 2).flatten(0, 1)  # (B, C, T, H, W) -> (B*T, C, H, W)


def _batch_as_frames(x: Tensor, batch: int) -> Tensor:
    return x.unflatten(0, (batch, -1)).transpose(1, 2)  # (B*T, C, H, W) -> (B, C, T, H, W)
