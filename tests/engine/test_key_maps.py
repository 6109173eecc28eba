"""Key maps against diffusers itself: key sets and shapes at full size, numbers on small configs."""

import warnings
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

from engine import key_maps
from engine.model.attention import FullAttention
from engine.model.config import WAN_1_3B, WAN_1_3B_VACE, ModelConfig
from engine.model.rope import rotation_table
from engine.model.transformer import CausalWanTransformer
from engine.model.vace import Guide
from engine.vae.wan_vae import WanVae, WanVaeConfig

DIT_KEYS = 825
VAE_KEYS = 194
VACE_KEYS = 439
VACE_PARAMETERS = 734_975_232
VACE_LAYERS = list(range(0, 30, 2))
NUMERIC_TOLERANCE = 1e-4  # float32; the largest difference seen is below 1e-5


@pytest.fixture(scope="module")
def diffusers() -> ModuleType:
    """The diffusers package; its imports warn about things this project does not use."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        package = pytest.importorskip("diffusers", reason="diffusers, a development dependency, is not installed")
        # Its parts are imported at first use: here, so that their warnings end here too.
        _ = package.AutoencoderKLWan, package.WanTransformer3DModel, package.WanVACETransformer3DModel
    return package


def diffusers_dit(diffusers: ModuleType, config: ModelConfig, **more: object) -> nn.Module:
    """Build diffusers' transformer of the sizes of `config`."""
    kind = diffusers.WanVACETransformer3DModel if more else diffusers.WanTransformer3DModel
    return kind(
        num_attention_heads=config.num_heads,
        attention_head_dim=config.head_dim,
        in_channels=config.in_dim,
        out_channels=config.out_dim,
        text_dim=config.text_dim,
        freq_dim=config.freq_dim,
        ffn_dim=config.ffn_dim,
        num_layers=config.num_layers,
        **more,
    )


def shapes(module: nn.Module) -> dict[str, tuple[int, ...]]:
    """Shapes of a module's state dict by name."""
    return {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}


def randomise(module: nn.Module, seed: int) -> None:
    """Give every weight a random value of a size that keeps activations near 1."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in module.named_parameters():
        is_gain = name.endswith("gamma") or ("norm" in name and name.endswith("weight"))
        nn.init.normal_(parameter, 1.0 if is_gain else 0.0, 0.1 if parameter.ndim < 2 else 0.15, generator=generator)


def test_all_825_transformer_keys_map_both_ways(diffusers: ModuleType) -> None:
    with torch.device("meta"):
        ours, theirs = shapes(CausalWanTransformer(WAN_1_3B)), shapes(diffusers_dit(diffusers, WAN_1_3B))
    assert len(ours) == DIT_KEYS
    assert {key_maps.dit_to_diffusers(name): shape for name, shape in ours.items()} == theirs
    assert {key_maps.dit_from_diffusers(name): shape for name, shape in theirs.items()} == ours


def test_all_194_autoencoder_keys_map_both_ways(diffusers: ModuleType) -> None:
    with torch.device("meta"):
        ours, theirs = shapes(WanVae(WanVaeConfig())), shapes(diffusers.AutoencoderKLWan())
    assert len(ours) == VAE_KEYS
    assert {key_maps.vae_to_diffusers(name): shape for name, shape in ours.items()} == theirs
    assert {key_maps.vae_from_diffusers(name): shape for name, shape in theirs.items()} == ours


def test_all_439_vace_keys_map_both_ways(diffusers: ModuleType) -> None:
    with torch.device("meta"):
        model = CausalWanTransformer(WAN_1_3B_VACE)
        ours, theirs = shapes(model), shapes(diffusers_dit(diffusers, WAN_1_3B, vace_layers=VACE_LAYERS))
    assert len(ours) == DIT_KEYS + VACE_KEYS
    assert sum(name.startswith("vace_") for name in ours) == VACE_KEYS
    added = [weight.numel() for name, weight in model.named_parameters() if name.startswith("vace_")]
    assert sum(added) == VACE_PARAMETERS
    assert {key_maps.dit_to_diffusers(name): shape for name, shape in ours.items()} == theirs
    assert {key_maps.dit_from_diffusers(name): shape for name, shape in theirs.items()} == ours
    assert {"vace_blocks.0.before_proj.weight", "vace_blocks.14.after_proj.bias"} <= ours.keys()
    assert "vace_blocks.1.before_proj.weight" not in ours


def test_a_vace_module_of_diffusers_is_known_without_a_transformer(diffusers: ModuleType) -> None:
    with torch.device("meta"):
        theirs = shapes(diffusers_dit(diffusers, WAN_1_3B, vace_layers=VACE_LAYERS))
    module = [name for name in theirs if name.startswith("vace_")]
    names = key_maps.published_names(module)
    assert names is not None
    assert all(key_maps.dit_to_diffusers(ours) == name for name, ours in names.items())
    published = [key_maps.dit_from_diffusers(name) for name in module]
    assert key_maps.published_names(published) is None  # such names stay as they are


@pytest.mark.parametrize("num_res_blocks", [1, 2])
def test_the_autoencoder_computes_what_that_of_diffusers_does(diffusers: ModuleType, num_res_blocks: int) -> None:
    config = WanVaeConfig(dim=8, num_res_blocks=num_res_blocks)
    ours = WanVae(config).requires_grad_(False)
    randomise(ours, seed=1)
    theirs = diffusers.AutoencoderKLWan(base_dim=8, num_res_blocks=num_res_blocks).eval().requires_grad_(False)
    weights = ours.state_dict()
    theirs.load_state_dict({key_maps.vae_to_diffusers(name, num_res_blocks): t for name, t in weights.items()})

    generator = torch.Generator().manual_seed(2)
    latents = torch.randn(1, 4, 16, 3, 4, generator=generator)
    raw_scale = latents.transpose(1, 2) * _per_channel(config.latent_std) + _per_channel(config.latent_mean)
    frames, _ = ours.decode(latents, None)
    assert_close(frames.transpose(1, 2), theirs.decode(raw_scale).sample)

    clip = torch.rand(1, 3, 13, 24, 32, generator=generator) * 2.0 - 1.0
    encoded, _ = ours.encode(clip.transpose(1, 2), None)
    mu = theirs.encode(clip).latent_dist.mode()
    assert_close(encoded.transpose(1, 2), (mu - _per_channel(config.latent_mean)) / _per_channel(config.latent_std))


def _per_channel(values: tuple[float, ...]) -> Tensor:
    return torch.tensor(values).reshape(1, -1, 1, 1, 1)


@pytest.mark.parametrize(("dim", "heads"), [(48, 2), (40, 2), (96, 3)])
def test_the_transformer_computes_what_that_of_diffusers_does(diffusers: ModuleType, dim: int, heads: int) -> None:
    config = ModelConfig(
        dim=dim, ffn_dim=56, num_heads=heads, num_layers=3, freq_dim=32, text_dim=20, text_len=6, chunk_frames=3
    )
    ours = CausalWanTransformer(config).requires_grad_(False)
    randomise(ours, seed=3)
    theirs = diffusers_dit(diffusers, config).eval().requires_grad_(False)
    theirs.load_state_dict({key_maps.dit_to_diffusers(name): t for name, t in ours.state_dict().items()})

    generator = torch.Generator().manual_seed(4)
    latents = torch.randn(1, 3, 16, 4, 6, generator=generator)
    prompt = torch.randn(1, 6, 20, generator=generator)
    # One chunk with nothing before it sees all of itself: bidirectional attention, as in diffusers.
    memory = FullAttention(rotation_table(3, 2, 3, config.head_dim, torch.complex128))
    flow = ours(latents, torch.full((1, 3), 937.5), ours.encode_text(prompt), memory)
    reference = theirs(latents.transpose(1, 2), torch.tensor([937.5]), prompt).sample
    assert_close(flow.transpose(1, 2), reference)


@pytest.mark.parametrize(("dim", "heads", "layers"), [(48, 2, (0, 2)), (40, 2, (0, 1, 3)), (96, 3, (0,))])
@pytest.mark.parametrize(("context_frames", "scales"), [(4, 1.0), (4, 0.4), (4, (1.5, 0.0, 0.3)), (2, 1.0)])
def test_vace_computes_what_that_of_diffusers_does(
    diffusers: ModuleType,
    dim: int,
    heads: int,
    layers: tuple[int, ...],
    context_frames: int,
    scales: float | tuple[float, ...],
) -> None:
    config = ModelConfig(
        dim=dim, ffn_dim=56, num_heads=heads, num_layers=4, freq_dim=32, text_dim=20, text_len=6, vace_layers=layers
    )
    ours = CausalWanTransformer(config).requires_grad_(False)
    randomise(ours, seed=5)
    theirs = diffusers_dit(diffusers, config, vace_layers=list(layers), vace_in_channels=96).eval()
    theirs.requires_grad_(False)
    theirs.load_state_dict({key_maps.dit_to_diffusers(name): t for name, t in ours.state_dict().items()})

    generator = torch.Generator().manual_seed(6)
    # one reference and three frames: the published pipeline has both in the latents, which then are as long
    latents = torch.randn(1, 4, 16, 4, 6, generator=generator)
    context = torch.randn(1, context_frames, 96, 4, 6, generator=generator)
    prompt = torch.randn(1, 6, 20, generator=generator)
    chosen = scales[: len(layers)] if isinstance(scales, tuple) else scales
    memory = FullAttention(rotation_table(4, 2, 3, config.head_dim, torch.complex128))
    text, timesteps = ours.encode_text(prompt), torch.full((1, 4), 937.5)
    flow = ours(latents, timesteps, text, memory, Guide(context, memory, chosen))
    per_layer = torch.tensor(chosen if isinstance(chosen, tuple) else [chosen] * len(layers))
    given = {"control_hidden_states": context.transpose(1, 2), "control_hidden_states_scale": per_layer}
    reference = theirs(latents.transpose(1, 2), torch.tensor([937.5]), prompt, **given).sample
    assert_close(flow.transpose(1, 2), reference)
    assert (flow - ours(latents, timesteps, text, memory)).abs().max() > 0.05  # and it guides


def assert_close(ours: Tensor, theirs: Tensor) -> None:
    """Check two float32 results of different code, and that the comparison says something."""
    assert ours.shape == theirs.shape
    assert theirs.std() > 0.05
    assert (ours - theirs).abs().max() < NUMERIC_TOLERANCE


@pytest.mark.parametrize(
    ("translate", "name"),
    [
        (key_maps.dit_to_diffusers, "blocks.0.attn1.to_q.weight"),
        (key_maps.dit_from_diffusers, "blocks.0.self_attn.q.weight"),
        (key_maps.dit_from_diffusers, "patch_embed.weight"),
        (key_maps.vae_to_diffusers, "decoder.conv_in.weight"),
        (key_maps.vae_from_diffusers, "decoder.upsamples.0.residual.0.gamma"),
        (key_maps.vae_from_diffusers, "decoder.up_blocks.0.resnets.0.conv3.weight"),
    ],
)
def test_a_name_of_neither_kind_is_no_key(translate: object, name: str) -> None:
    with pytest.raises(KeyError):
        translate(name)


def test_names_without_a_rule_stand_for_themselves() -> None:
    names = ["condition_embedder.time_proj.weight", "blocks.0.attn3.to_q.weight"]
    assert key_maps.published_names(names) == {names[0]: "time_projection.1.weight", names[1]: names[1]}
    assert key_maps.published_names(["blocks.0.self_attn.q.weight"]) is None
