"""Wan's text encoder: UMT5-XXL's encoder through transformers, from Wan's own weight files.

Only a prompt's real tokens are computed; the rows after them are zeros, as published. Knows nothing of pads or devices'
plans.
"""

from __future__ import annotations

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
from engine.checkpoints import read_checkpoint
from engine.weight_files import CheckpointError

_STRAIGHT_QUOTES = str.maketrans({"‘": "'", "’": "'", "‚": "'", "‛": "'", "“": '"', "”": '"', "„": '"', "‟": '"'})
TOKENIZER_FILE = "tokenizer.json"
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


class Umt5Encoder(nn.Module):
    """Text -> (text_len, width) float32 on the CPU. Weights may lie on any device, in float32, bfloat16 or float8."""

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
    weights_file: Path, tokenizer_file: Path, text_len: int, device: torch.device, dtype: torch.dtype
) -> Umt5Encoder:
    """Build the encoder of Wan's file (242 keys at full size, .pth or .safetensors), of whatever size it is.

    `text_len` rows come out. Tensors that have the wanted type already stay memory-mapped on a CPU; float8 files are
    widened to `dtype`. Raises CheckpointError with what is wrong.
    """
    checkpoint = read_checkpoint(weights_file)
    shapes = {name: tuple(tensor.shape) for name, tensor in checkpoint.tensors.items()}
    try:
        config = _config_of(shapes, text_len)
    except (KeyError, IndexError, ZeroDivisionError):
        raise CheckpointError(f"{weights_file}: this is {checkpoint.kind}, not UMT5 as Wan2.1 uses it") from None
    with torch.device("meta"):
        encoder = Umt5Encoder(config, tokenizer_file)
    parameters = dict(encoder.model.named_parameters())  # the tied embedding once
    wanted = {wan_name(name): tuple(parameter.shape) for name, parameter in parameters.items()}
    difference = compare(shapes, wanted)
    if lines := difference.lines():
        raise CheckpointError(
            "\n".join([f"{weights_file}: this is {checkpoint.kind}, not UMT5 as Wan2.1 uses it:", *lines])
        )
    for name in parameters:
        tensor = checkpoint.tensors[wan_name(name)].to(device, dtype)
        module, _, leaf = name.rpartition(".")
        setattr(encoder.model.get_submodule(module), leaf, nn.Parameter(tensor, requires_grad=False))
    encoder.model.encoder.embed_tokens = encoder.model.shared
    return encoder.eval()


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
