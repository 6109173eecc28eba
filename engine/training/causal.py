"""Stage `causal`: the transformer, trained at the sampler's own noise levels with clean history in one packed pass.

Self-Forcing's teacher forcing (arXiv:2506.08009), without a teacher. Knows nothing of pixels.
"""

import dataclasses
import random
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from engine.ember.weights import read_text_encoder, write_transformer
from engine.model.config import EMBER, ModelConfig
from engine.model.transformer import CausalWanTransformer, initialise
from engine.schedule import PUBLISHED_STEPS, Schedule
from engine.training.bank import read_bank
from engine.training.config import CausalSettings
from engine.training.muon import Muon
from engine.training.run_folder import RunFolder, Stopwatch, rate_factor
from engine.training.samples import Samples, draw_samples, encode_prompts
from engine.training.stage import Job
from engine.training.teacher_forcing import Layout, add_noise, any_timesteps, flow_to_x0, packed_flow

EXAM_CLIPS = 12  # of the training bank: drawn clips are so many that none is learned by heart
OWN_HISTORY_STEPS = 0.6  # of the steps, once it has begun
OWN_HISTORY_SAMPLES = 0.75  # of the samples of such a step


class CausalTrainer:
    """Model, averaged model and optimiser of one run."""

    def __init__(self, settings: CausalSettings, config: ModelConfig, folder: Path) -> None:
        self.settings = settings
        self.config = config
        self.model = CausalWanTransformer(config)
        initialise(self.model, torch.Generator().manual_seed(settings.seed))
        self.average = CausalWanTransformer(config).requires_grad_(False)
        self.average.load_state_dict(self.model.state_dict())
        named = list(self.model.named_parameters())
        matrices = [p for name, p in named if is_matrix(name, p)]
        others = [p for name, p in named if not is_matrix(name, p)]
        self.optimiser = Muon(matrices, others, settings.rate, settings.adam_rate, settings.weight_decay)
        self.timesteps = torch.tensor(Schedule(config.timestep_shift).warp(PUBLISHED_STEPS))
        self.text = read_text_encoder(folder)
        # one graph per size, minutes each: single frames, the averaged model and own histories stay uncompiled
        self._compiled = torch.compile(self.model, dynamic=False) if settings.compile else self.model
        self.step = 0
        self.dice = random.Random(settings.seed)
        self.noise = torch.Generator().manual_seed(settings.seed)

    def train_step(self, samples: Samples, layout: Layout, progress: float) -> float:
        """Take one step; return the flow's mean square error."""
        with torch.no_grad():
            text = encode_prompts(self.text, samples.prompts)
        history = samples.history
        if progress > self.settings.own_history_from and self.dice.random() < OWN_HISTORY_STEPS:
            history = self._own_history(samples, self._worn(history), layout, text)
        history = self._worn(history)
        noise = self._randn(samples.target)
        timesteps = self._random_timesteps(samples.target, layout)
        noisy = add_noise(samples.target, noise, timesteps)
        model = self._compiled if layout.chunk_frames == self.config.chunk_frames else self.model
        flow = packed_flow(model, history, noisy, timesteps, text, layout)
        error = (flow - (noise - samples.target)).square().mean(dim=(2, 3, 4))
        loss = (error * samples.counts).sum() / samples.counts.sum().clamp(min=1.0)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        self.step += 1
        self._update_average()
        return float(loss.detach())

    @torch.no_grad()
    def measure(self, samples: Samples, layout: Layout) -> dict[str, float]:
        """Return the averaged model's x0 error of the first and last chunk at the first and last step."""
        self.noise.manual_seed(7)
        text = encode_prompts(self.text, samples.prompts)
        result = {}
        noise = self._randn(samples.target)
        for timestep in (self.timesteps[0], self.timesteps[-1]):
            timesteps = timestep.expand(samples.target.shape[:2])
            noisy = add_noise(samples.target, noise, timesteps)
            flow = packed_flow(self.average, samples.history, noisy, timesteps, text, layout)
            x0 = flow_to_x0(noisy, flow, timesteps)
            error = (x0 - samples.target).square().mean(dim=(0, 2, 3, 4))
            result[f"first_{int(timestep)}"] = round(float(error[: layout.chunk_frames].mean()), 4)
            result[f"last_{int(timestep)}"] = round(float(error[-layout.chunk_frames :].mean()), 4)
        self.noise.manual_seed(self.settings.seed + self.step)
        return result

    def state(self, used_s: float) -> dict:
        """Return what a checkpoint holds."""
        return {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "used_s": used_s,
        }

    def restore(self, saved: dict) -> None:
        """Go on from a checkpoint."""
        self.model.load_state_dict(saved["model"])
        self.average.load_state_dict(saved["average"])
        self.optimiser.load_state_dict(saved["optimiser"])
        self.step = saved["step"]
        self.dice.seed(self.settings.seed + self.step)
        self.noise.manual_seed(self.settings.seed + self.step)

    def _worn(self, history: Tensor) -> Tensor:
        """Spoil histories as streams spoil them: noise always; often faded to a flat picture, or blurred.

        The target stays what it was, so the model learns the way back. Without it no stream leaves black.
        """
        batch, sink = len(history), self.config.sink_frames
        flat = history.mean(dim=(1, 3, 4), keepdim=True)[torch.randperm(batch, generator=self.noise)]
        coarse = functional.avg_pool2d(history.flatten(0, 1), 5, stride=1, padding=2, count_include_pad=False)
        coarse = coarse.unflatten(0, history.shape[:2])
        for picture, share in ((coarse, self.settings.blur_share), (flat, self.settings.fade_share)):
            amount = self._rand(batch) * (self._rand(batch) < share)
            amount = amount[:, None].expand(-1, history.shape[1]).clone()
            amount[:, :sink] *= (self._rand(batch) < 0.5)[:, None]  # in a long stream the sink is the sound part
            history = torch.lerp(history, picture.expand_as(history), amount[:, :, None, None, None])
        history = self._patched(history)
        level = self._rand(batch)[:, None, None, None, None] * self.settings.history_noise
        return torch.lerp(history, self._randn(history), level)

    def _patched(self, history: Tensor) -> Tensor:
        """Cover a blot of some windows with one of their own colours; the sink is left as it is.

        Shapes that grow a little with every chunk would fill the picture in a minute: the sink tells what is too much.
        """
        batch, frames, channels, height, width = history.shape
        place = torch.randint(height * width, (batch, 1, 1), generator=self.noise).expand(-1, channels, -1)
        colour = history[:, 0].flatten(2).gather(2, place)[:, None, :, :, None]  # (B, 1, C, 1, 1)
        grid = torch.randn(batch, 1, 3, 4, generator=self.noise)
        relief = functional.interpolate(grid, (height, width), mode="bicubic")
        is_covered = self._rand(batch) < self.settings.patch_share
        blot = torch.sigmoid(8.0 * (relief - 0.5)) * is_covered[:, None, None, None]
        amount = blot[:, None].expand(-1, frames, -1, -1, -1).clone()
        amount[:, : self.config.sink_frames] = 0.0
        return torch.lerp(history, colour.expand_as(history), amount)

    @torch.no_grad()
    def _own_history(self, samples: Samples, history: Tensor, layout: Layout, text: Tensor) -> Tensor:
        """Replace most samples' history by what the model makes of it at a random step (no rollout)."""
        timesteps = self._random_timesteps(samples.target, layout)
        noisy = add_noise(samples.target, self._randn(samples.target), timesteps)
        flow = packed_flow(self.model, history, noisy, timesteps, text, layout)
        x0 = flow_to_x0(noisy, flow, timesteps)
        own = x0[:, : layout.history_frames]
        # samples with a foreign history keep it
        same = (samples.history == samples.target[:, : layout.history_frames]).flatten(1).all(dim=1)
        chosen = torch.rand(len(own), generator=self.noise) < OWN_HISTORY_SAMPLES
        return torch.where((chosen & same)[:, None, None, None, None], own, history)

    def _random_timesteps(self, target: Tensor, layout: Layout) -> Tensor:
        """Draw a timestep for every chunk of every sample, mostly one of the sampler's: (B, window)."""
        shape = (len(target), layout.chunks)
        timesteps = self.timesteps[torch.randint(len(self.timesteps), shape, generator=self.noise)]
        # the others make the model a score at every level, which distillation asks it for later
        anywhere = any_timesteps(shape, self.config.timestep_shift, self.noise)
        is_any = torch.rand(shape, generator=self.noise) < self.settings.any_step_share
        return torch.where(is_any, anywhere, timesteps).repeat_interleave(layout.chunk_frames, dim=1)

    def _rand(self, count: int) -> Tensor:
        return torch.rand(count, generator=self.noise)

    def _randn(self, like: Tensor) -> Tensor:
        return torch.randn(like.shape, generator=self.noise)

    @torch.no_grad()
    def _update_average(self) -> None:
        # young averages are short, or they would remember the initial weights
        keep = min(self.settings.ema, (1 + self.step) / (10 + self.step))
        pairs = zip(self.average.parameters(), self.model.parameters(), strict=True)
        for average, p in pairs:
            average.lerp_(p, 1.0 - keep)


def is_matrix(name: str, p: Tensor) -> bool:
    """Tell whether Muon takes a parameter: the blocks' matrices and the modulation's projection."""
    return p.ndim == 2 and (name.startswith("blocks.") or name == "time_projection.1.weight")


def train_causal(settings: CausalSettings, folder: Path, config: ModelConfig = EMBER) -> CausalWanTransformer:
    """Train for `settings.minutes` in all, resuming where a run in `folder` stopped; return the averaged model."""
    torch.set_num_threads(settings.threads)
    run = RunFolder(folder, settings.name)
    trainer = CausalTrainer(settings, config, folder)
    banks = [read_bank(folder / name) for name in settings.banks]
    whole = Layout(config.window_frames, config.chunk_frames)
    single = Layout(config.window_frames, 1)
    watch = Stopwatch(settings.minutes, settings.steps)
    if saved := run.load():
        trainer.restore(saved)
        watch.resume(saved["step"], saved["used_s"])
    elif settings.start_from:
        trainer.restore(torch.load(folder / settings.start_from, weights_only=True) | {"step": 0})
    plain = dataclasses.replace(settings, cut_share=0.0, filler_share=0.0)
    exam = draw_samples(banks[0], plain, EXAM_CLIPS, config, config.chunk_frames, random.Random(0))
    losses: list[float] = []
    next_report_s = watch.used_s + settings.report_s
    while watch.progress < 1.0:
        trainer.optimiser.scale_rates(rate_factor(watch.progress, settings.hold))
        layout = single if trainer.dice.random() < settings.single_share else whole
        bank, batch = trainer.dice.choices(list(zip(banks, settings.batches, strict=True)), settings.bank_weights)[0]
        samples = draw_samples(bank, settings, batch, config, layout.chunk_frames, trainer.dice)
        losses.append(trainer.train_step(samples, layout, watch.progress))
        watch.step += 1
        if watch.used_s >= next_report_s or watch.progress >= 1.0:
            next_report_s = watch.used_s + settings.report_s
            mean = round(sum(losses) / len(losses), 4)
            figures = trainer.measure(exam, whole)
            run.report(step=trainer.step, used_s=round(watch.used_s), loss=mean, **figures)
            run.save(trainer.state(watch.used_s))
            write_transformer(trainer.average, folder)
            losses = []
    return trainer.average


def _run(settings: CausalSettings, folder: Path) -> None:
    train_causal(settings, folder)


STAGE = Job(CausalSettings, _run)
