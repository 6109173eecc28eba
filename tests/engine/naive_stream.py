"""The streaming transformer and the autoencoder once more, as plain as the equations: the oracle of golden files.

Frames in lists, whole clips, loops instead of caches; run in float64. Shares no code with the engine.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

Weights = dict[str, Tensor]


class NaiveStream:
    """Generates chunks with the published equations, keeping one (key, value) pair per latent frame and layer."""

    def __init__(self, weights: Weights, config: dict, height: int, width: int) -> None:
        self.w = weights
        self.c = config
        self.rows, self.columns = height // config["patch_size"][1], width // config["patch_size"][2]
        self.frames: list[list[tuple[Tensor, Tensor]]] = [[] for _ in range(config["num_layers"])]
        self.seen = 0
        self.is_new_chunk = False

    def generate(self, noise: Tensor, renoise: Tensor, steps: list[float], prompt: Tensor) -> dict[str, Tensor]:
        """Make one chunk: noise (F, C, h, w), renoise (K - 1, F, C, h, w); returns flow and x0 per step."""
        self.is_new_chunk = True
        self.seen += len(noise)
        results: dict[str, Tensor] = {}
        x = noise
        for s, timestep in enumerate(steps):
            flow = self.flow(x, timestep, prompt)
            x0 = x - self.sigma(timestep) * flow
            results |= {f"flow.s{s}": flow, f"x0.s{s}": x0}
            if s + 1 < len(steps):
                sigma = self.sigma(steps[s + 1])
                x = (1 - sigma) * x0 + sigma * renoise[s]
        self.flow(x0, 0.0, prompt)
        return results

    def sigma(self, timestep: float) -> Tensor:
        """Sigma of the nearest of the 1000 levels."""
        shift = self.c["timestep_shift"]
        levels = [shift * (1 - i / 1000) / (1 + (shift - 1) * (1 - i / 1000)) for i in range(1000)]
        return torch.tensor([min(levels, key=lambda level: abs(1000 * level - timestep))], dtype=torch.float32)

    def kept(self, layer: int, part: int) -> Tensor:
        """Keys (part 0) or values (part 1) of a layer as the golden files store them: unused slots are zero."""
        kept = torch.cat([frame[part] for frame in self.frames[layer]])
        full = self.c["window_frames"] * self.rows * self.columns
        return functional.pad(kept, (0, 0, 0, 0, 0, full - len(kept)))[None]

    def flow(self, latents: Tensor, timestep: float, prompt: Tensor) -> Tensor:
        """Run the network once over latents (F, C, h, w)."""
        frames, channels, height, width = latents.shape
        dim, (_, ph, pw) = self.c["dim"], self.c["patch_size"]
        x = latents.reshape(frames, channels, self.rows, ph, self.columns, pw).permute(0, 2, 4, 1, 3, 5)
        x = self.linear("patch_embedding", x.reshape(frames, -1, channels * ph * pw))  # (F, P, E)
        half = self.c["freq_dim"] // 2
        angles = [timestep * 10000 ** (-j / half) for j in range(half)]
        wave = torch.tensor([*map(math.cos, angles), *map(math.sin, angles)], dtype=torch.float64).to(x.dtype)
        e = self.linear("time_embedding.2", functional.silu(self.linear("time_embedding.0", wave)))
        e6 = self.linear("time_projection.1", functional.silu(e)).reshape(6, dim)
        hidden = functional.gelu(self.linear("text_embedding.0", prompt), approximate="tanh")
        context = self.linear("text_embedding.2", hidden)
        for layer in range(self.c["num_layers"]):
            x = self.block(layer, x, e6, context)
        self.is_new_chunk = False
        shift, scale = (self.w["head.modulation"][0] + e).unbind(0)
        x = self.linear("head.head", self.norm(x) * (1 + scale) + shift)
        x = x.reshape(frames, self.rows, self.columns, ph, pw, channels).permute(0, 5, 1, 3, 2, 4)
        return x.reshape(latents.shape)

    def block(self, layer: int, x: Tensor, e6: Tensor, context: Tensor) -> Tensor:
        """One transformer block over x (F, P, E)."""
        name = f"blocks.{layer}"
        m = self.w[f"{name}.modulation"][0] + e6
        y = self.norm(x) * (1 + m[1]) + m[0]
        x = x + self.linear(f"{name}.self_attn.o", self.self_attention(layer, y)) * m[2]
        y = functional.layer_norm(
            x, x.shape[-1:], self.w[f"{name}.norm3.weight"], self.w[f"{name}.norm3.bias"], self.c["eps"]
        )
        q = self.heads(self.rms(f"{name}.cross_attn.norm_q", self.linear(f"{name}.cross_attn.q", y)))
        k = self.heads(self.rms(f"{name}.cross_attn.norm_k", self.linear(f"{name}.cross_attn.k", context)))
        v = self.heads(self.linear(f"{name}.cross_attn.v", context))
        x = x + self.linear(f"{name}.cross_attn.o", self.attention(q, k, v).reshape(x.shape))
        y = self.norm(x) * (1 + m[4]) + m[3]
        hidden = functional.gelu(self.linear(f"{name}.ffn.0", y), approximate="tanh")
        return x + self.linear(f"{name}.ffn.2", hidden) * m[5]

    def self_attention(self, layer: int, y: Tensor) -> Tensor:
        """Attention of y (F, P, E) to everything kept, after what has to leave has left."""
        name = f"blocks.{layer}.self_attn"
        q = self.heads(self.rms(f"{name}.norm_q", self.linear(f"{name}.q", y)))
        k = self.heads(self.rms(f"{name}.norm_k", self.linear(f"{name}.k", y)))
        v = self.heads(self.linear(f"{name}.v", y))
        kept = self.frames[layer]
        if self.is_new_chunk:
            self.evict(kept, len(y))
        else:
            del kept[-len(y) :]
        tokens = y.shape[1]
        kept += [(k[i * tokens : (i + 1) * tokens], v[i * tokens : (i + 1) * tokens]) for i in range(len(y))]
        keys = torch.cat([self.rotate(key, slot) for slot, (key, _) in enumerate(kept)])
        first = len(kept) - len(y)
        q = torch.cat([self.rotate(part, first + i) for i, part in enumerate(q.split(tokens))])
        return self.attention(q, keys, torch.cat([value for _, value in kept])).reshape(y.shape)

    def evict(self, kept: list[tuple[Tensor, Tensor]], coming: int) -> None:
        """Let whole groups of sink length leave until the window has room; each fades into the sink."""
        group, decay = self.c["sink_frames"], self.c["sink_decay"]
        while len(kept) + coming > self.c["window_frames"]:
            for i in range(group):
                pairs = zip(kept[i], kept[group + i], strict=True)
                kept[i] = tuple(decay * sink + (1 - decay) * leaving for sink, leaving in pairs)
            del kept[group : 2 * group]

    def rotate(self, x: Tensor, slot: int) -> Tensor:
        """Rotate channel pairs of one frame's x (P, N, D) by slot, row and column."""
        size = x.shape[-1]
        spatial = 2 * (size // 6)
        tokens = range(len(x))
        places = (
            [slot for _ in tokens],
            [token // self.columns for token in tokens],
            [token % self.columns for token in tokens],
        )
        turned = x.double().clone()
        channel = 0
        for place, axis in zip(places, (size - 2 * spatial, spatial, spatial), strict=True):
            for j in range(axis // 2):
                angle = torch.tensor(place, dtype=torch.float64)[:, None] * 10000 ** (-2 * j / axis)
                a, b = x[:, :, channel].double(), x[:, :, channel + 1].double()  # (P, N)
                turned[:, :, channel] = a * angle.cos() - b * angle.sin()
                turned[:, :, channel + 1] = a * angle.sin() + b * angle.cos()
                channel += 2
        return turned.to(x.dtype)

    def attention(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Softmax attention without a mask, (L, N, D) and (S, N, D) to (L, N * D)."""
        scores = torch.einsum("lnd,snd->nls", q, k) / math.sqrt(q.shape[-1])
        return torch.einsum("nls,snd->lnd", scores.softmax(-1), v).flatten(1)

    def heads(self, x: Tensor) -> Tensor:
        """Flatten frames and split heads: (..., E) to (L, N, D)."""
        return x.reshape(-1, self.c["num_heads"], self.c["dim"] // self.c["num_heads"])

    def linear(self, name: str, x: Tensor) -> Tensor:
        """Apply a layer's weight, flattened to a matrix, and bias."""
        return functional.linear(x, self.w[f"{name}.weight"].flatten(1), self.w[f"{name}.bias"])

    def norm(self, x: Tensor) -> Tensor:
        """Layer norm without weights."""
        return functional.layer_norm(x, x.shape[-1:], eps=self.c["eps"])

    def rms(self, name: str, x: Tensor) -> Tensor:
        """RMS norm over the whole width."""
        return x / (x.square().mean(-1, keepdim=True) + self.c["eps"]).sqrt() * self.w[f"{name}.weight"]


class NaiveVae:
    """The autoencoder over whole clips (C, T, H, W), reading its topology off the key names."""

    def __init__(self, weights: Weights, mean: Tensor, std: Tensor) -> None:
        self.w = weights
        self.mean, self.std = mean.reshape(-1, 1, 1, 1), std.reshape(-1, 1, 1, 1)

    def decode(self, z: Tensor) -> Tensor:
        """Latents (C, F, h, w) to unclamped pixels (3, T, H, W)."""
        x = self.conv3d("conv2", z * self.std + self.mean)
        x = self.conv3d("decoder.conv1", x)
        return self.tail("decoder", self.levels("decoder.upsamples", self.middle("decoder", x)))

    def encode(self, pixels: Tensor) -> Tensor:
        """Pixels (3, T, H, W) to latents (C, F, h, w)."""
        x = self.levels("encoder.downsamples", self.conv3d("encoder.conv1", pixels))
        x = self.conv3d("conv1", self.tail("encoder", self.middle("encoder", x)))
        return (x[: len(x) // 2] - self.mean) / self.std

    def levels(self, name: str, x: Tensor) -> Tensor:
        """Run the flat list of residual and resampling layers."""
        count = 1 + max(int(key.split(".")[2]) for key in self.w if key.startswith(f"{name}."))
        for i in range(count):
            layer = f"{name}.{i}"
            if f"{layer}.residual.0.gamma" in self.w:
                x = self.residual(layer, x)
            else:
                x = self.grow(layer, x) if "up" in name else self.shrink(layer, x)
        return x

    def grow(self, name: str, x: Tensor) -> Tensor:
        """Double frames after the first where there is a time_conv, then rows and columns."""
        if f"{name}.time_conv.weight" in self.w:
            later = self.conv3d(f"{name}.time_conv", x[:, 1:])
            pairs = zip(later[: len(x)].unbind(1), later[len(x) :].unbind(1), strict=True)
            x = torch.stack([x[:, 0], *(frame for pair in pairs for frame in pair)], dim=1)
        frames = x.transpose(0, 1).repeat_interleave(2, 2).repeat_interleave(2, 3)
        weight, bias = self.w[f"{name}.resample.1.weight"], self.w[f"{name}.resample.1.bias"]
        return functional.conv2d(frames, weight, bias, padding=1).transpose(0, 1)

    def shrink(self, name: str, x: Tensor) -> Tensor:
        """Halve rows and columns, then frames after the first where there is a time_conv."""
        weight, bias = self.w[f"{name}.resample.1.weight"], self.w[f"{name}.resample.1.bias"]
        x = functional.conv2d(functional.pad(x.transpose(0, 1), (0, 1, 0, 1)), weight, bias, stride=2).transpose(0, 1)
        if f"{name}.time_conv.weight" not in self.w or x.shape[1] == 1:
            return x
        weight, bias = self.w[f"{name}.time_conv.weight"], self.w[f"{name}.time_conv.bias"]
        return torch.cat([x[:, :1], functional.conv3d(x[None], weight, bias, stride=(2, 1, 1))[0]], dim=1)

    def middle(self, half: str, x: Tensor) -> Tensor:
        """Residual, attention within each frame, residual."""
        x = self.residual(f"{half}.middle.0", x)
        name = f"{half}.middle.1"
        frames = []
        for frame in x.unbind(1):  # (C, H, W)
            y = self.unit(frame) * self.w[f"{name}.norm.gamma"]
            matrix = self.w[f"{name}.to_qkv.weight"].flatten(1)
            q, k, v = (matrix @ y.flatten(1) + self.w[f"{name}.to_qkv.bias"][:, None]).chunk(3)
            y = v @ ((q.T @ k) / math.sqrt(len(x))).softmax(-1).T
            y = self.w[f"{name}.proj.weight"].flatten(1) @ y + self.w[f"{name}.proj.bias"][:, None]
            frames.append(frame + y.reshape(frame.shape))
        return self.residual(f"{half}.middle.2", torch.stack(frames, dim=1))

    def residual(self, name: str, x: Tensor) -> Tensor:
        """Two normalised convolutions beside a skip connection."""
        y = functional.silu(self.unit(x) * self.w[f"{name}.residual.0.gamma"])
        y = functional.silu(self.unit(self.conv3d(f"{name}.residual.2", y)) * self.w[f"{name}.residual.3.gamma"])
        skip = self.conv3d(f"{name}.shortcut", x) if f"{name}.shortcut.weight" in self.w else x
        return skip + self.conv3d(f"{name}.residual.6", y)

    def tail(self, half: str, x: Tensor) -> Tensor:
        """Norm, SiLU, last convolution."""
        return self.conv3d(f"{half}.head.2", functional.silu(self.unit(x) * self.w[f"{half}.head.0.gamma"]))

    def conv3d(self, name: str, x: Tensor) -> Tensor:
        """Convolve the whole clip, padded in front with zero frames."""
        weight = self.w[f"{name}.weight"]
        time, height = weight.shape[2] - 1, weight.shape[3] // 2
        padded = functional.pad(x, (height, height, height, height, time, 0))
        return functional.conv3d(padded[None], weight, self.w[f"{name}.bias"])[0]

    @staticmethod
    def unit(x: Tensor) -> Tensor:
        """Scale channel vectors to length sqrt(C)."""
        return x / x.square().sum(0, keepdim=True).sqrt().clamp(min=1e-12) * math.sqrt(len(x))
