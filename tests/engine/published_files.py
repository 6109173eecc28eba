"""A model of random weights in the layout of the published files: transformer .pt, Wan VAE .pth, UMT5 .pth, TAEHV .pth.

Any size, from the tests' smallest to the published one; written through mapped scratch files, so that writing takes no
memory.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from torch import Tensor
from transformers import UMT5Config, UMT5EncoderModel

from engine.model.config import WAN_1_3B, ModelConfig
from engine.model.transformer import CausalWanTransformer
from engine.text.umt5 import Umt5Config, wan_name
from engine.vae.tiny_vae import TinyVae, TinyVaeConfig
from engine.vae.wan_vae import WanVae, WanVaeConfig

WORDS = ["ink", "water", "smoke", "red", "blue", "drifts", "slowly", "a", "in"]
DEVIATION = 0.02
_MEMORY_DISK = Path("/dev/shm")
_BLOCK = 1 << 22  # random numbers that are repeated
SMALL = ModelConfig(dim=48, ffn_dim=64, num_heads=4, num_layers=2, freq_dim=16, text_dim=24, text_len=12)
SMALL_UMT5 = Umt5Config(vocabulary=40, width=24, layers=3, heads=2, head_width=8, feed_forward=32, text_len=12)


@dataclass(frozen=True)
class Sizes:
    """What is written."""

    transformer: ModelConfig
    umt5: Umt5Config
    vae_width: int
    tiny: TinyVaeConfig


SMALLEST = Sizes(SMALL, SMALL_UMT5, 8, TinyVaeConfig(encoder_widths=(8, 8, 8), decoder_widths=(16, 8, 8, 8)))
PUBLISHED = Sizes(WAN_1_3B, Umt5Config(), 96, TinyVaeConfig())


def write_published(folder: Path, sizes: Sizes = SMALLEST, *, decoder: str = "wan_vae") -> Path:
    """Fill `folder` with weights, a tokenizer and a model.toml; return it. All is float32, UMT5 bfloat16."""
    folder.mkdir(parents=True, exist_ok=True)
    with torch.device("meta"):
        transformer = CausalWanTransformer(sizes.transformer)
        vae, tiny = WanVae(WanVaeConfig(dim=sizes.vae_width)), TinyVae(sizes.tiny)
    prefixed = {f"model.{name}": tensor for name, tensor in transformer.state_dict().items()}
    _save(prefixed, folder / "rewardforcing.pt", torch.float32)
    _save(vae.state_dict(), folder / "Wan2.1_VAE.pth", torch.float32)
    _save(tiny.state_dict(), folder / "taew2_1.pth", torch.float32)
    _save(umt5_shapes(sizes.umt5), folder / "models_t5_umt5-xxl-enc-bf16.pth", torch.bfloat16)
    write_tokenizer(folder / "google" / "umt5-xxl")
    (folder / "model.toml").write_text(_preset(sizes, decoder), "utf-8")
    return folder


def umt5_shapes(config: Umt5Config) -> dict[str, Tensor]:
    """Tensors on the meta device under the names of Wan's file: 2 + 10 per layer."""
    with torch.device("meta"):
        model = UMT5EncoderModel(
            UMT5Config(
                vocab_size=config.vocabulary,
                d_model=config.width,
                num_layers=config.layers,
                num_heads=config.heads,
                d_kv=config.head_width,
                d_ff=config.feed_forward,
                feed_forward_proj="gated-gelu",
            )
        )
    return {wan_name(name): parameter.detach() for name, parameter in model.named_parameters()}


def write_tokenizer(folder: Path) -> Path:
    """Write a tokenizer.json of a few words; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    words = {"<pad>": 0, "</s>": 1, "<unk>": 2} | {word: number + 3 for number, word in enumerate(WORDS)}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def fill(tensor: Tensor, seed: int, *, is_gain: bool = False) -> None:
    """Fill with normal numbers, around 1 for the gain of a norm; a block of them repeated where there are very many."""
    generator = torch.Generator().manual_seed(seed)
    flat = tensor.view(-1)
    block = torch.randn(min(_BLOCK, flat.numel()), generator=generator) * DEVIATION + (1.0 if is_gain else 0.0)
    for part in flat.split(len(block)):
        part.copy_(block[: len(part)])


def _save(shapes: Mapping[str, Tensor], path: Path, dtype: torch.dtype) -> None:
    numbers = sum(tensor.numel() for tensor in shapes.values())
    has_room = _MEMORY_DISK.is_dir() and shutil.disk_usage(_MEMORY_DISK).free > 1.2 * numbers * dtype.itemsize
    scratch = (_MEMORY_DISK if has_room else path.parent) / f"{os.getpid()}-{path.stem}.scratch"
    whole = torch.from_file(str(scratch), shared=True, size=numbers, dtype=dtype)
    tensors, start = {}, 0
    for seed, (name, shape) in enumerate(shapes.items()):
        # a storage of its own each, as a published file has
        storage = whole.untyped_storage()[start * dtype.itemsize : (start + shape.numel()) * dtype.itemsize]
        tensors[name] = torch.tensor([], dtype=dtype).set_(storage, 0, shape.shape)
        fill(tensors[name], seed, is_gain="norm" in name and name.endswith(("weight", "gamma")))
        start += shape.numel()
    torch.save(tensors, path)
    scratch.unlink()


def _preset(sizes: Sizes, decoder: str) -> str:
    config, tiny = sizes.transformer, sizes.tiny
    fields = ("dim", "ffn_dim", "num_heads", "num_layers", "freq_dim", "text_dim", "text_len")
    geometry = "\n".join(f"{name} = {value}" for name in fields if (value := vars(config)[name]))
    widths = f"encoder_widths = {list(tiny.encoder_widths)}\ndecoder_widths = {list(tiny.decoder_widths)}"
    light = f'kind = "tiny_vae"\nfile = "taew2_1.pth"\n{widths}\n'
    wan = f'kind = "wan_vae"\nfile = "Wan2.1_VAE.pth"\ndim = {sizes.vae_width}\n'
    decoders = f"[decoder]\n{wan if decoder == 'wan_vae' else light}[light_decoder]\n{light}"
    return (
        f'name = "published"\n[transformer]\nfile = "rewardforcing.pt"\n{geometry}\n{decoders}'
        '[text]\nkind = "umt5"\nfile = "models_t5_umt5-xxl-enc-bf16.pth"\ntokenizer = "google/umt5-xxl"\n'
        "[stream]\nwidth = 128\nheight = 64\nrate_fps = 16\n"
    )
