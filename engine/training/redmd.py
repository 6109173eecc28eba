"""Stage `redmd`: distribution matching on the model's own streams (DMD, arXiv:2311.18828; Self-Forcing, 2506.08009).

The base, which knows every noise level, is the real score; a copy that follows the generator is the fake one.
No reward is attached yet: this is Re-DMD (arXiv:2512.04678) with its weight at 1. Knows nothing of pixels.
"""

import random
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from engine.caches.rolling_cache import RollingCache
from engine.ember.weights import read_text_encoder, write_transformer
from engine.model.config import EMBER, ModelConfig
from engine.model.transformer import CausalWanTransformer
from engine.sampler import CLEAN_TIMESTEP
from engine.schedule import PUBLISHED_STEPS, Schedule
from engine.training.captions.grammar import caption
from engine.training.clips.spec import random_spec
from engine.training.config import RedmdSettings
from engine.training.run_folder import RunFolder, Stopwatch
from engine.training.stage import Job
from engine.training.teacher_forcing import Layout, add_noise, any_timesteps, flow_to_x0, packed_flow


@dataclass(frozen=True)
class Rollout:
    """A window of a stream the generator made by itself: its first chunk and its last two, (B, 9, C, h, w) each.

    `inputs` is what one random step of every chunk saw at `timesteps` (B, 9); `counts` (9,) is 0 for the middle chunk
    when chunks are missing before it.
    """

    x0: Tensor
    inputs: Tensor
    timesteps: Tensor
    counts: Tensor


@torch.no_grad()
def roll_out(
    model: CausalWanTransformer, text: Tensor, chunks: int, grid: tuple[int, int], generator: torch.Generator
) -> Rollout:
    """Stream `chunks` chunks with the real cache, in bfloat16, keeping a window and one random step's input of each."""
    config, batch = model.config, len(text)
    steps = Schedule(config.timestep_shift).warp(PUBLISHED_STEPS)
    shape = (batch, config.chunk_frames, config.in_dim, *grid)
    cache = RollingCache(config, *grid, batch=batch, dtype=torch.bfloat16)
    made: list[tuple[Tensor, Tensor, Tensor]] = []
    with torch.autocast("cpu", torch.bfloat16):
        keys = model.encode_text(text)
        for _ in range(chunks):
            cache.begin_chunk(config.chunk_frames)
            x, seen = torch.randn(shape, generator=generator), []
            for index, timestep in enumerate(steps):
                times = torch.full(shape[:2], timestep)
                seen.append(x)
                x0 = flow_to_x0(x, model(x, times, keys, cache).float(), times)
                if index + 1 < len(steps):
                    next_times = torch.full(shape[:2], steps[index + 1])
                    x = add_noise(x0, torch.randn(shape, generator=generator), next_times)
            model.remember(x0, torch.full(shape[:2], CLEAN_TIMESTEP), keys, cache)
            exits = torch.randint(len(steps), (batch,), generator=generator)
            inputs = torch.stack(seen)[exits, torch.arange(batch)]
            made.append((x0, inputs, torch.tensor(steps)[exits][:, None].expand(shape[:2])))
    kept = [made[0], *made[-2:]]
    counts = torch.ones(config.window_frames)
    if chunks > len(kept):
        counts[config.chunk_frames : 2 * config.chunk_frames] = 0.0
    return Rollout(*(torch.cat(part, dim=1) for part in zip(*kept, strict=True)), counts)


class Distiller:
    """Generator, its average, and the two scores."""

    def __init__(self, settings: RedmdSettings, config: ModelConfig, base: dict[str, Tensor]) -> None:
        self.settings = settings
        self.layout = Layout(config.window_frames, config.chunk_frames)
        self.generator, self.average, self.real, self.fake = (CausalWanTransformer(config) for _ in range(4))
        for model in (self.generator, self.average, self.real, self.fake):
            model.load_state_dict(base)
        self.average.requires_grad_(False)
        self.real.requires_grad_(False)
        # the same graphs as in stage `causal`, if batch and size are the same: then they come from the compiler's cache
        self._generator, self._fake = (
            torch.compile(model, dynamic=False) if settings.compile else model for model in (self.generator, self.fake)
        )
        betas = (0.0, 0.99)
        self.generator_optimiser = torch.optim.Adam(self.generator.parameters(), settings.rate, betas)
        self.fake_optimiser = torch.optim.Adam(self.fake.parameters(), settings.fake_rate, betas)
        self.noise = torch.Generator().manual_seed(settings.seed)
        self.shift = config.timestep_shift

    def generator_step(self, rollout: Rollout, text: Tensor) -> dict[str, float]:
        """Move the generator towards what the real score prefers to the fake one."""
        history = rollout.x0[:, : self.layout.history_frames]
        flow = packed_flow(self._generator, history, rollout.inputs, rollout.timesteps, text, self.layout)
        x0 = flow_to_x0(rollout.inputs, flow, rollout.timesteps)
        noisy, timesteps, _ = self._noised(x0.detach())
        with torch.no_grad():
            real, fake = (
                flow_to_x0(noisy, packed_flow(score, history, noisy, timesteps, text, self.layout), timesteps)
                for score in (self.real, self.fake)
            )
            # DMD, arXiv:2311.18828, Eq. 7-8: (s_fake - s_real), per sample in units of the real score's own error
            size = (x0 - real).abs().mean(dim=(1, 2, 3, 4), keepdim=True).clamp(min=1e-4)
            target = x0 - (fake - real) / size
        error = (x0 - target).square().mean(dim=(0, 2, 3, 4))
        loss = 0.5 * (error * rollout.counts).sum() / rollout.counts.sum()
        self.generator_optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.generator.parameters(), self.settings.clip_norm)
        self.generator_optimiser.step()
        with torch.no_grad():
            for average, p in zip(self.average.parameters(), self.generator.parameters(), strict=True):
                average.lerp_(p, 1.0 - self.settings.ema)
        return {"gap": float((fake - real).abs().mean()), "std": float(x0.detach().std())}

    def fake_step(self, rollout: Rollout, text: Tensor) -> float:
        """Teach the fake score what the generator makes now; return its flow's mean square error."""
        history = rollout.x0[:, : self.layout.history_frames]
        noisy, timesteps, noise = self._noised(rollout.x0)
        flow = packed_flow(self._fake, history, noisy, timesteps, text, self.layout)
        error = (flow - (noise - rollout.x0)).square().mean(dim=(0, 2, 3, 4))
        loss = (error * rollout.counts).sum() / rollout.counts.sum()
        self.fake_optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.fake.parameters(), self.settings.clip_norm)
        self.fake_optimiser.step()
        return float(loss.detach())

    def _noised(self, x0: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        shape = (len(x0), self.layout.chunks)
        timesteps = any_timesteps(shape, self.shift, self.noise).clamp(max=980.0)
        timesteps = timesteps.repeat_interleave(self.layout.chunk_frames, dim=1)
        noise = torch.randn(x0.shape, generator=self.noise)
        return add_noise(x0, noise, timesteps), timesteps, noise

    def state(self, step: int, used_s: float) -> dict:
        """Return what a checkpoint holds."""
        return {
            "generator": self.generator.state_dict(),
            "average": self.average.state_dict(),
            "fake": self.fake.state_dict(),
            "generator_optimiser": self.generator_optimiser.state_dict(),
            "fake_optimiser": self.fake_optimiser.state_dict(),
            "step": step,
            "used_s": used_s,
        }

    def restore(self, saved: dict) -> None:
        """Go on from a checkpoint."""
        self.generator.load_state_dict(saved["generator"])
        self.average.load_state_dict(saved["average"])
        self.fake.load_state_dict(saved["fake"])
        self.generator_optimiser.load_state_dict(saved["generator_optimiser"])
        self.fake_optimiser.load_state_dict(saved["fake_optimiser"])


def train_redmd(settings: RedmdSettings, folder: Path, config: ModelConfig = EMBER) -> CausalWanTransformer:
    """Distil for `settings.minutes` in all, resuming where a run in `folder` stopped; return the averaged model."""
    torch.set_num_threads(settings.threads)
    run = RunFolder(folder, settings.name)
    base = torch.load(folder / settings.start_from, weights_only=True)["average"]
    distiller = Distiller(settings, config, base)
    encoder = read_text_encoder(folder)
    watch = Stopwatch(settings.minutes, settings.steps)
    if saved := run.load():
        distiller.restore(saved)
        watch.resume(saved["step"], saved["used_s"])
    dice = random.Random(settings.seed + watch.step)
    specs = torch.Generator().manual_seed(settings.seed + watch.step)
    next_report_s = watch.used_s + settings.report_s
    while watch.progress < 1.0:
        with torch.no_grad():
            text = encoder([caption(random_spec(specs), dice).text for _ in range(settings.batch)])
        chunks = dice.choice(settings.chunks)
        grid = (settings.height // 8, settings.width // 8)
        rollout = roll_out(distiller.generator, text, chunks, grid, distiller.noise)
        fake_loss = [distiller.fake_step(rollout, text) for _ in range(settings.fake_steps)][-1]
        figures: dict[str, float] = {}
        if watch.step >= settings.fake_only_steps:
            figures = distiller.generator_step(rollout, text)
        watch.step += 1
        if watch.used_s >= next_report_s or watch.progress >= 1.0:
            next_report_s = watch.used_s + settings.report_s
            mean, std = float(rollout.x0.mean()), float(rollout.x0[:, -config.chunk_frames :].std())
            run.report(step=watch.step, used_s=round(watch.used_s), fake=fake_loss, mean=mean, last_std=std, **figures)
            run.save(distiller.state(watch.step, watch.used_s))
            write_transformer(distiller.average, folder / settings.name)
    return distiller.average


def _run(settings: RedmdSettings, folder: Path) -> None:
    train_redmd(settings, folder)


STAGE = Job(RedmdSettings, _run)
