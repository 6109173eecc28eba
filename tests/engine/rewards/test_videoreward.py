"""VideoReward out of a small checkpoint of its published form, adapter and all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from engine.rewards.protocol import FramePolicy, RewardError
from engine.rewards.videoreward import MARKS, VideoReward, load_videoreward, read_questions
from engine.rewards.videoreward_model import VideoRewardModel, merged, qwen2_vl_2b, video_size
from tests.engine.rewards.published import randomise, write_tokenizer

SPECIAL = ("<|video_pad|>", *MARKS, "<|vision_start|>", "<|vision_end|>", "<|im_start|>", "<|im_end|>")
QUESTIONS = """OTHER = 1
DETAILED_PROMPT_WITH_SPECIAL_TOKEN = '''light <|VQ_reward|> slow <|MQ_reward|> of {text_prompt} <|TA_reward|>'''
"""


def small() -> VideoRewardModel:
    config = qwen2_vl_2b(32)
    config.text_config.update({"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2})
    config.text_config.update(
        {"num_attention_heads": 2, "num_key_value_heads": 1, "layer_types": ["full_attention"] * 2}
    )
    config.text_config.rope_parameters["mrope_section"] = [2, 3, 3]
    config.vision_config.update({"depth": 2, "embed_dim": 32, "hidden_size": 32, "num_heads": 2})
    return VideoRewardModel(config)


def published(model: VideoRewardModel) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Names as in checkpoint-11352/model.pth with an adapter on one layer, and the plain weights that makes."""
    plain = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    saved = {}
    for name, tensor in plain.items():
        old = name.replace("model.visual.", "visual.").replace("model.language_model.", "model.")
        saved[f"base_model.model.{old}"] = tensor
    stem = "base_model.model.model.layers.0.self_attn.q_proj."
    down, up = torch.randn(4, 32, generator=torch.Generator().manual_seed(3)), torch.ones(32, 4)
    saved[stem + "base_layer.weight"] = saved.pop(stem + "weight")
    saved[stem + "base_layer.bias"] = saved.pop(stem + "bias")
    saved |= {stem + "lora_A.default.weight": down, stem + "lora_B.default.weight": up}
    head = saved.pop("base_model.model.rm_head.weight")
    saved["base_model.model.rm_head.original_module.weight"] = torch.zeros_like(head)
    saved["base_model.model.rm_head.modules_to_save.default.weight"] = head
    saved["base_model.model.lm_head.weight"] = torch.zeros(32, 32)
    adapted = "model.language_model.layers.0.self_attn.q_proj.weight"
    plain[adapted] = plain[adapted] + 2.0 * up @ down
    return saved, plain


@pytest.fixture(scope="module")
def reward(tmp_path_factory: pytest.TempPathFactory) -> VideoReward:
    folder = tmp_path_factory.mktemp("videoreward")
    saved, plain = published(randomise(small()))
    torch.save(saved, folder / "model.pth")
    settings = {"peft_lora_config": {"lora_r": 4, "lora_alpha": 8}, "inference_config": {"MQ_mean": 1.0, "MQ_std": 2.0}}
    (folder / "model_config.json").write_text(json.dumps(settings), "utf-8")
    (folder / "prompt_template.py").write_text(QUESTIONS, "utf-8")
    write_tokenizer(folder / "tokenizer.json", SPECIAL)
    reward = load_videoreward(folder, small())
    for name, tensor in plain.items():
        torch.testing.assert_close(reward.model.state_dict()[name], tensor)
    return reward


@pytest.fixture(autouse=True)
def small_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.rewards.videoreward_model.LEAST_PIXELS", 28 * 56)


def clip(frames: int = 16) -> Tensor:
    return torch.rand(1, frames, 3, 28, 56, generator=torch.Generator().manual_seed(2))


def test_only_text_alignment_hears_the_prompt(reward: VideoReward) -> None:
    first, other = reward.score(clip(), ["red ink"]), reward.score(clip(), ["blue fire of water"])
    for key in ("VQ", "MQ"):
        torch.testing.assert_close(first[key], other[key])
    assert not torch.allclose(first["TA"], other["TA"])


def test_scores_are_standardised_by_the_checkpoint(reward: VideoReward) -> None:
    assert reward.statistics["MQ"] == (1.0, 2.0)
    assert reward.statistics["VQ"] == (3.6757, 2.2476)
    scores = reward.score(clip(), ["red"])
    torch.testing.assert_close(scores["videoreward"], (scores["VQ"] + scores["MQ"] + scores["TA"]) / 3)


def test_it_sees_time_and_passes_gradients_to_the_frames(reward: VideoReward) -> None:
    x = clip().requires_grad_(True)
    scores = reward.score(x, ["red"])
    assert not torch.allclose(scores["MQ"], reward.score(x.flip(1), ["red"])["MQ"])
    (gradient,) = torch.autograd.grad(scores["MQ"].sum(), x)
    assert gradient.abs().sum() > 0


def test_frames_are_taken_at_two_per_second_unless_told_otherwise(
    reward: VideoReward, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [reward._policy(total).count for total in (9, 57, 81)] == [4, 6, 10]
    monkeypatch.setattr(reward, "frame_policy", FramePolicy("all"))
    assert reward._policy(9).kind == "all"
    assert reward.score(clip(5), ["red"])["MQ"].isfinite().all()


def test_positions_are_plain_numbers_on_all_axes(reward: VideoReward) -> None:
    seen = []
    handle = reward.model.model.language_model.register_forward_pre_hook(
        lambda module, args, kwargs: seen.append(kwargs["position_ids"]), with_kwargs=True
    )
    reward.score(clip(), ["red"])
    handle.remove()
    assert torch.equal(seen[0], torch.arange(seen[0].shape[-1]).expand(3, 1, -1))


def test_patches_are_in_the_order_qwen_reads_them() -> None:
    model = small()
    # a frame whose value tells its place: row * 100 + column, in patches of 14
    rows, columns = torch.arange(28) // 14, torch.arange(56) // 14
    frame = (rows[:, None] * 100 + columns).float()[None].expand(3, -1, -1)
    patches, grid = model.patches(torch.stack((frame, frame)) / 1000.0)
    assert grid == (1, 2, 4)
    assert patches.shape == (8, 3 * 2 * 14 * 14)
    places = ((patches[:, 0] * 0.26862954 + 0.48145466) * 1000.0).round().int().tolist()
    assert places == [0, 1, 100, 101, 2, 3, 102, 103]  # two by two, as they are merged


def test_frames_are_brought_to_whole_patches_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert video_size(480, 832) == (336, 588)  # the size Reward Forcing's own code fixes
    high, wide = video_size(1080, 1920)
    assert high * wide <= 448 * 448
    assert high % 28 == wide % 28 == 0


def test_the_questions_are_read_and_never_run(tmp_path: Path) -> None:
    path = tmp_path / "prompt_template.py"
    path.write_text("raise SystemExit\n" + QUESTIONS, "utf-8")
    assert "{text_prompt}" in read_questions(path)
    path.write_text("DETAILED_PROMPT_WITH_SPECIAL_TOKEN = 'nothing'", "utf-8")
    with pytest.raises(RewardError, match="three marks"):
        read_questions(path)


def test_the_adapter_is_added_whichever_comes_first() -> None:
    down, up = torch.ones(1, 2), torch.ones(2, 1)
    names = ("visual.x.lora_A.default.weight", "visual.x.lora_B.default.weight", "visual.x.base_layer.weight")
    tensors = dict(zip(names, (down, up, torch.zeros(2, 2)), strict=True))
    for order in (names, names[::-1]):
        found = merged({name: tensors[name] for name in order}, 2.0)
        assert torch.equal(found["model.visual.x.weight"], torch.full((2, 2), 2.0))
