"""The published trainer's configuration as settings of stage `redmd`: what has a counterpart here, what has none."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.model.config import EMBER, ModelConfig
from engine.model.step_lists import PUBLISHED_STEPS
from engine.reward_forcing.config_file import ConfigError, PublishedConfig, read_config
from engine.training.config import SettingsError
from engine.training.objectives import redmd
from engine.training.objectives.redmd import RedmdSettings
from engine.training.stage_config import StageConfig

STAGE = "redmd"
TRAINERS = ("rewarded_distillation", "score_distillation")
COUNTERPARTS = {  # published key -> where it stands here, and as what
    "batch_size": ("trainer", "micro_batch"),
    "dfake_gen_update_ratio": ("settings", "critic_per_generator"),
    "ema_start_step": ("trainer", "ema_start_step"),
    "ema_weight": ("trainer", "ema"),
    "full_training_steps": ("trainer", "steps"),
    "guidance_scale": ("settings", "guidance"),
    "lr": ("generator", "rate"),
    "lr_critic": ("critic", "rate"),
    "max_grad_norm_generator": ("trainer", "clip_norm"),
}
READ_OTHERWISE = (
    "denoising_step_list", "warp_denoising_step", "num_frame_per_block", "independent_first_frame", "context_noise",
    "model_kwargs", "seed", "image_or_video_shape", "timestep_shift", "trainer", "denoising_loss_type",
)  # fmt: skip


def read_published_settings(stage: str, path: Path, model: ModelConfig = EMBER) -> tuple[StageConfig, list[str]]:
    """Settings of `redmd` and lines on what was not taken over. Raises SettingsError, before anything is computed."""
    if stage != STAGE:
        raise SettingsError(f"{path}: a Reward Forcing configuration is for stage {STAGE}, not for {stage}")
    try:
        config = read_config(path)
    except ConfigError as error:
        raise SettingsError(str(error)) from None
    owners = {"settings": RedmdSettings(), "trainer": redmd.STAGE.trainer, **redmd.STAGE.optimisers}
    taken: dict[str, dict[str, object]] = {owner: {} for owner in owners}
    problems = _contradictions(config, model)
    _take(config, owners, taken, problems)
    if config.seed:  # 0 is "any" there
        taken["trainer"]["seed"] = config.seed
    if config.size and config.shape:
        taken["settings"] |= {"width": config.size[0], "height": config.size[1], "latent_frames": (config.shape[0],)}
    if problems:
        raise SettingsError("\n".join(problems))
    micro = max(1, int(str(taken["trainer"].get("micro_batch", 1))))
    taken["trainer"]["batch"] = -(-redmd.STAGE.trainer.batch // micro) * micro  # the file's is that of one process
    try:
        made = {owner: dataclasses.replace(defaults, **taken[owner]) for owner, defaults in owners.items()}
    except ValueError as error:
        raise SettingsError(f"{path}: {error}") from None
    optimisers = {name: made[name] for name in redmd.STAGE.optimisers}
    return StageConfig(made["settings"], made["trainer"], optimisers), [
        *config.notes,
        *_without_counterpart(config.path, config.values),
    ]


def _take(
    config: PublishedConfig, owners: Mapping[str, Any], taken: dict[str, dict[str, object]], problems: list[str]
) -> None:
    """Put what has a counterpart into `taken`, what cannot be into `problems`."""
    for key, (owner, name) in COUNTERPARTS.items():
        value = config.values.get(key)
        if value is None:
            continue
        try:
            number = type(dataclasses.asdict(owners[owner])[name])(float(str(value)))
        except (ValueError, OverflowError):
            number = -1
        if number < 0 or isinstance(value, bool):
            problems.append(f"{config.path}: {key}: {value!r} must be a number of at least 0")
        taken[owner][name] = number


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
