"""Stage `vace`: the branch that guides a causal student by control video, masks and references (arXiv:2503.07598).

The model itself is frozen. Its branch learns as it plays: at the sampler's own levels, one chunk at a time over a clean
history that nothing guides. Knows nothing of pixels.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from engine.checkpoints import load_into, read_checkpoint
from engine.ember.weights import write_weights
from engine.model.transformer import CausalWanTransformer, initialise_vace
from engine.model.vace import Guide, streaming_attention
from engine.schedule import PUBLISHED_STEPS, Schedule
from engine.training.guided.bank import read_vace_bank
from engine.training.guided.history import ChunkMemory, read_history, side_by_side
from engine.training.guided.painting import GuidedPainter
from engine.training.guided.samples import GuidedSamples, GuideShares, caption_of, draw_guided
from engine.training.objective import Draw, MicroLoss
from engine.training.objectives.models import FRESH, load_transformer, missing_model, model_preset, weights_file
from engine.training.objectives.texts import Texts
from engine.training.stage import Stage, Weights
from engine.training.teacher_forcing import Layout, add_noise, any_timesteps
from engine.training.trainer.settings import OptimiserSettings, TrainerSettings
from engine.training.worn_history import Wear, worn
from engine.vace.weights import vace_weights

FILE, PREFIX = "vace.safetensors", "vace_"


@dataclass(frozen=True)
class VaceSettings:
    """Stage `vace`. Shares are of the samples unless something else is said."""

    model: str = "ember"
    start_from: str = ""  # weights of the frozen model: "" = its own, or a file
    vace_from: str = FRESH  # or a file with a branch to go on from
    vace_layers: tuple[int, ...] = (0, 2, 4)  # of the model: those that get a hint
    banks: tuple[str, ...] = ("vace-bank",)  # folders in the run's
    bank_weights: tuple[float, ...] = (1.0,)
    view_weights: tuple[float, ...] = (0.5, 0.3, 0.2)  # edges, another control, a mask
    captions: int = 0  # of each clip, all encoded before; 0 = a new one for every sample (small text encoders)
    history_noise: float = 0.15
    fade_share: float = 0.15  # the history faded to a flat picture, by a random amount
    blur_share: float = 0.15  # the history blurred, by a random amount
    any_step_share: float = 0.2  # of the chunks: a timestep from the whole schedule, not one of the sampler's
    single_share: float = 0.08  # of the micro-batches: chunks of one latent frame
    reference_share: float = 0.2  # of the micro-batches: with a reference
    unguided_share: float = 0.05  # a context that says nothing
    cut_share: float = 0.12  # the history of another clip
    filler_share: float = 0.07  # a caption that says nothing
    hint_gain: float = 1.0  # hints are written so many times as strong as they were learnt: what scale 1 means live
    seed: int = 6  # of fresh weights

    def __post_init__(self) -> None:
        if len(self.banks) != len(self.bank_weights) or not self.banks or sum(self.bank_weights) <= 0.0:
            raise ValueError(f"bank_weights = {list(self.bank_weights)}: give one for each of {list(self.banks)}")
        if len(self.view_weights) != 3 or sum(self.view_weights) <= 0.0:
            raise ValueError(f"view_weights = {list(self.view_weights)}: give three, for edges, other controls, masks")
        for field in dataclasses.fields(self):
            share = self.__dict__[field.name]
            if field.name.endswith("_share") and not 0.0 <= share <= 1.0:
                raise ValueError(f"{field.name} = {share:g} must lie in 0..1")


def missing(settings: VaceSettings, folder: Path) -> list[str]:
    """What is not there, as sentences."""
    problems = missing_model("model", settings.model, settings.start_from, folder)
    if not problems:
        problems += missing_model("vace_from", settings.model, settings.vace_from or FRESH, folder)
        try:
            dataclasses.replace(model_preset(settings.model).transformer, vace_layers=settings.vace_layers)
        except ValueError as error:
            problems.append(f"vace_layers: {error}")
    for name in settings.banks:
        if not any((folder / name).glob("*.pt")):
            problems.append(f"{folder / name}: holds no guided clips; `vj train vace-bank` makes them")
    return problems


def load_guided(settings: VaceSettings, folder: Path) -> CausalWanTransformer:
    """The model with its branch, float32, on the CPU; only the branch asks for gradients. Raises CheckpointError."""
    base = load_transformer(settings.model, settings.start_from, folder)
    config = dataclasses.replace(base.config, vace_layers=settings.vace_layers)
    with torch.device("meta"):
        model = CausalWanTransformer(config)
    for name, module in base.named_children():
        if name != "vace_blocks":
            model.register_module(name, module)
    branch = nn.Module()
    branch.vace_patch_embedding, branch.vace_blocks = model.vace_patch_embedding, model.vace_blocks
    branch.to_empty(device="cpu")
    if settings.vace_from == FRESH:
        initialise_vace(model, torch.Generator().manual_seed(settings.seed))
    else:
        file = weights_file(model_preset(settings.model), settings.vace_from, folder)
        load_into(branch, vace_weights(read_checkpoint(file)), device=torch.device("cpu"))
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name.startswith(PREFIX))
    return model


class Vace:
    """One part, the generator, of which the branch is trained."""

    def __init__(self, settings: VaceSettings, folder: Path) -> None:
        """Load everything on the CPU. Raises CheckpointError and ValueError."""
        self.settings = settings
        self.generator = load_guided(settings, folder)
        self.trained: Mapping[str, nn.Module] = {"generator": self.generator}
        self.frozen: Mapping[str, nn.Module] = {}
        self._banks = [read_vace_bank(folder / name) for name in settings.banks]
        self._texts = Texts(model_preset(settings.model), "", folder, self._all_captions())
        self._shares = GuideShares(
            settings.view_weights, settings.unguided_share, settings.cut_share, settings.filler_share
        )
        self._wear = Wear(settings.history_noise, settings.fade_share, settings.blur_share, 0.0)
        self._timesteps = torch.tensor(Schedule(self.generator.config.timestep_shift).warp(PUBLISHED_STEPS))
        self._painter = GuidedPainter(model_preset(settings.model), self._texts, self._banks[0], settings.captions)

    def parts(self, step: int) -> tuple[str, ...]:
        """The generator in every step."""
        return ("generator",)

    def loss(self, part: str, step: int, draw: Draw) -> MicroLoss:
        """Mean square error of the flow of guided chunks over a clean history."""
        config, own = self.generator.config, self.settings
        is_single, has_reference = (
            bool(torch.rand((), generator=draw.shared) < share) for share in (own.single_share, own.reference_share)
        )
        layout = Layout(config.window_frames, 1 if is_single else config.chunk_frames)
        number = int(torch.multinomial(torch.tensor(own.bank_weights), 1, generator=draw.shared))
        frames = (config.window_frames, layout.history_frames, config.sink_frames)
        samples = draw_guided(self._banks[number], self._shares, draw.samples, frames, draw.dice, own.captions)
        history = worn(samples.history, self._wear, config.sink_frames, draw.own)
        noise = torch.randn(samples.target.shape, generator=draw.own)
        timesteps = self._random_timesteps(draw.samples, layout, draw)
        flow = self._flow(samples, history, noise, timesteps, layout, has_reference)
        error = (flow - side_by_side(noise - samples.target, layout).to(flow.device)).square()
        losses = error.flatten(1).mean(dim=1)
        return MicroLoss(losses.sum() / layout.chunks, float(draw.samples), {})

    def paint(self, prompts: tuple[str, ...], seed: int) -> Tensor:
        """Per clip: its picture, and streams with its edges as a guide and without one, as `objective.Painter`."""
        return self._painter.paint(self.generator, seed)

    def _flow(
        self,
        samples: GuidedSamples,
        history: Tensor,
        noise: Tensor,
        timesteps: Tensor,
        layout: Layout,
        has_reference: bool,
    ) -> Tensor:
        """Flow of every chunk (chunks * B, f, C, h, w), float32."""
        model, device = self.generator, self.generator.patch_embedding.weight.device
        text = model.encode_text(self._texts.embed_blends(samples.prompts).to(device))
        kept = read_history(model, history.to(device), text, layout)
        context = side_by_side(samples.context, layout)
        if has_reference:
            context = torch.cat((samples.reference.repeat(layout.chunks, 1, 1, 1, 1), context), dim=1)
        size = (noise.shape[-2], noise.shape[-1])
        memory = streaming_attention(model.config, context.shape[1], size, device)
        guide = Guide(context.to(device), memory, reference_frames=int(has_reference))
        noisy, times = add_noise(samples.target, noise, timesteps), side_by_side(timesteps, layout)
        wide = [(k.repeat(layout.chunks, 1, 1, 1), v.repeat(layout.chunks, 1, 1, 1)) for k, v in text]
        flow = model(side_by_side(noisy, layout).to(device), times.to(device), wide, ChunkMemory(kept), guide)
        return flow.float()

    def _random_timesteps(self, samples: int, layout: Layout, draw: Draw) -> Tensor:
        """A timestep for every chunk of every sample, mostly one of the sampler's: (B, window)."""
        shape = (samples, layout.chunks)
        timesteps = self._timesteps[torch.randint(len(self._timesteps), shape, generator=draw.own)]
        anywhere = any_timesteps(shape, self.generator.config.timestep_shift, draw.own)
        is_any = torch.rand(shape, generator=draw.own) < self.settings.any_step_share
        return torch.where(is_any, anywhere, timesteps).repeat_interleave(layout.chunk_frames, dim=1)

    def _all_captions(self) -> tuple[str, ...]:
        """Every text a sample may be asked with, where they are encoded before."""
        count = self.settings.captions
        prompts = [
            caption_of(bank.plans[clip], clip, number)
            for bank in self._banks
            for clip in range(len(bank))
            for number in range(count)
        ]
        return tuple(dict.fromkeys(text for prompt in prompts for text in (prompt.text, prompt.second) if text))


def export(objective: Vace, weights: Mapping[str, Weights], folder: Path) -> None:
    """Write the branch alone, in published key names, as float16. The old file stands until the new one is whole."""
    gain = objective.settings.hint_gain
    own = {
        name: weight * gain if ".after_proj." in name else weight
        for name, weight in weights["generator"].items()
        if name.startswith(PREFIX)
    }
    partial = folder / f"{FILE}.partial"
    write_weights(partial, "vace", dataclasses.asdict(objective.generator.config), own)
    partial.replace(folder / FILE)


STAGE = Stage(
    settings=VaceSettings,
    build=Vace,
    missing=missing,
    trainer=TrainerSettings(
        steps=2000, batch=8, micro_batch=8, clip_norm=0.0, warm_up_steps=20, hold=0.6, rate_floor=0.02, ema=0.99
    ),
    optimisers={"generator": OptimiserSettings(kind="muon", rate=0.01, adam_rate=0.002, beta1=0.9)},
    export=export,
    may_recompute=True,
)
