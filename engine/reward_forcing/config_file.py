"""The published program's YAML configuration: its keys checked and in this project's words, unknown ones named.

Imports no torch. Knows nothing of how rendering or training use them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engine.model.step_lists import LEVELS, check_steps
from engine.model_presets import ModelPreset
from engine.preset_table import did_you_mean
from engine.text_files import TextFileError, read_text_file

SUFFIXES = (".yaml", ".yml")
INSTALL_LINE = "`pip install pyyaml`"
LATENT_STRIDE = 8
SHAPE_AXES = 5  # batch, latent frames, channels, height, width
# What the sampler, or a render, is told by
SAMPLER_KEYS = (
    "denoising_step_list", "warp_denoising_step", "num_frame_per_block", "independent_first_frame", "context_noise",
    "model_kwargs", "seed", "data_path", "num_samples", "image_or_video_shape",
)  # fmt: skip
MODEL_KEYS = ("timestep_shift", "local_attn_size", "sink_size")  # inside model_kwargs
# What only the published trainer, its other pipelines or its logging read
OTHER_KEYS = (
    "batch_size", "beta", "beta1", "beta1_critic", "beta2", "beta2_critic", "causal", "checkpoint_path",
    "ckpt_step", "denoising_loss_type", "dfake_gen_update_ratio", "discriminator_lr_multiplier",
    "distribution_loss", "ema_start_step", "ema_weight", "eval_first_n", "fake_guidance_scale", "fake_name",
    "fake_score_fsdp_wrap_strategy", "full_training_steps", "gc_interval", "generator_ckpt",
    "generator_fsdp_wrap_strategy", "gradient_accumulation_steps", "gradient_checkpointing", "guidance_scale",
    "height", "i2v", "last_step_only", "load_raw_video", "log_iters", "lr", "lr_critic", "max_grad_norm_critic",
    "max_grad_norm_generator", "min_score_timestep", "mixed_precision", "negative_prompt", "num_frames",
    "num_train_timestep", "num_training_frames", "prompt_name", "prompt_path", "real_guidance_scale", "real_name",
    "real_score_fsdp_wrap_strategy", "same_step_across_blocks", "sharding_strategy", "text_encoder_cpu_offload",
    "text_encoder_fsdp_wrap_strategy", "timestep_shift", "trainer", "ts_schedule", "ts_schedule_max",
    "wandb_entity", "wandb_host", "wandb_key", "wandb_project", "weight_decay", "width",
)  # fmt: skip


class ConfigError(ValueError):
    """A configuration that cannot be used; one line per problem: file: key: what is wrong."""


@dataclass(frozen=True)
class PublishedConfig:
    """One file. What it does not say is None, and the model's own holds."""

    path: Path
    values: Mapping[str, object]  # every known key as written
    steps: tuple[int, ...]
    is_warped: bool
    timestep_shift: float | None = None
    chunk_frames: int | None = None
    window_frames: int | None = None
    sink_frames: int | None = None
    seed: int | None = None
    data_path: Path | None = None
    samples: int | None = None
    shape: tuple[int, ...] | None = None  # (latent frames, channels, height, width) in latent pixels
    notes: tuple[str, ...] = field(default=())  # one line per unknown key

    @property
    def size(self) -> tuple[int, int] | None:
        """Picture size (width, height) in pixels."""
        return (self.shape[3] * LATENT_STRIDE, self.shape[2] * LATENT_STRIDE) if self.shape else None

    def applied_to(self, preset: ModelPreset) -> ModelPreset:
        """The preset with the stream this file asks for. Raises ConfigError where the two contradict each other."""
        asked = {
            "timestep_shift": self.timestep_shift,
            "chunk_frames": self.chunk_frames,
            "window_frames": self.window_frames,
            "sink_frames": self.sink_frames,
        }
        try:
            transformer = dataclasses.replace(
                preset.transformer, **{key: value for key, value in asked.items() if value is not None}
            )
        except ValueError as error:
            raise ConfigError(f"{self.path}: with model {preset.name!r}: {error}") from None
        unwarped = () if self.is_warped else tuple(float(step) for step in self.steps)
        stream = dataclasses.replace(preset.stream, steps=self.steps, warped_steps=unwarped)
        return dataclasses.replace(preset, transformer=transformer, stream=stream)


def read_config(path: Path) -> PublishedConfig:
    """Read a file. Raises ConfigError naming every problem."""
    content = _load(path)
    problems: list[str] = []
    reader = _Reader(path, content, problems)
    model = content.get("model_kwargs") or {}
    if not isinstance(model, Mapping):
        problems.append(f"{path}: model_kwargs: {model!r} must be keys and values ({', '.join(MODEL_KEYS)})")
        model = {}
    inner = _Reader(path, model, problems, "model_kwargs.")
    config = PublishedConfig(
        path=path,
        values={key: value for key, value in content.items() if key in (*SAMPLER_KEYS, *OTHER_KEYS)},
        steps=_steps(reader),
        is_warped=bool(reader.switch("warp_denoising_step")),  # the published default is false
        timestep_shift=inner.number("timestep_shift", 0.001, 1000.0),
        chunk_frames=reader.whole("num_frame_per_block", 1, 1000),
        window_frames=inner.whole("local_attn_size", -1, 1000),
        sink_frames=inner.whole("sink_size", 0, 1000),
        seed=reader.whole("seed", 0, 2**31 - 1),
        data_path=_data_path(reader),
        samples=reader.whole("num_samples", 1, 10_000),
        shape=_shape(reader),
        notes=_unknown(path, content, model),
    )
    _refuse_contradictions(config, reader)
    if problems:
        raise ConfigError("\n".join(problems))
    return config


def _load(path: Path) -> Mapping[str, object]:
    try:
        import yaml
    except ModuleNotFoundError:
        raise ConfigError(f"{path}: YAML files need PyYAML: {INSTALL_LINE}") from None
    try:
        content = yaml.safe_load(read_text_file(path))
    except TextFileError as error:
        raise ConfigError(f"{path}: {error}") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ConfigError(f"{path}: is not YAML: {' '.join(str(error).split())[:200]}") from None
    if not isinstance(content, Mapping):
        raise ConfigError(f"{path}: is no configuration: keys and values are expected")
    return {str(key): value for key, value in content.items()}


class _Reader:
    """Asks for keys by type and range; what is wrong is noted, and None goes on."""

    def __init__(self, path: Path, content: Mapping[str, object], problems: list[str], prefix: str = "") -> None:
        self.path, self.content, self.problems, self._prefix = path, content, problems, prefix

    def complain(self, key: str, what: str) -> None:
        """Note a problem."""
        self.problems.append(f"{self.path}: {self._prefix}{key}: {what}")

    def number(self, key: str, low: float, high: float) -> float | None:
        """A number; YAML reads 2e-6 as text, which counts too."""
        value = self.content.get(key)
        if value is None:
            return None
        try:
            found = float(str(value)) if not isinstance(value, bool) else float("nan")
        except ValueError:
            found = float("nan")
        if not low <= found <= high:
            self.complain(key, f"{value!r} must be a number from {low:g} to {high:g}")
            return None
        return found

    def whole(self, key: str, low: int, high: int) -> int | None:
        """A whole number."""
        found = self.number(key, low, high)
        if found is not None and found != int(found):
            self.complain(key, f"{found:g} must be a whole number")
            return None
        return None if found is None else int(found)

    def switch(self, key: str) -> bool | None:
        """True or false."""
        value = self.content.get(key)
        if value is not None and not isinstance(value, bool):
            self.complain(key, f"{value!r} must be true or false")
            return None
        return value

    def wholes(self, key: str) -> tuple[int, ...] | None:
        """A list of whole numbers."""
        value = self.content.get(key)
        if value is None:
            return None
        if not isinstance(value, list) or any(type(item) is not int for item in value):
            self.complain(key, f"{value!r} must be a list of whole numbers")
            return None
        return tuple(value)


def _steps(reader: _Reader) -> tuple[int, ...]:
    if "denoising_step_list" not in reader.content:
        reader.complain(
            "denoising_step_list", "is missing; without it the published program takes fifty guided steps, which a "
            "streaming model cannot"
        )  # fmt: skip
        return ()
    steps = reader.wholes("denoising_step_list")
    if steps is None:
        return ()
    try:
        check_steps(steps)
    except ValueError as error:
        reader.complain("denoising_step_list", str(error))
        return ()
    if steps[0] != LEVELS:
        reader.complain("denoising_step_list", f"begins at {steps[0]}; a stream begins with pure noise, at {LEVELS}")
    if steps[-1] == 0:
        reader.complain("denoising_step_list", "ends with 0, where there is nothing left to denoise; leave it out")
    return steps


def _data_path(reader: _Reader) -> Path | None:
    """The list of prompts, from where the program is started or from the file's own folder."""
    written = reader.content.get("data_path")
    if written is None:
        return None
    if not isinstance(written, str) or not written.strip():
        reader.complain("data_path", f"{written!r} must be a file's name")
        return None
    path = Path(written).expanduser()
    beside = [folder / path for folder in (reader.path.parent, reader.path.parent.parent)]
    return next((place for place in (path, *beside) if place.exists()), path)


def _shape(reader: _Reader) -> tuple[int, ...] | None:
    shape = reader.wholes("image_or_video_shape")
    if shape is None:
        return None
    if len(shape) != SHAPE_AXES or min(shape) < 1:
        reader.complain("image_or_video_shape", f"{list(shape)} must be batch, latent frames, channels, height, width")
        return None
    return shape[1:]


def _refuse_contradictions(config: PublishedConfig, reader: _Reader) -> None:
    if reader.switch("independent_first_frame"):
        reader.complain("independent_first_frame", "true is not done here: chunks have one size; set it to false")
    if reader.number("context_noise", 0, LEVELS):
        reader.complain("context_noise", "must be 0: finished frames are remembered without noise")
    if config.window_frames == -1:
        reader.complain(
            "model_kwargs.local_attn_size", "-1 looks back at everything; a stream without end needs a window"
        )
    if config.sink_frames == 0:
        reader.complain("model_kwargs.sink_size", "0 is no sink; give at least 1")
    if config.shape and config.chunk_frames and config.shape[0] % config.chunk_frames:
        reader.complain(
            "image_or_video_shape", f"{config.shape[0]} latent frames are no whole chunks of {config.chunk_frames} "
            "(num_frame_per_block)"
        )  # fmt: skip


def _unknown(path: Path, content: Mapping[str, object], model: Mapping[str, object]) -> tuple[str, ...]:
    known = (*SAMPLER_KEYS, *OTHER_KEYS)
    lines = [
        f"{path}: {key} is unknown and not applied{did_you_mean(key, known)}" for key in content if key not in known
    ]
    lines += [
        f"{path}: model_kwargs.{key} is unknown and not applied{did_you_mean(str(key), MODEL_KEYS)}"
        for key in model
        if key not in MODEL_KEYS
    ]
    return tuple(lines)
