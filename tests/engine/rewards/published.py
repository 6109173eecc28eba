"""Small random-weight checkpoints as each reward's authors publish theirs: file names, nests, key names, tokenizer."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from torch import Tensor, nn
from transformers import CLIPConfig, CLIPModel

from engine.rewards.score_head import ScoreHead

WORDS = ["red", "blue", "ink", "fire", "water", "slow", "fast", "a", "of", "the", "light", "color"]


def clip_config(side: int = 16) -> CLIPConfig:
    """Two towers of two small layers."""
    vision = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
    vision |= {"image_size": side, "patch_size": 8, "hidden_act": "gelu", "projection_dim": 32}
    text = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    text |= {"vocab_size": 32, "max_position_embeddings": 12, "hidden_act": "gelu", "projection_dim": 32}
    text |= {"bos_token_id": 30, "eos_token_id": 31, "pad_token_id": 0}
    return CLIPConfig(text_config=text, vision_config=vision, projection_dim=32)


def randomise(module: nn.Module, seed: int = 0) -> nn.Module:
    """Every weight random, so that a key in a wrong place shows."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in module.parameters():
            weight.copy_(0.3 * torch.randn(weight.shape, generator=generator))
    return module.eval()


def write_tokenizer(path: Path, special: tuple[str, ...], beginning: str = "", ending: str = "") -> None:
    """A tokenizer.json that knows WORDS by number from 1, [UNK], and `special` as the last of 32."""
    vocabulary = {word: number + 1 for number, word in enumerate(WORDS)} | {"[UNK]": 20}
    vocabulary |= {token: number for number, token in zip(range(32 - len(special), 32), special, strict=True)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.add_special_tokens(list(special))
    if beginning:
        ids = [(token, vocabulary[token]) for token in (beginning, ending)]
        tokenizer.post_processor = processors.TemplateProcessing(single=f"{beginning} $A {ending}", special_tokens=ids)
    tokenizer.save(str(path))


def write_clip_tokenizer(folder: Path) -> None:
    write_tokenizer(folder / "tokenizer.json", ("<start>", "<end>"), "<start>", "<end>")


def to_open_clip(clip: CLIPModel) -> dict[str, Tensor]:
    """The names open_clip gives the same weights, written down anew: not the inverse of what is tested."""
    tensors: dict[str, Tensor] = {"logit_scale": clip.logit_scale}
    for prefix, tower in (("visual.", clip.vision_model), ("", clip.text_model)):
        for number, layer in enumerate(tower.encoder.layers):
            stem, attention = f"{prefix}transformer.resblocks.{number}.", layer.self_attn
            three = (attention.q_proj, attention.k_proj, attention.v_proj)
            tensors[stem + "attn.in_proj_weight"] = torch.cat([part.weight for part in three])
            tensors[stem + "attn.in_proj_bias"] = torch.cat([part.bias for part in three])
            parts = {"attn.out_proj": attention.out_proj, "ln_1": layer.layer_norm1, "ln_2": layer.layer_norm2}
            parts |= {"mlp.c_fc": layer.mlp.fc1, "mlp.c_proj": layer.mlp.fc2}
            for name, part in parts.items():
                tensors |= {f"{stem}{name}.weight": part.weight, f"{stem}{name}.bias": part.bias}
    vision, text = clip.vision_model, clip.text_model
    norms = {"visual.ln_pre": vision.pre_layrnorm, "visual.ln_post": vision.post_layernorm}
    norms |= {"ln_final": text.final_layer_norm}
    for name, norm in norms.items():
        tensors |= {f"{name}.weight": norm.weight, f"{name}.bias": norm.bias}
    tensors["visual.class_embedding"] = vision.embeddings.class_embedding
    tensors["visual.positional_embedding"] = vision.embeddings.position_embedding.weight
    tensors["visual.conv1.weight"] = vision.embeddings.patch_embedding.weight
    tensors["token_embedding.weight"] = text.embeddings.token_embedding.weight
    tensors["positional_embedding"] = text.embeddings.position_embedding.weight
    tensors["visual.proj"], tensors["text_projection"] = clip.visual_projection.weight.T, clip.text_projection.weight.T
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}


def write_pickscore(folder: Path) -> CLIPModel:
    clip = randomise(CLIPModel(clip_config()))
    (folder / "config.json").write_text(json.dumps(clip.config.to_dict()), "utf-8")
    positions = {"text_model.embeddings.position_ids": torch.arange(12)[None]}  # as transformers 4 saved them
    save_file({**clip.state_dict(), **positions}, folder / "model.safetensors")
    write_clip_tokenizer(folder)
    return clip


def write_aesthetic(folder: Path) -> tuple[CLIPModel, ScoreHead]:
    clip = write_pickscore(folder)
    head = randomise(ScoreHead(32))
    torch.save(head.state_dict(), folder / "sac+logos+ava1-l14-linearMSE.pth")
    return clip, head
