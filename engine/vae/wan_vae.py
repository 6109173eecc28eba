"""The Wan2.1 video autoencoder with the published key names, as a stream of any legal chunks.

Follows Reward Forcing (arXiv:2512.04678) and Wan (arXiv:2503.20314): causal in time, 8x in space, 4x in time.
Knows nothing of the transformer, of checkpoint files or of displays.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.vae.latents import LATENT_CHANNELS, LATENT_MEAN, LATENT_STD, to_decoder_scale, to_model_scale
from engine.vae.wan_blocks import (
    Carry,
    CausalConv3d,
    ChannelNorm,
    Downsample,
    ResidualBlock,
    SpatialAttention,
    Upsample,
)


@dataclass(frozen=True)
class WanVaeConfig:
    """The sizes of the autoencoder; the defaults are the published Wan2.1 one (126.9 M parameters)."""

    dim: int = 96
    z_dim: int = LATENT_CHANNELS
    dim_mult: tuple[int, ...] = (1, 2, 4, 4)
    num_res_blocks: int = 2
    temporal_downsample: tuple[bool, ...] = (False, True, True)
    latent_mean: tuple[float, ...] = LATENT_MEAN
    latent_std: tuple[float, ...] = LATENT_STD

    def __post_init__(self) -> None:
        if min(self.dim, self.z_dim, self.num_res_blocks, *self.dim_mult) < 1:
            raise ValueError(f"every size of a Wan VAE is at least 1, not {self}")
        if len(self.temporal_downsample) != len(self.dim_mult) - 1:
            raise ValueError(
                f"temporal_downsample has {len(self.temporal_downsample)} entries; "
                f"{len(self.dim_mult)} levels in dim_mult need {len(self.dim_mult) - 1}"
            )
        if not len(self.latent_mean) == len(self.latent_std) == self.z_dim:
            raise ValueError(
                f"z_dim is {self.z_dim}, but latent_mean has {len(self.latent_mean)} and latent_std "
                f"{len(self.latent_std)} values; give one of each per latent channel"
            )

    @property
    def space_stride(self) -> int:
        """Pixels per latent pixel."""
        return 2 ** len(self.temporal_downsample)

    @property
    def time_stride(self) -> int:
        """Frames per latent frame, the first latent frame of a stream excepted."""
        return 2 ** sum(self.temporal_downsample)


@dataclass(frozen=True)
class WanDecoderState:
    """What a decoded stream carries to its next chunk. A value: never altered, free to keep or to drop."""

    memories: tuple[Tensor, ...]
    grid: tuple[int, int, int]  # batch, latent height, latent width: fixed for the life of a stream


@dataclass(frozen=True)
class WanEncoderState:
    """What an encoded stream carries to its next chunk. A value: never altered, free to keep or to drop."""

    memories: tuple[Tensor, ...]
    grid: tuple[int, int, int]  # batch, frame height, frame width: fixed for the life of a stream


class WanDecoder(nn.Module):
    """The half that makes frames."""

    def __init__(self, config: WanVaeConfig) -> None:
        super().__init__()
        widths = [config.dim * multiple for multiple in reversed(config.dim_mult)]
        width = widths[0]
        self.conv1 = CausalConv3d(config.z_dim, width)
        self.middle = _middle(width)
        layers: list[nn.Module] = []
        for level, out_width in enumerate(widths):
            for _ in range(config.num_res_blocks + 1):
                layers.append(ResidualBlock(width, out_width))
                width = out_width
            if level < len(widths) - 1:
                is_temporal = config.temporal_downsample[-1 - level]
                layers.append(Upsample(width, is_temporal=is_temporal))
                width //= 2
        self.upsamples = nn.ModuleList(layers)
        self.head = _head(width, 3)

    def forward(self, z: Tensor, carry: Carry) -> Tensor:
        """Turn z (B, C, F, h, w) into pixels (B, 3, T, H, W), not clamped."""
        return _run(self.conv1(z, carry), [*self.middle, *self.upsamples], self.head, carry)


class WanEncoder(nn.Module):
    """The half that makes latents."""

    def __init__(self, config: WanVaeConfig) -> None:
        super().__init__()
        widths = [config.dim * multiple for multiple in config.dim_mult]
        width = config.dim
        self.conv1 = CausalConv3d(3, width)
        layers: list[nn.Module] = []
        for level, out_width in enumerate(widths):
            for _ in range(config.num_res_blocks):
                layers.append(ResidualBlock(width, out_width))
                width = out_width
            if level < len(widths) - 1:
                layers.append(Downsample(width, is_temporal=config.temporal_downsample[level]))
        self.downsamples = nn.ModuleList(layers)
        self.middle = _middle(width)
        self.head = _head(width, 2 * config.z_dim)

    def forward(self, x: Tensor, carry: Carry) -> Tensor:
        """Turn pixels (B, 3, T, H, W) into mean and log-variance (B, 2C, F, h, w)."""
        return _run(self.conv1(x, carry), [*self.downsamples, *self.middle], self.head, carry)


class WanVae(nn.Module):
    """Encoder and decoder of one autoencoder. Thread-safe as long as the weights stay: all state is passed in."""

    def __init__(self, config: WanVaeConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = WanEncoder(config)
        self.conv1 = nn.Conv3d(2 * config.z_dim, 2 * config.z_dim, 1)
        self.conv2 = nn.Conv3d(config.z_dim, config.z_dim, 1)
        self.decoder = WanDecoder(config)
        # Not in the state dict, and real numbers even when the weights are still on the meta device
        for name, values in (("_mean", config.latent_mean), ("_std", config.latent_std)):
            per_channel = torch.tensor(values, device="cpu").reshape(config.z_dim, 1, 1, 1)
            self.register_buffer(name, per_channel, persistent=False)

    def decode(self, latents: Tensor, state: WanDecoderState | None) -> tuple[Tensor, WanDecoderState]:
        """Decode latents (B, F, C, h, w) to frames (B, T, 3, H, W) in [-1, 1]; see `StreamingDecoder`.

        Any number of latent frames per call gives the same stream. Raises ValueError for a shape that does not fit.
        """
        raw, state = self.decode_raw(latents, state)
        return raw.clamp(-1.0, 1.0), state

    def decode_raw(self, latents: Tensor, state: WanDecoderState | None) -> tuple[Tensor, WanDecoderState]:
        """Decode like `decode`, but return the values as they leave the network, unclamped."""
        _check_chunk("latents", latents, self.config.z_dim)
        if latents.shape[1] == 0:
            raise ValueError("an empty chunk cannot be decoded; give at least 1 latent frame")
        grid = _grid_of(latents, state)
        z = self.conv2(self._laid_out(to_decoder_scale(latents.transpose(1, 2), self._mean, self._std)))
        # The first latent frame of a stream runs alone: it gives one frame where all others give four.
        memories, parts = _stream(self.decoder, z, None if state is None else state.memories)
        return torch.cat(parts, dim=2).transpose(1, 2), WanDecoderState(memories, grid)

    def encode(self, frames: Tensor, state: WanEncoderState | None) -> tuple[Tensor, WanEncoderState]:
        """Encode frames (B, T, 3, H, W) in [-1, 1] to latents (B, F, C, h, w); see `StreamingEncoder`.

        T is 1 + 4k at the start of a stream and 4k after it; H and W are multiples of 8; else ValueError.
        """
        self._check_frames(frames, is_start=state is None)
        grid = _grid_of(frames, state)
        pixels = self._laid_out(frames.transpose(1, 2))
        memories, parts = _stream(self.encoder, pixels, None if state is None else state.memories)
        mu, _ = self.conv1(torch.cat(parts, dim=2)).chunk(2, dim=1)
        return to_model_scale(mu, self._mean, self._std).transpose(1, 2), WanEncoderState(memories, grid)

    def _laid_out(self, x: Tensor) -> Tensor:
        """x (B, C, T, H, W) in memory as the weights are: what lies otherwise is turned over at every layer."""
        has_channels_first = self.decoder.conv1.weight.is_contiguous()
        return x if has_channels_first else x.contiguous(memory_format=torch.channels_last_3d)

    def _check_frames(self, frames: Tensor, *, is_start: bool) -> None:
        _check_chunk("frames", frames, 3)
        count, height, width = frames.shape[1], frames.shape[3], frames.shape[4]
        step = self.config.time_stride
        if is_start and count % step != 1 % step:
            raise ValueError(f"a stream starts with 1 + {step}k frames (1, {1 + step}, {1 + 2 * step}...), not {count}")
        if not is_start and (count == 0 or count % step):
            raise ValueError(f"a running stream takes frames in groups of {step} ({step}, {2 * step}...), not {count}")
        stride = self.config.space_stride
        if height % stride or width % stride:
            raise ValueError(f"frames are {width}x{height}; width and height must be multiples of {stride}")


def _stream(net: nn.Module, x: Tensor, past: tuple[Tensor, ...] | None) -> tuple[tuple[Tensor, ...], list[Tensor]]:
    """Run `net` over x (B, C, T, H, W), the very first frame of a stream on its own."""
    sections = [x] if past is not None else [part for part in (x[:, :, :1], x[:, :, 1:]) if part.shape[2]]
    parts = []
    for section in sections:
        carry = Carry(past)
        parts.append(net(section, carry))
        past = carry.finish()
    return past, parts


def _middle(width: int) -> nn.ModuleList:
    return nn.ModuleList([ResidualBlock(width, width), SpatialAttention(width), ResidualBlock(width, width)])


def _head(width: int, out_channels: int) -> nn.ModuleDict:
    return nn.ModuleDict({"0": ChannelNorm(width), "2": CausalConv3d(width, out_channels)})


def _run(x: Tensor, layers: list[nn.Module], head: nn.ModuleDict, carry: Carry) -> Tensor:
    for layer in layers:
        x = layer(x, carry)
    return head["2"](functional.silu(head["0"](x)), carry)


def _check_chunk(name: str, chunk: Tensor, channels: int) -> None:
    if chunk.dim() != 5 or chunk.shape[2] != channels:
        raise ValueError(f"{name} must be (batch, time, {channels}, height, width), not {tuple(chunk.shape)}")


def _grid_of(chunk: Tensor, state: WanDecoderState | WanEncoderState | None) -> tuple[int, int, int]:
    grid = (chunk.shape[0], chunk.shape[3], chunk.shape[4])
    if state is not None and state.grid != grid:
        raise ValueError(
            f"this stream runs at batch, height, width {state.grid}, the chunk has {grid}; "
            "start a new stream (state None) to change the size"
        )
    return grid
