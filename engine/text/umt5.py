"""Wan's text encoder: UMT5-XXL's encoder through transformers, from Wan's own weight files.

Only a prompt's real tokens are computed; the rows after them are zeros, as published. Knows nothing of pads or devices'
plans.
"""

from __future__ import annotations

import dataclasses
import html
import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from engine.checkpoint_kinds import compare
from engine.checkpoints import Checkpoint, read_checkpoint
from engine.model.cast_linear import FLOAT8, CastEmbedding, CastLinear, to_float8
from engine.weight_files import CheckpointError

_STRAIGHT_QUOTES = str.maketrans({"‘": "'", "’": "'", "‚": "'", "‛": "'", "“": '"', "”": '"', "„": '"', "‟": '"'})
TOKENIZER_FILE = "tokenizer.json"
_FLOAT8 = (torch.float8_e4m3fn, torch.float8_e5m2)
_EMBEDDING, _TIED = "shared.weight", "encoder.embed_tokens.weight"
_LINEARS = (".SelfAttention.q.", ".SelfAttention.k.", ".SelfAttention.v.", ".SelfAttention.o.", ".DenseReluDense.")
_THEIR_BLOCK = re.compile(r"encoder\.block\.(\d+)\.(.+)")
_OUTER = {"token_embedding.weight": "shared.weight", "norm.weight": "encoder.final_layer_norm.weight"}
_INNER = {
    "norm1.weight": "layer.0.layer_norm.weight",
    **{f"attn.{part}.weight": f"layer.0.SelfAttention.{part}.weight" for part in "qkvo"},
    "pos_embedding.embedding.weight": "layer.0.SelfAttention.relative_attention_bias.weight",
    "norm2.weight": "layer.1.layer_norm.weight",
    "ffn.gate.0.weight": "layer.1.DenseReluDense.wi_0.weight",
    "ffn.fc1.weight": "layer.1.DenseReluDense.wi_1.weight",
    "ffn.fc2.weight": "layer.1.DenseReluDense.wo.weight",
}


@dataclass(frozen=True)
class Umt5Config:
    """Sizes of the encoder; the defaults are UMT5-XXL, as Wan2.1 uses it."""

    vocabulary: int = 256384
    width: int = 4096
    layers: int = 24
    heads: int = 64
    head_width: int = 64
    feed_forward: int = 10240
    text_len: int = 512  # rows that come out, real tokens first


def clean_text(text: str) -> str:
    """A prompt as Wan cleans it: composed letters, straight quotes, HTML entities read twice, single spaces.

    Wan runs ftfy first; of what that does only these two steps touch well-formed text. Case is kept.
    """
    straight = unicodedata.normalize("NFC", text).translate(_STRAIGHT_QUOTES)
    return " ".join(html.unescape(html.unescape(straight)).split())


class GatedFeedForward(nn.Module):
    """UMT5's feed-forward: the published one looks at the number type of its weights and rounds to that."""

    def __init__(self, activation: nn.Module) -> None:
        super().__init__()
        self.act = activation
        self.wi_0: nn.Module | None = None
        self.wi_1: nn.Module | None = None
        self.wo: nn.Module | None = None

    def forward(self, x: Tensor) -> Tensor:
        """(B, L, width) -> (B, L, width)."""
        return self.wo(self.act(self.wi_0(x)) * self.wi_1(x))


class Umt5Encoder(nn.Module):
    """Text -> (text_len, width) float32 on the CPU. Weights lie on any device, stored in any type, widened in use."""

    def __init__(self, config: Umt5Config, tokenizer_file: Path) -> None:
        """Build without weights. Raises CheckpointError when the tokenizer cannot be read."""
        super().__init__()
        from transformers import UMT5Config, UMT5EncoderModel  # takes seconds to import

        self.config = config
        self.tokenizer = _read_tokenizer(tokenizer_file)
        self.model = UMT5EncoderModel(
            UMT5Config(
                vocab_size=config.vocabulary,
                d_model=config.width,
                num_layers=config.layers,
                num_heads=config.heads,
                d_kv=config.head_width,
                d_ff=config.feed_forward,
                feed_forward_proj="gated-gelu",
                relative_attention_num_buckets=32,
                relative_attention_max_distance=128,
                layer_norm_epsilon=1e-6,
                dropout_rate=0.0,
            )
        )

    def token_ids(self, text: str) -> list[int]:
        """Ids of a prompt's real tokens, the end-of-sentence token included, at most text_len."""
        return self.tokenizer(clean_text(text))["input_ids"][: self.config.text_len]

    @torch.inference_mode()
    def encode(self, text: str) -> Tensor:
        """Embed a prompt: (text_len, width) float32, zeros past its real tokens."""
        ids = self.token_ids(text)
        device = self.model.shared.weight.device
        rows = self.model(input_ids=torch.tensor([ids], device=device)).last_hidden_state[0]
        padded = torch.zeros(self.config.text_len, self.config.width)
        padded[: len(ids)] = rows.float().cpu()
        return padded


def load_umt5(
    weights_file: Path,
    tokenizer_file: Path,
    text_len: int,
    device: torch.device,
    dtype: torch.dtype,
    *,
    storage: torch.dtype | None = None,
    advance: Callable[[int], None] | None = None,
) -> Umt5Encoder:
    """Build the encoder of Wan's file (242 keys at full size) or ComfyUI's, of whatever size it is.

    `text_len` rows come out, computed in `dtype`. Weights stay in the file's own type, memory-mapped on a CPU, unless
    `storage` is float8. `advance` is told the bytes that are in place. Raises CheckpointError with what is wrong.
    """
    checkpoint = _with_wan_names(read_checkpoint(weights_file))
    encoder = _build(checkpoint, weights_file, tokenizer_file, text_len)
    for name, _ in list(encoder.model.named_parameters()):  # the tied embedding once
        wan = wan_name(name)
        tensor, scale = checkpoint.tensors[wan].to(device), checkpoint.scales.get(wan)
        if storage == FLOAT8 and tensor.dtype not in _FLOAT8 and _is_stored_narrow(name):
            tensor, scale = to_float8(tensor)
        _set_weight(encoder.model, name, tensor, None if scale is None else scale.to(device), dtype)
        if advance is not None:
            advance(tensor.nbytes)
    encoder.model.encoder.embed_tokens = encoder.model.shared
    return encoder.eval().requires_grad_(False)


def check_umt5(weights_file: Path, tokenizer_file: Path, text_len: int) -> Umt5Config:
    """Say how large a file's encoder is without loading it. Raises CheckpointError as `load_umt5` does."""
    checkpoint = _with_wan_names(read_checkpoint(weights_file))
    return _build(checkpoint, weights_file, tokenizer_file, text_len).config


def _build(checkpoint: Checkpoint, file: Path, tokenizer_file: Path, text_len: int) -> Umt5Encoder:
    """Build the encoder on the meta device, as large as the file's. Raises CheckpointError."""
    shapes = {name: tuple(tensor.shape) for name, tensor in checkpoint.tensors.items()}
    try:
        config = _config_of(shapes, text_len)
    except (KeyError, IndexError, ZeroDivisionError):
        raise CheckpointError(f"{file}: this is {checkpoint.kind}, not UMT5 as Wan2.1 uses it") from None
    with torch.device("meta"):
        encoder = Umt5Encoder(config, tokenizer_file)
    wanted = {wan_name(name): tuple(parameter.shape) for name, parameter in encoder.model.named_parameters()}
    if lines := compare(shapes, wanted).lines():
        raise CheckpointError("\n".join([f"{file}: this is {checkpoint.kind}, not UMT5 as Wan2.1 uses it:", *lines]))
    for block in encoder.model.encoder.block:
        layer = block.layer[1]
        layer.DenseReluDense = _gated(layer.DenseReluDense)
    return encoder


def _with_wan_names(checkpoint: Checkpoint) -> Checkpoint:
    """ComfyUI's files have the names of transformers, and the shared table sometimes twice."""
    if "shared.weight" not in checkpoint.tensors:
        return checkpoint

    def renamed(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {_wan_name_or_same(name): tensor for name, tensor in tensors.items() if name != _TIED}

    return dataclasses.replace(checkpoint, tensors=renamed(checkpoint.tensors), scales=renamed(checkpoint.scales))


def _wan_name_or_same(name: str) -> str:
    try:
        return wan_name(name)
    except KeyError:
        return name


def _gated(published: nn.Module) -> GatedFeedForward:
    gated = GatedFeedForward(published.act)
    gated.wi_0, gated.wi_1, gated.wo = published.wi_0, published.wi_1, published.wo
    return gated


def _is_stored_narrow(name: str) -> bool:
    """Whether a parameter is one of the large tables, which are stored as they are and widened in use."""
    return name == _EMBEDDING or (name.endswith(".weight") and any(part in name for part in _LINEARS))


def _set_weight(model: nn.Module, name: str, tensor: Tensor, scale: Tensor | None, dtype: torch.dtype) -> None:
    path, _, leaf = name.rpartition(".")
    if name == _EMBEDDING:
        model.shared = CastEmbedding(tensor, scale, dtype)
    elif _is_stored_narrow(name):
        parent, _, child = path.rpartition(".")
        setattr(model.get_submodule(parent), child, CastLinear(tensor, scale))
    else:
        wide = tensor.to(dtype) if scale is None else (tensor.float() * scale.float()).to(dtype)
        setattr(model.get_submodule(path), leaf, nn.Parameter(wide, requires_grad=False))


def _config_of(shapes: Mapping[str, tuple[int, ...]], text_len: int) -> Umt5Config:
    """Read the sizes off a file's tensors. Raises KeyError or IndexError for a file of something else."""
    vocabulary, width = shapes["token_embedding.weight"]
    heads = shapes["blocks.0.pos_embedding.embedding.weight"][1]
    return Umt5Config(
        vocabulary=vocabulary,
        width=width,
        layers=sum(name.endswith(".norm1.weight") for name in shapes),
        heads=heads,
        head_width=shapes["blocks.0.attn.q.weight"][0] // heads,
        feed_forward=shapes["blocks.0.ffn.fc1.weight"][0],
        text_len=text_len,
    )


def wan_name(name: str) -> str:
    """Key of Wan's file for a parameter of `transformers.UMT5EncoderModel`. Raises KeyError for any other name."""
    if name in _FROM_TRANSFORMERS_OUTER:
        return _FROM_TRANSFORMERS_OUTER[name]
    match = _THEIR_BLOCK.fullmatch(name)
    if match is None:
        raise KeyError(name)
    return f"blocks.{match[1]}.{_FROM_TRANSFORMERS_INNER[match[2]]}"


def _read_tokenizer(path: Path) -> Callable[..., dict[str, list[int]]]:
    """Read tokenizer.json, or the folder it lies in."""
    from transformers import PreTrainedTokenizerFast

    file = path / TOKENIZER_FILE if path.is_dir() else path
    try:
        written = json.loads(file.read_text("utf-8"))
        if not isinstance(written, dict) or "model" not in written:  # the tokenizer's own reader raises anything
            raise ValueError("it has no model")
        return PreTrainedTokenizerFast(tokenizer_file=str(file))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{file}: it is no tokenizer ({error}); download {TOKENIZER_FILE} again") from None


_FROM_TRANSFORMERS_OUTER = {theirs: ours for ours, theirs in _OUTER.items()}
_FROM_TRANSFORMERS_INNER = {theirs: ours for ours, theirs in _INNER.items()}
