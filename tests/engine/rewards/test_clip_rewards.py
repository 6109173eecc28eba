"""HPS, PickScore, the aesthetic predictor and MPS out of small checkpoints of their published form."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from transformers import CLIPModel

from engine.rewards.aesthetic import load_aesthetic
from engine.rewards.hps import load_hps
from engine.rewards.mps import MpsModel, load_mps
from engine.rewards.mps_layers import CrossTowers
from engine.rewards.pickscore import load_pickscore
from engine.rewards.pictures import centre_crop, letterbox, normalise
from engine.rewards.protocol import RewardError
from tests.engine.rewards.published import (
    clip_config,
    randomise,
    to_open_clip,
    write_aesthetic,
    write_clip_tokenizer,
    write_pickscore,
)

PROMPTS = ["red ink", "slow fire of the water"]
IDS = torch.tensor([[30, 1, 3, 31] + [0] * 8, [30, 6, 4, 9, 10, 5, 31] + [0] * 5])


def frames(count: int = 1) -> Tensor:
    return torch.rand(2, count, 3, 20, 28, generator=torch.Generator().manual_seed(1))


def cosine(clip: CLIPModel, pictures: Tensor, ids: Tensor = IDS) -> Tensor:
    """As its users write it."""
    text = clip.text_projection(clip.text_model(input_ids=ids).pooler_output)
    picture = clip.visual_projection(clip.vision_model(pixel_values=normalise(pictures)).pooler_output)
    return functional.cosine_similarity(picture, text)


def test_hps_out_of_an_open_clip_checkpoint(tmp_path: Path) -> None:
    clip = randomise(CLIPModel(clip_config()))
    torch.save({"state_dict": to_open_clip(clip), "epoch": 1}, tmp_path / "HPS_v2.1_compressed.pt")
    write_clip_tokenizer(tmp_path)
    reward = load_hps(tmp_path, clip_config())
    x = frames()
    torch.testing.assert_close(reward.score(x, PROMPTS)["hps"], cosine(clip, letterbox(x[:, 0], 16)))
    many = frames(3).requires_grad_(True)
    each = [reward.score(many[:, t : t + 1], PROMPTS)["hps"] for t in range(3)]
    scores = reward.score(many, PROMPTS)["hps"]
    torch.testing.assert_close(scores, torch.stack(each).mean(dim=0))
    (gradient,) = torch.autograd.grad(scores.sum(), many)
    assert gradient.abs().sum() > 0
    assert not any(weight.requires_grad for weight in reward.parameters())
    assert {name for name in reward.state_dict() if "logit_scale" in name}


def test_hps_of_another_structure_is_refused(tmp_path: Path) -> None:
    tensors = to_open_clip(randomise(CLIPModel(clip_config())))
    tensors.pop("ln_final.weight")
    torch.save({"state_dict": tensors | {"stray": torch.ones(1)}}, tmp_path / "HPS_v2.1_compressed.pt")
    write_clip_tokenizer(tmp_path)
    with pytest.raises(RewardError, match=r"missing 1 \(text_model.final_layer_norm.weight\); unknown 1 \(stray\)"):
        load_hps(tmp_path, clip_config())


def test_the_small_hps_equals_open_clip_itself(tmp_path: Path) -> None:
    open_clip = pytest.importorskip("open_clip", exc_type=(ImportError, RuntimeError))
    from engine.rewards.clip_towers import from_open_clip
    from engine.rewards.published import load_strictly, renamed

    vision = open_clip.CLIPVisionCfg(layers=2, width=32, head_width=16, patch_size=8, image_size=16, mlp_ratio=1.5)
    text = open_clip.CLIPTextCfg(context_length=12, vocab_size=32, width=16, heads=2, layers=2, mlp_ratio=2.0)
    theirs = randomise(open_clip.model.CLIP(32, vision, text))
    ours = CLIPModel(clip_config()).eval()
    load_strictly(ours, renamed(theirs.state_dict(), from_open_clip), "open_clip")
    pictures = frames()[:, 0, :, :16, :16]
    ids = torch.tensor([[30, 1, 31] + [0] * 9, [30, 2, 31] + [0] * 9])
    wanted = functional.cosine_similarity(theirs.encode_image(normalise(pictures)), theirs.encode_text(ids))
    torch.testing.assert_close(cosine(ours, pictures, ids), wanted, rtol=1e-4, atol=1e-5)


def test_pickscore_is_scaled_as_published(tmp_path: Path) -> None:
    clip = write_pickscore(tmp_path)
    x = frames()
    scores = load_pickscore(tmp_path).score(x, PROMPTS)
    wanted = cosine(clip, centre_crop(x[:, 0], 16))
    torch.testing.assert_close(scores["cosine"], wanted)
    torch.testing.assert_close(scores["pickscore"], clip.logit_scale.exp() * wanted)


def test_aesthetic_is_the_head_on_the_unit_vector(tmp_path: Path) -> None:
    clip, head = write_aesthetic(tmp_path)
    x = frames()
    pooled = clip.vision_model(pixel_values=normalise(centre_crop(x[:, 0], 16))).pooler_output
    vector = functional.normalize(clip.visual_projection(pooled), dim=-1)
    for place in ("0", "2", "4", "6", "7"):
        vector = vector @ head.layers[place].weight.T + head.layers[place].bias
    torch.testing.assert_close(load_aesthetic(tmp_path).score(x, [])["aesthetic"], vector[:, 0])


def published_mps(model: MpsModel) -> dict[str, Tensor]:
    """Names as in MPS_overall.pth."""
    names = {"q": "to_q", "kv": "to_kv", "out": "to_out", "inner": "ff.0", "outer": "ff.2"}
    own = {"fused": "fused_attn_ff_proj", "out": "attn_out", "outer": "ff_out.1"}
    tensors = {f"model.{name}": tensor for name, tensor in model.clip.state_dict().items()}
    for which, layers, parts in ((0, model.cross_towers.cross, names), (1, model.cross_towers.own, own)):
        for number, layer in enumerate(layers):
            stem = f"cross_model.layers.{number}.{which}.fn."
            tensors |= {stem + "norm.gamma": layer.norm.weight, stem + "norm.beta": torch.zeros(32)}
            for ours, theirs in parts.items():
                tensors[f"{stem}{theirs}.weight"] = layer.get_submodule(ours).weight
            if which:
                tensors[stem + "rotary_emb.inv_freq"] = torch.ones(4)
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}


def test_mps_keeps_each_sample_to_itself(tmp_path: Path) -> None:
    def small() -> MpsModel:
        return MpsModel(clip_config(), CrossTowers(32, layers=2, heads=2, head_dim=8, widening=2))

    model = randomise(small())
    torch.save(published_mps(model), tmp_path / "MPS_overall.pth")
    write_clip_tokenizer(tmp_path)
    reward = load_mps(tmp_path, small())
    for name, weight in model.state_dict().items():
        assert torch.equal(weight, reward.model.state_dict()[name]), name
    x = frames().requires_grad_(True)
    together = reward.score(x, PROMPTS)["mps"]
    alone = [reward.score(x[i : i + 1], PROMPTS[i : i + 1])["mps"] for i in range(2)]
    torch.testing.assert_close(together, torch.cat(alone))
    (gradient,) = torch.autograd.grad(together.sum(), x)
    assert gradient.abs().sum() > 0
