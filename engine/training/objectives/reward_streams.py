"""Streams that a reward judges: noise of their shape, only as much decoded as is looked at, losses of rewards.

Shared by last-frame, random-frame and reward-lora. Knows nothing of which parameters are trained.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, variance

import torch
from torch import Tensor

from engine.model.transformer import CausalWanTransformer
from engine.model_presets import ModelPreset, PresetError
from engine.rewards.loading import missing_for, reward_class
from engine.rewards.protocol import RewardError
from engine.schedule import Schedule
from engine.training.objective import Draw
from engine.training.objectives.models import latent_size, missing_model, model_preset
from engine.training.objectives.texts import Texts, missing_prompts
from engine.training.rollout import RolloutPlan, roll_out
from engine.vae.latents import FRAMES_PER_LATENT, StreamingDecoder

LOSSES = ("hinge", "plain", "distance")
PANEL_PROMPTS = 4  # where a panel is asked for and no prompts are named


@dataclass(frozen=True)
class StreamShape:
    """Geometry of the streams: latent frames of a chunk, channels, latent rows and columns, the sampler's timesteps."""

    chunk_frames: int
    channels: int
    height: int
    width: int
    timesteps: tuple[float, ...]

    def noise(self, chunks: int, draw: Draw, device: torch.device) -> Tensor:
        """Noise (steps, B, F, C, h, w) of whole streams."""
        size = (len(self.timesteps), draw.samples, chunks * self.chunk_frames, self.channels, self.height, self.width)
        return torch.randn(size, generator=draw.own).to(device)


def stream_shape(preset: ModelPreset, width: int, height: int, chunk_frames: int) -> StreamShape:
    """Shape for frames of width x height; 0 takes the preset's own. Raises ValueError for an impossible one."""
    config, stream = preset.transformer, preset.stream
    size = chunk_frames or config.chunk_frames
    config.check_chunk(size)
    steps = stream.warped_steps or Schedule(config.timestep_shift).warp(stream.steps)
    latents = latent_size(width or stream.width, height or stream.height)
    return StreamShape(size, config.in_dim, *latents, tuple(steps))


def decode_end(decoder: StreamingDecoder, latents: Tensor, graded: int) -> tuple[Tensor, Tensor]:
    """Decode a stream (B, F, C, h, w): what is before its last `graded` latent frames without a graph, those with.

    Returns both as frames (B, T, 3, H, W) in 0..1; the first has no frames where everything is graded.
    """
    begins = latents.shape[1] - graded
    state, seen = None, []
    with torch.no_grad():
        for latent in latents[:, :begins].detach().split(1, dim=1) if begins else ():
            frames, state = decoder.decode(latent, state)
            seen.append(frames)
    frames, _ = decoder.decode(latents[:, begins:], state)
    earlier = torch.cat(seen, dim=1) if seen else frames[:, :0].detach()
    return _to_unit(earlier), _to_unit(frames)


def _to_unit(frames: Tensor) -> Tensor:
    """Frames of a decoder, -1..1, as rewards want them: 0..1."""
    return (frames.float() * 0.5 + 0.5).clamp(0.0, 1.0)


@torch.no_grad()
def paint_streams(
    model: CausalWanTransformer,
    decoder: StreamingDecoder,
    texts: Texts,
    shape: StreamShape,
    chunks: int,
    prompts: tuple[str, ...],
    seed: int,
) -> Tensor:
    """Whole streams as they play, frames (B, T, 3, H, W) in 0..1; without prompts some that are trained on."""
    device = next(model.parameters()).device
    draw = Draw(seed, 0, "panel", 0, 0, len(prompts) or PANEL_PROMPTS)
    embeds = texts.embed(list(prompts)) if prompts else texts.draw(draw)[1]
    noise = shape.noise(chunks, draw, device)
    plan = RolloutPlan(shape.timesteps, grad_chunks=0, chunk_frames=shape.chunk_frames)
    stream = roll_out(model, model.encode_text(embeds.to(device)), noise, plan)
    return torch.cat(decode_end(decoder, stream, graded=1), dim=1)


def latent_of(frame: int) -> tuple[int, int]:
    """Latent frame that holds a frame of a stream, and which of its frames it is."""
    if frame == 0:
        return 0, 0
    return 1 + (frame - 1) // FRAMES_PER_LATENT, (frame - 1) % FRAMES_PER_LATENT


def reward_loss(rewards: Tensor, kind: str, margin: float, weight: float) -> Tensor:
    """Loss of each sample (B,).

    "hinge" w relu(m - r), as ReFL (arXiv:2304.05977): stops pushing at the margin. "plain" -w r (arXiv:2601.16933).
    "distance" w |r - m|, as VideoX-Fun: plain below the margin, back towards it above.
    """
    if kind == "hinge":
        return weight * torch.relu(margin - rewards)
    return weight * (rewards - margin).abs() if kind == "distance" else -weight * rewards


def check_choice(name: str, value: str, known: Sequence[str]) -> None:
    """Raise ValueError for a word that is none of the known ones."""
    if value not in known:
        raise ValueError(f"{name} = {value!r} must be one of {', '.join(known)}")


def missing_stream(model: str, start_from: str, prompts: str, folder: Path) -> list[str]:
    """A sentence per thing that model, decoder, texts or prompts lack."""
    problems = missing_model("model", model, start_from, folder)
    try:
        preset = model_preset(model)
    except PresetError:
        return problems  # told already
    if not preset.decoder.file.exists():
        problems.append(f"model: {preset.decoder.file}: there is no such file (the decoder)")
    return problems + missing_prompts(preset, prompts)


def missing_reward(role: str, written: str, folder: Path, *, of_single_frames: bool, is_trained: bool) -> list[str]:
    """A sentence per reason why a reward cannot be used so."""
    try:
        kind = reward_class(written)
    except RewardError as error:
        return [f"{role}: {error}"]
    problems = [f"{role}: {sentence}" for sentence in missing_for(written, folder)]
    if is_trained and not kind.is_differentiable:
        problems.append(f"{role}: {written} passes no gradient to the frames; it can be held out, not trained")
    if of_single_frames and kind.sees_time:
        problems.append(
            f"{role}: {written} judges movement, and this stage shows it one frame; choose one that does not"
        )
    return problems


class Trend:
    """The last two windows of figures, step by step: what has surely risen or fallen from one to the other."""

    def __init__(self, names: Sequence[str], window: int) -> None:
        self.names, self.window = tuple(names), window
        self._kept: dict[str, deque[float]] = {name: deque(maxlen=2 * window) for name in names}

    def add(self, values: Sequence[float]) -> None:
        """Add one step's figures, in the order of the names."""
        for name, value in zip(self.names, values, strict=True):
            self._kept[name].append(float(value))

    def change(self, name: str) -> float:
        """How far the newer window's mean is from the older's, in standard errors of that; 0 until both are full."""
        values = list(self._kept[name])
        if len(values) < 2 * self.window:
            return 0.0
        before, after = values[: self.window], values[self.window :]
        error = ((variance(before) + variance(after)) / self.window) ** 0.5
        return (fmean(after) - fmean(before)) / max(error, 1e-9)

    def mean(self, name: str) -> float | None:
        """Mean of the newest window; None until it is full."""
        values = list(self._kept[name])[-self.window :]
        return fmean(values) if len(values) == self.window else None

    def state_dict(self) -> dict[str, Tensor]:
        """Rows of both windows, as one tensor of a fixed size; what is not filled yet is no number."""
        table = torch.full((len(self.names), 2 * self.window), float("nan"), dtype=torch.float64)
        for row, values in zip(table, self._kept.values(), strict=True):
            row[: len(values)] = torch.tensor(list(values), dtype=torch.float64)
        return {"windows": table}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Go on from `state_dict`."""
        for row, values in zip(state["windows"], self._kept.values(), strict=True):
            values.clear()
            values.extend(row[~row.isnan()].tolist())
