"""The TAEHV family of tiny video autoencoders: published `taew2_1` and ember's narrow one are one class.

Structure and key names of TAEHV (github.com/madebyollin/taehv). Streams with explicit state.
Knows nothing of the transformer, of files or of threads.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.vae.latents import (
    FRAMES_PER_LATENT,
    LATENT_CHANNELS,
    LATENT_MEAN,
    LATENT_STD,
    LATENT_STRIDE,
    to_decoder_scale,
    to_model_scale,
)

_LEADING_FRAMES = FRAMES_PER_LATENT - 1  # what a stream's first latent frame makes and the Wan alignment drops


@dataclass(frozen=True)
class TinyVaeConfig:
    """Widths of one autoencoder of the family; the defaults are the published `taew2_1`.

    `has_latent_statistics` marks weights (`lighttaew2_1`) that work on latents at the Wan autoencoder's scale; without
    it they work on the transformer's own.
    """

    latent_channels: int = LATENT_CHANNELS
    encoder_widths: tuple[int, int, int] = (64, 64, 64)  # at 1/2, 1/4, 1/8 of the frame
    decoder_widths: tuple[int, int, int, int] = (256, 128, 64, 64)  # at 1/8, 1/4, 1/2, 1/1
    has_latent_statistics: bool = False

    def __post_init__(self) -> None:
        for name, widths, count in (("encoder", self.encoder_widths, 3), ("decoder", self.decoder_widths, 4)):
            if len(widths) != count or min(widths) < 1:
                raise ValueError(
                    f"tiny autoencoder: {name}_widths = {tuple(widths)} is no {name}; {count} widths of at least 1"
                    f" are needed, as {(64, 64, 64) if count == 3 else (256, 128, 64, 64)} in taew2_1"
                )
        if self.latent_channels < 1:
            raise ValueError(f"tiny autoencoder: latent_channels = {self.latent_channels}; at least 1, 16 in Wan2.1")
        if self.has_latent_statistics and self.latent_channels != LATENT_CHANNELS:
            raise ValueError(
                f"tiny autoencoder: latent_channels = {self.latent_channels} with has_latent_statistics; the statistics"
                f" are those of Wan2.1's {LATENT_CHANNELS} channels"
            )


PRESETS = {
    "taew2_1": TinyVaeConfig(),
    "lighttaew2_1": TinyVaeConfig(has_latent_statistics=True),
    "ember": TinyVaeConfig(encoder_widths=(16, 32, 64), decoder_widths=(128, 64, 24, 16)),
}


def preset(name: str) -> TinyVaeConfig:
    """Return the configuration called `name`; raise ValueError with the known names if there is none."""
    if name not in PRESETS:
        raise ValueError(f"tiny autoencoder {name!r} is unknown; known are {', '.join(sorted(PRESETS))}")
    return PRESETS[name]


@dataclass(frozen=True)
class TinyVaeState:
    """What one direction carries between two calls: the last input frame of every memory block, (B, C, H, W)."""

    memory: tuple[Tensor, ...]


class MemBlock(nn.Module):
    """A residual block that also sees its own input one frame earlier (zero at the start of a stream)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        # ModuleDict, so that the keys are the published conv.0, conv.2, conv.4
        self.conv = nn.ModuleDict(
            {
                "0": nn.Conv2d(2 * width, width, 3, padding=1),
                "2": nn.Conv2d(width, width, 3, padding=1),
                "4": nn.Conv2d(width, width, 3, padding=1),
            }
        )

    def forward(self, x: Tensor, past: Tensor) -> Tensor:
        """Map frames (N, C, H, W) with their predecessors (N, C, H, W) to (N, C, H, W)."""
        y = functional.relu_(self.conv["0"](torch.cat((x, past), dim=1)))
        y = functional.relu_(self.conv["2"](y))
        return functional.relu_(self.conv["4"](y) + x)


class TPool(nn.Module):
    """Merge `stride` consecutive frames into one, oldest first."""

    def __init__(self, width: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.conv = nn.Conv2d(stride * width, width, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B*T, C, H, W) to (B*T/stride, C, H, W)."""
        n, c, h, w = x.shape
        return self.conv(x.reshape(n // self.stride, self.stride * c, h, w))


class TGrow(nn.Module):
    """Split every frame into `stride` consecutive ones, double their height and width, and convolve them.

    Published as nearest x2, this 1x1 convolution, and the 3x3 convolution that follows. With nothing between the
    three they are one linear map: a 2x2 convolution of the small frames for each of the four places inside a pixel
    that becomes four. That is under half of the work, and the large frames in between are never written.
    """

    def __init__(self, width: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.conv = nn.Conv2d(width, stride * width, 1, bias=False)

    def forward(self, x: Tensor, follower: nn.Conv2d) -> Tensor:
        """Map (N, C, H, W) to (N * stride, C', 2H, 2W) through the following 3x3 convolution C -> C'."""
        n, _, h, w = x.shape
        small = functional.conv2d(x, self._kernels(follower.weight).to(x.dtype), padding=1)  # (N, 4 k C', H + 1, W + 1)
        places = small.unflatten(1, (2, 2, self.stride, -1))
        large = x.new_empty(n, self.stride, h, 2, w, 2, places.shape[4])
        for row in (0, 1):
            for column in (0, 1):
                place = places[:, row, column, :, :, row : row + h, column : column + w]
                large[:, :, :, row, :, column] = place.permute(0, 1, 3, 4, 2)
        return large.reshape(n * self.stride, 2 * h, 2 * w, -1).permute(0, 3, 1, 2)  # channels last in memory

    def _kernels(self, following: Tensor) -> Tensor:
        """Merge both weights: (2 * 2 * stride * C', C, 2, 2), places in rows, then columns."""
        grown = self.conv.weight.unflatten(0, (self.stride, -1))[..., 0, 0].float()  # (k, C, C)
        merged = torch.einsum("omyx,kmi->koiyx", following.float(), grown)
        # what each of the two small pixels under a 3-tap kernel gathers, for the first and the second place
        gather = merged.new_tensor([[[1, 0, 0], [0, 1, 1]], [[1, 1, 0], [0, 0, 1]]])  # (place, small pixel, tap)
        return torch.einsum("koiyx,ray,cbx->rckoiab", merged, gather, gather).flatten(0, 3)


class _Clamp(nn.Module):
    """Soft limit of the latents, 3 tanh(z / 3)."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(x / 3.0) * 3.0


def _conv(c_in: int, c_out: int, stride: int = 1, bias: bool = True) -> nn.Conv2d:
    return nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=bias)


def _encoder(config: TinyVaeConfig) -> nn.ModuleDict:
    """Build the encoder; the numbers are TAEHV's positions, and so the key names."""
    half, quarter, eighth = config.encoder_widths
    layers: dict[str, nn.Module] = {"0": _conv(3, half), "1": nn.ReLU(inplace=True)}
    layers |= {"2": TPool(half, 2), "3": _conv(half, half, 2, bias=False)}
    layers |= {str(i): MemBlock(half) for i in (4, 5, 6)}
    layers |= {"7": TPool(half, 2), "8": _conv(half, quarter, 2, bias=False)}
    layers |= {str(i): MemBlock(quarter) for i in (9, 10, 11)}
    layers |= {"12": TPool(quarter, 1), "13": _conv(quarter, eighth, 2, bias=False)}
    layers |= {str(i): MemBlock(eighth) for i in (14, 15, 16)}
    layers["17"] = _conv(eighth, config.latent_channels)
    return nn.ModuleDict(layers)


def _decoder(config: TinyVaeConfig) -> nn.ModuleDict:
    """Build the decoder; positions 6, 12 and 18 (nearest x2) live in the TGrow that follows them.

    Positions 8, 14 and 20 hold the weights of a convolution that the TGrow before them carries out.
    """
    eighth, quarter, half, full = config.decoder_widths
    layers: dict[str, nn.Module] = {
        "0": _Clamp(),
        "1": _conv(config.latent_channels, eighth),
        "2": nn.ReLU(inplace=True),
    }
    layers |= {str(i): MemBlock(eighth) for i in (3, 4, 5)}
    layers |= {"7": TGrow(eighth, 1), "8": _conv(eighth, quarter, bias=False)}
    layers |= {str(i): MemBlock(quarter) for i in (9, 10, 11)}
    layers |= {"13": TGrow(quarter, 2), "14": _conv(quarter, half, bias=False)}
    layers |= {str(i): MemBlock(half) for i in (15, 16, 17)}
    layers |= {
        "19": TGrow(half, 2),
        "20": _conv(half, full, bias=False),
        "21": nn.ReLU(inplace=True),
        "22": _conv(full, 3),
    }
    return nn.ModuleDict(layers)


def run_layers(layers: nn.ModuleDict, x: Tensor, batch: int, state: TinyVaeState | None) -> tuple[Tensor, TinyVaeState]:
    """Run all frames of a chunk through `layers` at once; the memory joins it to the chunk before."""
    memory: list[Tensor] = []
    growing: TGrow | None = None
    for layer in layers.values():
        if isinstance(layer, TGrow):
            growing = layer
            continue
        if growing is not None:
            x, growing = growing(x, layer), None
            continue
        if not isinstance(layer, MemBlock):
            x = layer(x)
            continue
        frames = x.unflatten(0, (batch, -1))  # (B, T, C, H, W)
        before = torch.zeros_like(frames[:, 0]) if state is None else state.memory[len(memory)]
        if before.shape != frames[:, 0].shape:
            raise ValueError(
                f"tiny autoencoder: the stream's state is of size {tuple(before.shape)}, this chunk needs"
                f" {tuple(frames[:, 0].shape)}; start a new stream (state None) when size or batch change"
            )
        past = torch.empty_like(x)  # keeps channels last, which a concatenation of five axes would not
        past.unflatten(0, (batch, -1))[:, 0] = before
        past.unflatten(0, (batch, -1))[:, 1:] = frames[:, :-1]
        memory.append(frames[:, -1].clone())  # a clone, or the state would keep the whole chunk alive
        x = layer(x, past)
    return x, TinyVaeState(tuple(memory))


class TinyVae(nn.Module):
    """A streaming video autoencoder: 8x in space, 4x in time, 1 + 4k frames as Wan.

    The first latent frame of a stream stands for one frame, every later one for four. The encoder shows the first
    frame four times; the decoder drops the first three frames it makes. So `decode(encode(x))` has the frames of x,
    in place, and no frame after 4k is needed for latent frame k.
    """

    def __init__(self, config: TinyVaeConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = _encoder(config)
        self.decoder = _decoder(config)
        if config.has_latent_statistics:
            self.register_buffer("_mean", torch.tensor(LATENT_MEAN)[:, None, None], persistent=False)
            self.register_buffer("_std", torch.tensor(LATENT_STD)[:, None, None], persistent=False)
        self.to(memory_format=torch.channels_last)

    def encode(self, frames: Tensor, state: TinyVaeState | None = None) -> tuple[Tensor, TinyVaeState]:
        """Encode frames (B, T, 3, H, W) in [-1, 1] to latents (B, F, C, H/8, W/8) and the state to go on with.

        T is 1 + 4(F - 1) at the start of a stream (state None) and 4F after it; raises ValueError otherwise.
        """
        batch, count, channels, height, width = frames.shape
        extra = 1 if state is None else 0
        if channels != 3 or count < 1 or (count - extra) % FRAMES_PER_LATENT:
            rule = "1 + 4k at the start of a stream" if state is None else "4k within a stream"
            raise ValueError(f"tiny autoencoder: {count} frames of {channels} channels; {rule}, 3 channels")
        if height % LATENT_STRIDE or width % LATENT_STRIDE:
            raise ValueError(f"tiny autoencoder: {width}x{height} is not divisible by {LATENT_STRIDE}")
        if state is None:
            frames = torch.cat((frames[:, :1].expand(-1, _LEADING_FRAMES, -1, -1, -1), frames), dim=1)
        x = (frames.flatten(0, 1) * 0.5 + 0.5).contiguous(memory_format=torch.channels_last)
        z, state = run_layers(self.encoder, x, batch, state)
        if self.config.has_latent_statistics:
            z = to_model_scale(z, self._mean, self._std)
        return z.unflatten(0, (batch, -1)), state

    def decode(self, latents: Tensor, state: TinyVaeState | None = None) -> tuple[Tensor, TinyVaeState]:
        """Decode latents (B, F, C, h, w) to frames (B, T, 3, 8h, 8w) in [-1, 1] and the state to go on with.

        T is 1 + 4(F - 1) at the start of a stream (state None) and 4F after it.
        """
        frames, state = self.decode_unclamped(latents, state)
        return frames.clamp(0.0, 1.0) * 2.0 - 1.0, state

    def decode_unclamped(self, latents: Tensor, state: TinyVaeState | None = None) -> tuple[Tensor, TinyVaeState]:
        """Decode as `decode` does, to TAEHV's own range: about [0, 1], not clamped, so that a loss has gradients."""
        if latents.ndim != 5 or latents.shape[2] != self.config.latent_channels or not latents.shape[1]:
            raise ValueError(
                f"tiny autoencoder: latents of size {tuple(latents.shape)}; (batch, latent frames,"
                f" {self.config.latent_channels}, height/8, width/8) are needed"
            )
        z = latents.flatten(0, 1)
        if self.config.has_latent_statistics:
            z = to_decoder_scale(z, self._mean, self._std)
        start = state is None
        x, state = run_layers(self.decoder, z.contiguous(memory_format=torch.channels_last), latents.shape[0], state)
        frames = x.unflatten(0, (latents.shape[0], -1))
        return (frames[:, _LEADING_FRAMES:] if start else frames), state


def load_tiny_vae(config: TinyVaeConfig, weights: dict[str, Tensor]) -> TinyVae:
    """Build the autoencoder of `config` from a TAEHV state dict; raise ValueError naming every key that is wrong.

    Where a checkpoint's TGrow has more output rows than the model, the last rows are kept (TAEHV's rule: it was
    trained to make more frames, and the latest ones are those that are wanted).
    """
    model = TinyVae(config)
    wanted = model.state_dict()
    weights = dict(weights)
    for name, module in model.named_modules():
        key = f"{name}.conv.weight"
        if isinstance(module, TGrow) and key in weights and weights[key].shape[0] > wanted[key].shape[0]:
            weights[key] = weights[key][-wanted[key].shape[0] :]
    faults = [f"missing {key}" for key in wanted.keys() - weights.keys()]
    faults += [f"unknown {key}" for key in weights.keys() - wanted.keys()]
    faults += [
        f"{key} is {tuple(weights[key].shape)} instead of {tuple(wanted[key].shape)}"
        for key in wanted.keys() & weights.keys()
        if wanted[key].shape != weights[key].shape
    ]
    if faults:
        shown = "; ".join(sorted(faults)[:12])
        raise ValueError(f"tiny autoencoder: {len(faults)} of the weights do not fit this configuration: {shown}")
    model.load_state_dict({key: value.float() for key, value in weights.items()})
    return model
