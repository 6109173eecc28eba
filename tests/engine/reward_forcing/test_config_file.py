"""The published program's configuration: what is taken over, named, or refused before anything is computed."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.model_presets import load_preset
from engine.reward_forcing.config_file import ConfigError, read_config
from engine.training.config import SettingsError
from engine.training.objectives.redmd import STAGE
from engine.training.published_settings import read_published_settings

CONFIG = """
denoising_step_list: [1000, 750, 500, 250]
warp_denoising_step: true
num_frame_per_block: 3
independent_first_frame: false
context_noise: 0
model_kwargs: {timestep_shift: 5.0, local_attn_size: 9, sink_size: 3}
seed: 7
num_samples: 2
data_path: prompts.txt
trainer: rewarded_distillation
denoising_loss_type: flow
lr: 3e-6
batch_size: 2
dfake_gen_update_ratio: 4
guidance_scale: 3.0
real_name: Wan2.1-T2V-14B
image_or_video_shape: [1, 21, 16, 20, 32]
"""


def written(folder: Path, text: str = CONFIG, **changes: str) -> Path:
    for key, value in changes.items():
        lines = [line for line in text.splitlines() if not line.startswith(f"{key}:")]
        text = "\n".join([*lines, f"{key}: {value}"])
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_known_keys_are_taken_over(tmp_path: Path) -> None:
    (tmp_path / "prompts.txt").write_text("a red fox\n")
    config = read_config(written(tmp_path))
    assert (config.steps, config.is_warped, config.seed, config.samples) == ((1000, 750, 500, 250), True, 7, 2)
    assert (config.timestep_shift, config.chunk_frames, config.window_frames, config.sink_frames) == (5.0, 3, 9, 3)
    assert config.data_path == tmp_path / "prompts.txt", "found beside the file"
    assert config.size == (256, 160)
    assert config.notes == ()
    preset = config.applied_to(load_preset("ember"))
    assert preset.stream.steps == (1000, 750, 500, 250)
    assert preset.transformer == load_preset("ember").transformer


def test_steps_window_and_shift_replace_the_models(tmp_path: Path) -> None:
    kwargs = "{timestep_shift: 8.0, local_attn_size: 12, sink_size: 3}"
    config = read_config(
        written(tmp_path, denoising_step_list="[1000, 500]", warp_denoising_step="false", model_kwargs=kwargs)
    )
    preset = config.applied_to(load_preset("ember"))
    assert preset.stream.warped_steps == (1000.0, 500.0), "as they are: they are not warped"
    assert (preset.transformer.window_frames, preset.transformer.timestep_shift) == (12, 8.0)


def test_unknown_keys_are_named_in_a_line_each(tmp_path: Path) -> None:
    config = read_config(written(tmp_path, guidence_scale="3.0", model_kwargs="{sink_size: 3, sinks: 4}"))
    first, second = config.notes
    assert "guidence_scale is unknown and not applied, did you mean 'guidance_scale'?" in first
    assert "model_kwargs.sinks is unknown and not applied, did you mean 'sink_size'?" in second


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"denoising_step_list": "[250, 1000]"}, "each lower than the last"),
        ({"denoising_step_list": "[750, 500]"}, "begins at 750"),
        ({"denoising_step_list": "[1000, 0]"}, "ends with 0"),
        ({"denoising_step_list": "1000"}, "must be a list of whole numbers"),
        ({"warp_denoising_step": "maybe"}, "'maybe' must be true or false"),
        ({"independent_first_frame": "true"}, "true is not done here"),
        ({"context_noise": "0.1"}, "must be 0"),
        ({"model_kwargs": "{local_attn_size: -1}"}, "needs a window"),
        ({"model_kwargs": "{sink_size: 0}"}, "is no sink"),
        ({"model_kwargs": "7"}, "must be keys and values"),
        ({"num_frame_per_block": "2"}, "21 latent frames are no whole chunks of 2"),
        ({"image_or_video_shape": "[1, 21]"}, "must be batch, latent frames"),
        ({"seed": "-1"}, "from 0 to"),
        ({"num_samples": "1.5"}, "must be a whole number"),
    ],
)
def test_what_cannot_be_is_refused_with_file_and_key(tmp_path: Path, changes: dict[str, str], complaint: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_config(written(tmp_path, **changes))
    assert complaint in str(refused.value)
    assert f"{tmp_path}/config.yaml: {next(iter(changes))}" in str(refused.value) or "no whole chunks" in complaint


@pytest.mark.parametrize("text", ["", "- 1\n- 2\n", "a: [1,\n", "a: &x [*x]\nb: !!python/object:os.system {}\n"])
def test_what_is_no_configuration_is_a_sentence(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"config\.yaml: is no"):
        read_config(written(tmp_path, text))
    with pytest.raises(ConfigError, match="there is no such file"):
        read_config(tmp_path / "other.yaml")


def test_a_list_of_steps_is_needed(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="denoising_step_list: is missing"):
        read_config(written(tmp_path, "seed: 1\n"))


def test_a_geometry_no_model_can_have_is_refused_with_the_models_name(tmp_path: Path) -> None:
    config = read_config(written(tmp_path, model_kwargs="{local_attn_size: 8, sink_size: 3}"))
    with pytest.raises(ConfigError, match=r"with model 'ember': window_frames 8 must be a multiple"):
        config.applied_to(load_preset("ember"))


def test_training_takes_over_what_has_a_counterpart(tmp_path: Path) -> None:
    config, notes = read_published_settings("redmd", written(tmp_path, mystery="1"))
    assert config.optimisers["generator"].rate == 3e-6
    assert (config.trainer.micro_batch, config.trainer.batch, config.trainer.seed) == (2, 64, 7)
    settings = config.settings
    assert (settings.critic_per_generator, settings.guidance) == (4, 3.0)
    assert (settings.width, settings.height, settings.latent_frames) == (256, 160, (21,))
    assert config.trainer.ema == STAGE.trainer.ema, "what the file does not say stays"
    assert "mystery is unknown" in notes[0]
    assert notes[1].endswith("redmd: data_path, num_samples, real_name")


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"denoising_step_list": "[1000, 500]"}, "contradicts the model that is trained"),
        ({"timestep_shift": "8.0"}, "timestep_shift: 8.0 contradicts"),
        ({"trainer": "gan"}, "'gan' is not what stage redmd does"),
        ({"lr": "fast"}, "'fast' must be a number"),
    ],
)
def test_training_refuses_contradictions(tmp_path: Path, changes: dict[str, str], complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint):
        read_published_settings("redmd", written(tmp_path, **changes))


def test_other_stages_have_no_such_configuration(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="is for stage redmd, not for causal"):
        read_published_settings("causal", written(tmp_path))
