"""Settings of the training stages: one frozen dataclass each, read from TOML. Knows nothing of what they do."""

import dataclasses
import difflib
import tomllib
from dataclasses import dataclass
from pathlib import Path


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


SETTINGS: dict[str, type] = {
    "autoencoder": AutoencoderSettings,
    "text": TextSettings,
    "bank": BankSettings,
    "causal": CausalSettings,
    "redmd": RedmdSettings,
}


class SettingsError(ValueError):
    """A settings file that cannot be used, in one sentence."""


def read_settings(stage: str, path: Path) -> object:
    """Read the TOML file of a stage; raise SettingsError with file, key and a suggestion."""
    kind = SETTINGS[stage]
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise SettingsError(f"{path}: cannot be read: {fault.strerror}") from fault
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise SettingsError(f"{path}: is not TOML: {fault}") from fault
    fields = {field.name: field for field in dataclasses.fields(kind)}
    values: dict[str, object] = {}
    for key, value in table.items():
        if key not in fields:
            close = difflib.get_close_matches(key, fields, n=1)
            hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(fields)}"
            raise SettingsError(f"{path}: {key}: stage {stage} has no such setting; {hint}")
        default = fields[key].default
        if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if isinstance(default, tuple) and isinstance(value, list):
            value = tuple(value)
        if type(value) is not type(default):
            raise SettingsError(f"{path}: {key} = {value!r} is no {type(default).__name__}, as {default!r} is")
        if isinstance(value, int | float) and value < 0:
            raise SettingsError(f"{path}: {key} = {value}: must not be negative")
        values[key] = value
    return kind(**values)
