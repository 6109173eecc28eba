"""Key names of the Wan models: the published ones, which this engine uses, and those of diffusers, both ways.

Works on names only. Knows nothing of files, tensors or modules.
"""

import re
from collections.abc import Callable, Iterable

# (published, diffusers); what follows the pair in a name (".weight", ".bias" or nothing) is kept.
_DIT_OUTER = (
    ("patch_embedding", "patch_embedding"),
    ("text_embedding.0", "condition_embedder.text_embedder.linear_1"),
    ("text_embedding.2", "condition_embedder.text_embedder.linear_2"),
    ("time_embedding.0", "condition_embedder.time_embedder.linear_1"),
    ("time_embedding.2", "condition_embedder.time_embedder.linear_2"),
    ("time_projection.1", "condition_embedder.time_proj"),
    ("head.head", "proj_out"),
    ("head.modulation", "scale_shift_table"),
    ("vace_patch_embedding", "vace_patch_embedding"),
)
_DIT_BLOCK = (
    ("modulation", "scale_shift_table"),
    *(
        (f"{ours}.{part}", f"{theirs}.{renamed}")
        for ours, theirs in (("self_attn", "attn1"), ("cross_attn", "attn2"))
        for part, renamed in (
            ("q", "to_q"),
            ("k", "to_k"),
            ("v", "to_v"),
            ("o", "to_out.0"),
            ("norm_q", "norm_q"),
            ("norm_k", "norm_k"),
        )
    ),
    ("norm3", "norm2"),  # diffusers numbers the norms in the order of the calls
    ("ffn.0", "ffn.net.0.proj"),
    ("ffn.2", "ffn.net.2"),
    ("before_proj", "proj_in"),  # VACE blocks only
    ("after_proj", "proj_out"),
)
_BLOCK_NAME = re.compile(r"((?:vace_)?blocks\.\d+)\.(.+)")

_VAE_RESIDUAL = (
    ("residual.0", "norm1"),
    ("residual.2", "conv1"),
    ("residual.3", "norm2"),
    ("residual.6", "conv2"),
    ("shortcut", "conv_shortcut"),
    ("resample.1", "resample.1"),
    ("time_conv", "time_conv"),
)
_VAE_OUTER = (("conv1", "quant_conv"), ("conv2", "post_quant_conv"))
_VAE_HALF = (
    ("conv1", "conv_in"),
    ("middle.0", "mid_block.resnets.0"),
    ("middle.1", "mid_block.attentions.0"),
    ("middle.2", "mid_block.resnets.1"),
    ("head.0", "norm_out"),
    ("head.2", "conv_out"),
)
_WAN_VAE_RES_BLOCKS = 2  # num_res_blocks of the published autoencoder; a decoder level has one more

# A name found in every diffusers file of the kind, and in no other
_DIT_MARK = "condition_embedder."
_VACE_MARK = re.compile(r"vace_blocks\.\d+\.attn1\.")  # of a module without a transformer's own weights
_VAE_MARKS = ("encoder.mid_block.", "decoder.mid_block.")

Pairs = tuple[tuple[str, str], ...]


def dit_to_diffusers(name: str) -> str:
    """Return the diffusers name of a published transformer key. Raises KeyError for a name that is none."""
    return _translate_dit(name, _DIT_OUTER, _DIT_BLOCK)


def dit_from_diffusers(name: str) -> str:
    """Return the published name of a diffusers transformer key. Raises KeyError for a name that is none."""
    return _translate_dit(name, _flipped(_DIT_OUTER), _flipped(_DIT_BLOCK))


def vae_to_diffusers(name: str, num_res_blocks: int = _WAN_VAE_RES_BLOCKS) -> str:
    """Return the diffusers name of a published autoencoder key. Raises KeyError for a name that is none."""
    half, _, rest = name.partition(".")
    if half not in ("encoder", "decoder"):
        return _translate(name, _VAE_OUTER)
    level = num_res_blocks + 2  # residual blocks of one decoder level, and its resampling
    if match := re.fullmatch(r"downsamples\.(\d+)\.(.+)", rest):
        return f"{half}.down_blocks.{match[1]}.{_translate(match[2], _VAE_RESIDUAL)}"
    if match := re.fullmatch(r"upsamples\.(\d+)\.(.+)", rest):
        block, place = divmod(int(match[1]), level)
        inner = "upsamplers.0" if place == level - 1 else f"resnets.{place}"
        return f"{half}.up_blocks.{block}.{inner}.{_translate(match[2], _VAE_RESIDUAL)}"
    return f"{half}.{_translate_middle(_translate(rest, _VAE_HALF), _VAE_RESIDUAL)}"


def vae_from_diffusers(name: str, num_res_blocks: int = _WAN_VAE_RES_BLOCKS) -> str:
    """Return the published name of a diffusers autoencoder key. Raises KeyError for a name that is none."""
    half, _, rest = name.partition(".")
    if half not in ("encoder", "decoder"):
        return _translate(name, _flipped(_VAE_OUTER))
    level = num_res_blocks + 2
    residual = _flipped(_VAE_RESIDUAL)
    if match := re.fullmatch(r"down_blocks\.(\d+)\.(.+)", rest):
        return f"{half}.downsamples.{match[1]}.{_translate(match[2], residual)}"
    if match := re.fullmatch(r"up_blocks\.(\d+)\.(resnets\.(\d+)|upsamplers\.0)\.(.+)", rest):
        place = level - 1 if match[3] is None else int(match[3])
        return f"{half}.upsamples.{int(match[1]) * level + place}.{_translate(match[4], residual)}"
    if match := re.fullmatch(r"mid_block\.resnets\.([01])\.(.+)", rest):
        return f"{half}.middle.{2 * int(match[1])}.{_translate(match[2], residual)}"
    return f"{half}.{_translate(rest, _flipped(_VAE_HALF))}"


def published_names(names: Iterable[str]) -> dict[str, str] | None:
    """Return {diffusers name: published name} if the names are a diffusers Wan model, else None.

    Names that fit no rule stand for themselves, so that a loader can report them.
    """
    names = list(names)
    translate: Callable[[str], str] | None = None
    if any(name.startswith(_DIT_MARK) or _VACE_MARK.match(name) for name in names):
        translate = dit_from_diffusers
    elif any(name.startswith(_VAE_MARKS) for name in names):
        translate = vae_from_diffusers
    if translate is None:
        return None
    renamed = {}
    for name in names:
        try:
            renamed[name] = translate(name)
        except KeyError:
            renamed[name] = name
    return renamed


def _flipped(pairs: Pairs) -> Pairs:
    return tuple((theirs, ours) for ours, theirs in pairs)


def _translate(name: str, pairs: Pairs) -> str:
    for old, new in pairs:
        if name == old or name.startswith(old + "."):
            return new + name[len(old) :]
    raise KeyError(name)


def _translate_dit(name: str, outer: Pairs, block: Pairs) -> str:
    if match := _BLOCK_NAME.fullmatch(name):
        return f"{match[1]}.{_translate(match[2], block)}"
    return _translate(name, outer)


def _translate_middle(name: str, residual: Pairs) -> str:
    prefix, _, rest = name.partition(".residual.")
    return f"{prefix}.{_translate(f'residual.{rest}', residual)}" if rest else name
