"""The published trainer's configuration as settings of stage `redmd`: what has a counterpart here, what has none."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from engine.model.config import EMBER, ModelConfig
from engine.model.step_lists import PUBLISHED_STEPS
from engine.reward_forcing.config_file import ConfigError, PublishedConfig, read_config
from engine.training.config import RedmdSettings, SettingsError

STAGE = "redmd"
TRAINERS = ("rewarded_distillation", "score_distillation")
COUNTERPARTS = {  # published key -> field of RedmdSettings
    "batch_size": "batch",
    "dfake_gen_update_ratio": "fake_steps",
    "ema_weight": "ema",
    "full_training_steps": "steps",
    "lr": "rate",
    "lr_critic": "fake_rate",
    "max_grad_norm_generator": "clip_norm",
}
READ_OTHERWISE = (
    "denoising_step_list", "warp_denoising_step", "num_frame_per_block", "independent_first_frame", "context_noise",
    "model_kwargs", "seed", "image_or_video_shape", "timestep_shift", "trainer", "denoising_loss_type",
)  # fmt: skip


def read_published_settings(stage: str, path: Path, model: ModelConfig = EMBER) -> tuple[RedmdSettings, list[str]]:
    """Settings of `redmd` and lines on what was not taken over. Raises SettingsError, before anything is computed."""
    if stage != STAGE:
        raise SettingsError(f"{path}: a Reward Forcing configuration is for stage {STAGE}, not for {stage}")
    try:
        config = read_config(path)
    except ConfigError as error:
        raise SettingsError(str(error)) from None
    problems = _contradictions(config, model)
    fields = {field.name: field for field in dataclasses.fields(RedmdSettings)}
    taken: dict[str, object] = {}
    for key, name in COUNTERPARTS.items():
        value = config.values.get(key)
        if value is None:
            continue
        try:
            number = type(fields[name].default)(float(str(value)))
        except (ValueError, OverflowError):
            number = -1
        if number < 0 or isinstance(value, bool):
            problems.append(f"{path}: {key}: {value!r} must be a number of at least 0")
        taken[name] = number
    if config.seed:  # 0 is "any" there
        taken["seed"] = config.seed
    if config.size and config.shape:
        taken |= {"width": config.size[0], "height": config.size[1]}
        taken["chunks"] = (config.shape[0] // model.chunk_frames,)
    if problems:
        raise SettingsError("\n".join(problems))
    return RedmdSettings(**taken), [*config.notes, *_without_counterpart(config.path, config.values)]


def _contradictions(config: PublishedConfig, model: ModelConfig) -> list[str]:
    """What the model that is trained here is not."""
    wanted = {
        "denoising_step_list": (config.steps, PUBLISHED_STEPS),
        "warp_denoising_step": (config.is_warped, True),
        "num_frame_per_block": (config.chunk_frames, model.chunk_frames),
        "model_kwargs.timestep_shift": (config.timestep_shift, model.timestep_shift),
        "model_kwargs.local_attn_size": (config.window_frames, model.window_frames),
        "model_kwargs.sink_size": (config.sink_frames, model.sink_frames),
        "timestep_shift": (config.values.get("timestep_shift"), model.timestep_shift),
        "denoising_loss_type": (config.values.get("denoising_loss_type"), "flow"),
        "image_or_video_shape's channels": (config.shape[1] if config.shape else None, model.in_dim),
    }
    problems = [
        f"{config.path}: {key}: {asked} contradicts the model that is trained, which has {ours}"
        for key, (asked, ours) in wanted.items()
        if asked is not None and asked != ours
    ]
    trainer = config.values.get("trainer")
    if trainer is not None and trainer not in TRAINERS:
        problems.append(f"{config.path}: trainer: {trainer!r} is not what stage {STAGE} does ({', '.join(TRAINERS)})")
    return problems


def _without_counterpart(path: Path, values: Mapping[str, object]) -> list[str]:
    others = sorted(key for key in values if key not in COUNTERPARTS and key not in READ_OTHERWISE)
    return [f"{path}: without a counterpart in stage {STAGE}: {', '.join(others)}"] if others else []
