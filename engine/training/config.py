"""Settings of the training stages: one frozen dataclass each. Knows nothing of what they do."""

from dataclasses import dataclass


@dataclass(frozen=True)
class AutoencoderSettings:
    """Stage `autoencoder`."""

    minutes: float = 30.0
    steps: int = 0  # instead of minutes, where more than 0
    seed: int = 1
    preset: str = "ember"
    crop_px: int = 96
    batch: int = 4
    rate: float = 0.004  # Muon; 0.02 kills every ReLU
    adam_rate: float = 0.001
    latent_noise: float = 0.08  # of the latents' deviation, so that the decoder forgives the denoiser
    hold: float = 0.4  # share of the run at the full rate; then linear to 2 %
    threads: int = 2
    report_s: float = 60.0


@dataclass(frozen=True)
class TextSettings:
    """Stage `text`: the n-gram encoder, pre-trained to name family, palette and speed."""

    steps: int = 1500
    batch: int = 64
    rate: float = 0.003
    seed: int = 2
    threads: int = 1


@dataclass(frozen=True)
class BankSettings:
    """Stage `bank`: drawn clips, encoded to latents on disk."""

    name: str = "bank"  # of the folder
    clips: int = 4000
    width: int = 160
    height: int = 96
    latent_frames: int = 12  # from the start of each clip
    far_latent_frames: int = 6  # from much later in the same clip
    variety: float = 1.0  # times how often a clip is anything but plain; 0 = families, palettes and speeds alone
    shard_clips: int = 250
    seed: int = 3
    workers: int = 2  # processes of one thread each


@dataclass(frozen=True)
class CausalSettings:
    """Stage `causal`: the transformer, trained at the sampler's own steps with clean history."""

    name: str = "causal"  # of the log and the checkpoint
    start_from: str = ""  # a checkpoint in the run's folder; empty = fresh weights
    minutes: float = 60.0
    steps: int = 0  # instead of minutes, where more than 0
    banks: tuple[str, ...] = ("bank",)  # folders under the run's folder
    bank_weights: tuple[float, ...] = (1.0,)
    batches: tuple[int, ...] = (8,)  # clips per step, for each bank
    rate: float = 0.02  # Muon
    adam_rate: float = 0.002
    weight_decay: float = 0.01
    ema: float = 0.995
    hold: float = 0.5
    own_history_from: float = 0.67  # share of the run after which histories are the model's own predictions
    history_noise: float = 0.15
    fade_share: float = 0.3  # of the samples: the history faded to a flat picture, by a random amount
    blur_share: float = 0.15  # of the samples: the history blurred, by a random amount
    patch_share: float = 0.0  # of the samples: a blot of one colour over the history, the sink excepted
    any_step_share: float = 0.3  # of the chunks: a timestep from the whole schedule, not one of the sampler's
    single_share: float = 0.15  # of the steps: chunks of one latent frame
    cut_share: float = 0.12  # of the samples: the history of another clip
    filler_share: float = 0.07  # of the samples: a caption that says nothing
    compile: bool = False  # pays for itself after about ten minutes
    seed: int = 4
    threads: int = 2
    report_s: float = 60.0


@dataclass(frozen=True)
class RedmdSettings:
    """Stage `redmd`: the base, matched to its own distribution on streams it makes by itself."""

    name: str = "redmd"  # of the log, the checkpoint and the folder its weights go to
    start_from: str = "causal.checkpoint.pt"  # in the run's folder
    minutes: float = 15.0
    steps: int = 0  # instead of minutes, where more than 0
    width: int = 160
    height: int = 96
    batch: int = 8
    chunks: tuple[int, ...] = (3, 3, 5)  # how long a stream is, drawn anew for each step
    rate: float = 0.0001
    fake_rate: float = 0.0002
    fake_steps: int = 2  # per step of the generator
    fake_only_steps: int = 10  # before the generator moves
    ema: float = 0.95
    clip_norm: float = 1.0
    compile: bool = False
    seed: int = 5
    threads: int = 2
    report_s: float = 60.0


class SettingsError(ValueError):
    """A settings file that cannot be used, in one sentence."""
