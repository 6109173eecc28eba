"""Stage `autoencoder`: the tiny video autoencoder, trained on crops of drawn clips.

Knows nothing of captions or of the transformer.
"""

import time
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.ember.weights import read_autoencoder, write_autoencoder
from engine.training.clips.drawing import draw_clip, draw_crop
from engine.training.clips.families import FAMILIES
from engine.training.clips.spec import CONTENT_RATE_HZ, ClipSpec, Variety, random_spec
from engine.training.config import AutoencoderSettings
from engine.training.muon import Muon
from engine.training.run_folder import RunFolder, Stopwatch, rate_factor
from engine.training.stage import Job
from engine.vae.tiny_vae import TinyVae, preset

SHORT_FRAMES = 9  # 3 latent frames
SHIPPED, FILE = Path(__file__).parents[1] / "ember", "autoencoder.safetensors"
LEAST_TURNS = 0.15  # of an easy family, relative to the hardest
LONG_FRAMES = 21  # 6 latent frames: the reach of the memory blocks, as in mid-stream


class LatentScale(nn.Module):
    """Running mean and deviation of the raw latents, so that the decoder sees unit ones from the first step.

    `fold` moves both into the encoder's last convolution; it is exact.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("std", torch.ones(channels))
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, z: Tensor) -> Tensor:
        """Normalise latents (B, F, C, h, w); in training, learn from them."""
        if self.training:
            with torch.no_grad():
                raw = z.detach().float()
                weight = max(0.01, 1.0 / (1.0 + float(self.seen)))
                self.mean.lerp_(raw.mean(dim=(0, 1, 3, 4)), weight)
                self.std.lerp_(raw.std(dim=(0, 1, 3, 4)).clamp(min=1e-3), weight)
                self.seen += 1
        return (z - self.mean[:, None, None]) / self.std[:, None, None]

    @torch.no_grad()
    def fold(self, model: TinyVae) -> None:
        """Make the encoder of `model` return normalised latents by itself."""
        last = model.encoder["17"]
        last.weight.div_(self.std[:, None, None, None])
        last.bias.copy_((last.bias - self.mean) / self.std)
        self.mean.zero_()
        self.std.fill_(1.0)


def _is_matrix(name: str, p: nn.Parameter) -> bool:
    """Tell whether Muon takes a parameter: kernels, except those next to pixels and latents."""
    ends = ("encoder.0.", "encoder.17.", "decoder.1.", "decoder.22.")
    return p.ndim == 4 and not name.startswith(ends)


def reconstruction_loss(made: Tensor, wanted: Tensor) -> Tensor:
    """Return |e| + 4 e^2 plus the colour error, lit parts of dark clips counting more; both in [0, 1]."""
    error = made - wanted
    # a clip that is nearly black is reconstructed well by black: weigh what shines by how rare it is
    luma = wanted.amax(dim=2, keepdim=True)
    weight = 0.6 + luma / (luma.mean(dim=(1, 3, 4), keepdim=True) + 0.15)
    chroma = error - error.mean(dim=2, keepdim=True)
    return (weight * (error.abs() + 4.0 * error * error + chroma.abs())).mean()


def _batch(settings: AutoencoderSettings, frames: int, turns: dict[str, float], generator: torch.Generator) -> Tensor:
    count = settings.batch if frames == SHORT_FRAMES else max(1, settings.batch // 2)
    specs = [draw_spec(turns, generator) for _ in range(count)]
    return torch.stack([draw_crop(spec, settings.crop_px, frames, generator) for spec in specs])


def draw_spec(turns: dict[str, float], generator: torch.Generator) -> ClipSpec:
    """Draw a picture whose family is taken with its probability in `turns` (0..1), or else drawn anew."""
    while True:
        spec = random_spec(generator, Variety())
        if float(torch.rand((), generator=generator)) < turns.get(spec.family, 1.0):
            return spec


def turns_of(psnr_db: dict[str, float]) -> dict[str, float]:
    """How often each family is taken, relative to the worst: by its mean square error, but LEAST_TURNS at least."""
    errors = {family: 10.0 ** (-psnr_db[family] / 10.0) for family in FAMILIES if family in psnr_db}
    worst = max(errors.values(), default=1.0)
    return {family: max(LEAST_TURNS, error / worst) for family, error in errors.items()}


def _train_step(model: TinyVae, scale: LatentScale, frames: Tensor, noise: float) -> Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        z = scale(model.encode(frames)[0].float())
        made, _ = model.decode_unclamped(z + noise * torch.randn_like(z))
    return reconstruction_loss(made.float(), frames * 0.5 + 0.5)


@torch.inference_mode()
def measure(model: TinyVae, scale: LatentScale) -> dict[str, float]:
    """Return PSNR in dB per family on held-out whole frames (160 x 96, 17 frames), and its mean."""
    was_learning = scale.training
    scale.eval()
    result: dict[str, float] = {}
    for index, family in enumerate(FAMILIES):
        spec = ClipSpec(family, ("red", "blue", "gold", "teal", "black")[index % 5], "normal", 10_000 + index)
        frames = draw_clip(spec, 96, 160, int(4 * CONTENT_RATE_HZ), 17)[None]
        with torch.autocast("cpu", torch.bfloat16):
            made, _ = model.decode(scale(model.encode(frames)[0].float()))
        mse = functional.mse_loss(made.float() * 0.5, frames * 0.5)
        result[family] = round(float(-10.0 * torch.log10(mse)), 2)
    result["mean"] = round(sum(result.values()) / len(result), 2)
    scale.train(was_learning)
    return result


def train_autoencoder(settings: AutoencoderSettings, folder: Path) -> TinyVae:
    """Train for `settings.minutes` in all, resuming where a run in `folder` stopped; return the folded model."""
    torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    run = RunFolder(folder, "autoencoder")
    model, generator = _first_weights(settings), torch.Generator().manual_seed(settings.seed)
    scale = LatentScale(model.config.latent_channels).train(not settings.decoder_only)
    model.encoder.requires_grad_(not settings.decoder_only)
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    matrices = [p for n, p in named if _is_matrix(n, p)]
    optimiser = Muon(matrices, [p for n, p in named if not _is_matrix(n, p)], settings.rate, settings.adam_rate)
    watch = Stopwatch(settings.minutes, settings.steps)
    turns: dict[str, float] = {}  # how often a family is drawn; equally, until it has been measured
    if saved := run.load():
        model.load_state_dict(saved["model"])
        scale.load_state_dict(saved["scale"])
        optimiser.load_state_dict(saved["optimiser"])
        watch.resume(saved["step"], saved["used_s"])
        turns = saved["turns"]
        generator.manual_seed(settings.seed + watch.step)
    loss_sum, since, next_report_s = 0.0, 0, watch.used_s + settings.report_s
    while watch.progress < 1.0:
        optimiser.scale_rates(rate_factor(watch.progress, settings.hold))
        frames = LONG_FRAMES if watch.step % 4 == 3 and watch.progress > 0.2 else SHORT_FRAMES
        loss = _train_step(model, scale, _batch(settings, frames, turns, generator), settings.latent_noise)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        watch.step, loss_sum, since = watch.step + 1, loss_sum + float(loss.detach()), since + 1
        if watch.used_s >= next_report_s or watch.progress >= 1.0:
            next_report_s = watch.used_s + settings.report_s
            psnr_db = measure(model, scale)
            turns = turns_of(psnr_db)
            run.report(step=watch.step, used_s=round(watch.used_s), loss=round(loss_sum / since, 4), **psnr_db)
            run.save(_state(model, scale, optimiser, watch.step, watch.used_s) | {"turns": turns})
            loss_sum, since = 0.0, 0
    scale.fold(model)
    return model.eval()


def _first_weights(settings: AutoencoderSettings) -> TinyVae:
    if not settings.start_from:
        return TinyVae(preset(settings.preset))
    return read_autoencoder(SHIPPED if settings.start_from == "ember" else Path(settings.start_from)).train()


def _missing(settings: AutoencoderSettings, folder: Path) -> list[str]:
    if settings.decoder_only and not settings.start_from:
        return ["decoder_only = true: a fresh encoder has to be trained; give start_from, weights to go on from"]
    if settings.start_from in ("", "ember") or (Path(settings.start_from) / FILE).is_file():
        return []
    return [f"start_from = {settings.start_from!r}: no {FILE} is there"]


def _state(model: TinyVae, scale: LatentScale, optimiser: Muon, step: int, used_s: float) -> dict:
    return {
        "model": model.state_dict(),
        "scale": scale.state_dict(),
        "optimiser": optimiser.state_dict(),
        "step": step,
        "used_s": used_s,
        "saved_at": time.time(),
    }


def _run(settings: AutoencoderSettings, folder: Path) -> None:
    write_autoencoder(train_autoencoder(settings, folder), folder)


STAGE = Job(AutoencoderSettings, _run, _missing)
