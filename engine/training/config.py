"""Settings of the training stages: one frozen dataclass each. Knows nothing of what they do."""

from dataclasses import dataclass


@dataclass(frozen=True)
class AutoencoderSettings:
    """Stage `autoencoder`."""

    minutes: float = 30.0
    steps: int = 0  # instead of minutes, where more than 0
    seed: int = 1
    preset: str = "ember"
    start_from: str = ""  # weights to go on from: "ember" = those that ship, or a folder that holds some; "" = fresh
    decoder_only: bool = False  # latents stay as they are, and with them the transformer that was trained on them
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
    start_from: str = ""  # weights to go on from, as of the autoencoder
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


class SettingsError(ValueError):
    """A settings file that cannot be used, in one sentence."""
