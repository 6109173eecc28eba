"""Diagnosis of weights by their key names and shapes: what a file probably is, and where it differs from a model.

Works on names and shapes only. Knows nothing of files or modules.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Shapes = Mapping[str, tuple[int, ...]]

_LORA_MARKS = (
    ".lora_A.", ".lora_B.", ".lora_down.", ".lora_up.", ".lora.up.", ".lora.down.",
    ".lokr_", ".hada_", ".oft_", ".dora_scale", ".diff_b",
)  # fmt: skip
# how LoRA files of other families name their modules, written with underscores; the first that fits names the family
_LORA_FAMILIES = {
    "HunyuanVideo": ("individual_token_refiner", "context_embedder_token_refiner"),
    "Flux or HunyuanVideo": ("double_blocks", "single_blocks", "single_transformer_blocks"),
    "Stable Diffusion 3": ("joint_blocks", "joint_transformer_blocks"),
    "Qwen-Image": ("transformer_blocks_0_img_mlp", "transformer_blocks_0_txt_mlp"),
    "Stable Diffusion": ("down_blocks", "up_blocks", "mid_block", "input_blocks", "output_blocks"),
    "LTX-Video, CogVideoX or another model of this kind": ("transformer_blocks",),
}
_TEXT_LORA_MARKS = ("text_model_encoder", "encoder_block_", "lora_te", "text_encoder")
_EMBEDDING_MARKS = ("emb_params", "string_to_param", "clip_l", "clip_g", "t5xxl")
_IMAGE_MARKS = ("img_emb.", ".k_img.", "image_embedder.", ".add_k_proj.")
_WAN_SIZES = {1536: "1.3B", 3072: "5B", 5120: "14B"}  # model width -> published size
_FEED_FORWARD_SIZES = {8960: "1.3B", 13824: "14B"}  # inner width -> published size
_T2V_CHANNELS = 16  # latent channels into a text-to-video transformer; image-to-video ones take 36
_WAN_VAE_LATENTS = 16


def likely_kind(shapes: Shapes) -> str:
    """Return what weights of these names and shapes probably are, as a noun phrase ("a LoRA file")."""
    names = list(shapes)
    if not names:
        return "a file without weights"
    for kind in (_lora_kind, _autoencoder_kind, _text_encoder_kind, _transformer_kind):
        found = kind(names, shapes)
        if found:
            return found
    return f"no Wan model known here (first key: {min(names)})"


def lora_kind(shapes: Shapes) -> str | None:
    """Return which model's LoRA a file of these names and shapes probably is; None when it is no LoRA."""
    if not any(mark in name for name in shapes for mark in _LORA_MARKS):
        return None
    names = [name.replace(".", "_") for name in shapes]
    for family, marks in _LORA_FAMILIES.items():
        if any(mark in name for name in names for mark in marks):
            return f"a LoRA file for {family}"
    if all(any(mark in name for mark in _TEXT_LORA_MARKS) for name in names):
        return "a LoRA file for a text encoder"
    widths = {length for shape in shapes.values() for length in shape}
    known = _WAN_SIZES | _FEED_FORWARD_SIZES
    size = next((f"{size} " for width, size in known.items() if width in widths), "")
    is_image = any(mark.strip(".").replace(".", "_") in name for name in names for mark in _IMAGE_MARKS)
    task = "image-to-video (I2V) " if is_image else ""
    return f"a LoRA file for a {size}{task}model" if size or task else "a LoRA file"


def _lora_kind(names: list[str], shapes: Shapes) -> str | None:
    if any(name in _EMBEDDING_MARKS for name in names):
        return "a textual inversion embedding, words for an image model"
    kind = lora_kind(shapes)
    return f"{kind}, which is added to a model and is none itself" if kind else None


def _autoencoder_kind(names: list[str], shapes: Shapes) -> str | None:
    if any(name.startswith(("decoder.upsamples.", "encoder.downsamples.", "decoder.up_blocks.")) for name in names):
        latents = shapes.get("conv2.weight", shapes.get("post_quant_conv.weight", (_WAN_VAE_LATENTS,)))[0]
        return "a Wan VAE" if latents == _WAN_VAE_LATENTS else f"a Wan2.2 or other VAE with {latents} latent channels"
    if any(re.fullmatch(r"(en|de)coder\.\d+\.conv\.\d\.weight", name) for name in names):
        return "a TAEHV (tiny autoencoder)"
    if any(name.startswith(("decoder.", "encoder.down", "first_stage_model.")) for name in names) and not any(
        name.startswith("blocks.") for name in names
    ):
        return "an autoencoder of another family"
    return None


def _text_encoder_kind(names: list[str], shapes: Shapes) -> str | None:
    if any(name.startswith(("token_embedding.", "shared.", "encoder.block.")) for name in names):
        return "a text encoder (UMT5)"
    if any(name.startswith(("visual.", "text_model.", "vision_model.", "textual.")) for name in names):
        return "a CLIP encoder"
    return None


def _transformer_kind(names: list[str], shapes: Shapes) -> str | None:
    patch = shapes.get("patch_embedding.weight")
    blocks = {match[1] for name in names if (match := re.match(r"blocks\.(\d+)\.", name))}
    has_vace = any(name.startswith("vace_") for name in names)
    if has_vace and not blocks:
        return f"{_vace_module(names, shapes)}, an addition to a text-to-video model and not one itself"
    if patch is None or len(patch) < 2:
        return None
    width, channels = patch[:2]
    size = f"{_WAN_SIZES[width]} " if width in _WAN_SIZES else ""
    task = "text-to-video" if channels == _T2V_CHANNELS else f"image-to-video or other ({channels} input channels)"
    if any(mark in name for name in names for mark in _IMAGE_MARKS):
        task = "image-to-video (I2V)"
    extra = " with VACE" if has_vace else ""
    return f"a {size}{task} checkpoint{extra} (width {width}, {len(blocks)} blocks)"


def _vace_module(names: list[str], shapes: Shapes) -> str:
    width = shapes.get("vace_patch_embedding.weight", (0,))[0]
    blocks = {match[1] for name in names if (match := re.match(r"vace_blocks\.(\d+)\.", name))}
    size = f"{_WAN_SIZES[width]} " if width in _WAN_SIZES else ""
    return f"a {size}VACE module" + (f" (width {width}, {len(blocks)} blocks)" if width else "")


@dataclass(frozen=True)
class Difference:
    """Where weights and a model disagree; empty lists mean they fit."""

    missing: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    misshapen: list[tuple[str, tuple[int, ...], tuple[int, ...]]] = field(default_factory=list)  # name, file, model

    def lines(self) -> list[str]:
        """Return the whole difference, keys that differ only in their numbers on one line."""
        lines = []
        for title, names in (("missing", self.missing), ("extra", self.extra)):
            if names:
                lines.append(f"  {title} ({len(names)}):")
                lines += [f"    {label}" for label in grouped(names)]
        if self.misshapen:
            lines.append(f"  misshapen ({len(self.misshapen)}):")
            by_shapes: dict[tuple[str, str], list[str]] = {}
            for name, theirs, ours in self.misshapen:
                by_shapes.setdefault((_shape(theirs), _shape(ours)), []).append(name)
            for (theirs, ours), names in by_shapes.items():
                lines += [f"    {label}: {theirs} in the file, {ours} in the model" for label in grouped(names)]
        return lines


def compare(found: Shapes, wanted: Shapes) -> Difference:
    """Return where the weights `found` differ from those `wanted`."""
    return Difference(
        missing=[name for name in wanted if name not in found],
        extra=[name for name in found if name not in wanted],
        misshapen=[
            (name, tuple(found[name]), tuple(shape))
            for name, shape in wanted.items()
            if name in found and tuple(found[name]) != tuple(shape)
        ],
    )


def grouped(names: Iterable[str]) -> list[str]:
    """Return one label per pattern: names that differ only in numbers share one, with the numbers and the count."""
    patterns: dict[str, list[list[int]]] = {}
    for name in names:
        numbers = [int(n) for n in re.findall(r"(?<=\.)\d+(?=\.|$)", name)]
        pattern = re.sub(r"(?<=\.)\d+(?=\.|$)", "\0", name)
        patterns.setdefault(pattern, []).append(numbers)
    labels = []
    for pattern, rows in patterns.items():
        pieces = pattern.split("\0")
        label = pieces[0]
        for values, piece in zip(zip(*rows, strict=True), pieces[1:], strict=True):
            label += _numbers(values) + piece
        labels.append(label + (f"  ({len(rows)})" if len(rows) > 1 else ""))
    return labels


def _numbers(values: Iterable[int]) -> str:
    runs: list[list[int]] = []
    for value in sorted(set(values)):
        if runs and value == runs[-1][1] + 1:
            runs[-1][1] = value
        else:
            runs.append([value, value])
    text = ",".join(str(low) if low == high else f"{low}-{high}" for low, high in runs)
    return text if len(runs) == 1 and runs[0][0] == runs[0][1] else f"[{text}]"


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "a single number"
