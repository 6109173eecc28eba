"""ImageReward out of a small checkpoint of its published form."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from engine.rewards.imagereward import (
    MIDDLE,
    SPREAD,
    ImageRewardModel,
    load_imagereward,
    text_config,
    vision_config,
)
from engine.rewards.pictures import centre_crop, normalise
from tests.engine.rewards.published import randomise, write_tokenizer


def small() -> ImageRewardModel:
    vision, text = vision_config(), text_config()
    vision.update({"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2})
    vision.update({"image_size": 32, "patch_size": 16})
    text.update({"vocab_size": 32, "hidden_size": 16, "encoder_hidden_size": 32, "intermediate_size": 24})
    text.update({"num_hidden_layers": 2, "num_attention_heads": 2, "max_position_embeddings": 40})
    return ImageRewardModel(vision, text)


def published(model: ImageRewardModel) -> dict[str, Tensor]:
    """Names as in ImageReward.pt, and the numbers it holds beside the weights."""
    tower, stem = model.vision_model, "blip.visual_encoder."
    tensors = {f"blip.text_encoder.{name}": tensor for name, tensor in model.text_encoder.state_dict().items()}
    tensors["blip.text_encoder.embeddings.position_ids"] = torch.arange(40)[None]
    tensors |= {f"mlp.{name}": tensor for name, tensor in model.head.state_dict().items()}
    tensors[stem + "cls_token"] = tower.embeddings.class_embedding
    tensors[stem + "pos_embed"] = tower.embeddings.position_embedding
    parts = {"patch_embed.proj": tower.embeddings.patch_embedding, "norm": tower.post_layernorm}
    for number, layer in enumerate(tower.encoder.layers):
        block = f"blocks.{number}."
        parts |= {block + "norm1": layer.layer_norm1, block + "norm2": layer.layer_norm2}
        parts |= {block + "attn.qkv": layer.self_attn.qkv, block + "attn.proj": layer.self_attn.projection}
        parts |= {block + "mlp.fc1": layer.mlp.fc1, block + "mlp.fc2": layer.mlp.fc2}
    for name, part in parts.items():
        tensors |= {f"{stem}{name}.weight": part.weight, f"{stem}{name}.bias": part.bias}
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}


def test_imagereward_out_of_its_published_form(tmp_path: Path) -> None:
    model = randomise(small())
    torch.save(published(model), tmp_path / "ImageReward.pt")
    write_tokenizer(tmp_path / "tokenizer.json", ("[CLS]", "[SEP]"), "[CLS]", "[SEP]")
    reward = load_imagereward(tmp_path, small())
    x = torch.rand(2, 1, 3, 40, 64, generator=torch.Generator().manual_seed(1)).requires_grad_(True)
    scores = reward.score(x, ["red ink", "fire"])["imagereward"]
    ids = torch.tensor([[30, 1, 3, 31] + [0] * 31, [30, 4, 31] + [0] * 32])
    mask = torch.tensor([[1] * 4 + [0] * 31, [1] * 3 + [0] * 32])
    raw = model(normalise(centre_crop(x[:, 0], 32)), ids, mask)
    torch.testing.assert_close(scores, (raw - MIDDLE) / SPREAD)
    assert not torch.allclose(scores, reward.score(x, ["water", "water"])["imagereward"])
    (gradient,) = torch.autograd.grad(scores.sum(), x)
    assert gradient.abs().sum() > 0


def test_long_prompts_are_cut_at_35_tokens(tmp_path: Path) -> None:
    model = randomise(small())
    torch.save(published(model), tmp_path / "ImageReward.pt")
    write_tokenizer(tmp_path / "tokenizer.json", ("[CLS]", "[SEP]"), "[CLS]", "[SEP]")
    reward = load_imagereward(tmp_path, small())
    x = torch.rand(1, 1, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    first, longer = (reward.score(x, [" ".join(["red"] * n)])["imagereward"] for n in (33, 60))
    torch.testing.assert_close(first, longer)


def test_the_full_size_is_the_published_one() -> None:
    with torch.device("meta"):
        model = ImageRewardModel(vision_config(), text_config())
    count = sum(weight.numel() for weight in model.parameters())
    assert 440e6 < count < 460e6  # ViT-L/16, BERT base with cross-attention, head
