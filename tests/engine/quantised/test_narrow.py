"""Narrow numbers: how far off they are, what stays wide, and that LoRAs leave no trace in them."""

import copy

import pytest
import torch
from torch import nn

from engine.acceleration import Acceleration
from engine.caches.slot_cache import SlotCache
from engine.kernels.choice import prepare_model
from engine.kernels.fused_block import fuse
from engine.kernels.plain import PLAIN
from engine.kernels.shaping import FLOAT8, Rows8, rows8
from engine.lora.kept_weights import KeptWeights
from engine.model.cast_linear import CastLinear, to_float8
from engine.quantised import linears
from engine.quantised.attention import attend_float8, float8_kernel
from engine.quantised.attention import to_float8 as heads_to_float8
from engine.quantised.float8_cache import Float8SlotCache
from engine.quantised.layers import NARROW, narrow_blocks
from engine.quantised.linears import Float8Linear, QuantisedLinear, multiply
from tests.engine.kernels.test_fused_block import play
from tests.engine.tiny import LATENT_HEIGHT, LATENT_WIDTH, TINY, tiny_transformer

SIZE = (LATENT_HEIGHT, LATENT_WIDTH)
ERRORS = {"fp8": 0.05, "int8": 0.015}  # of one layer, relative: 3 and 7 bits of a number


def random(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def distance(made, expected):
    return ((made.double() - expected.double()).norm() / expected.double().norm()).item()


@pytest.mark.parametrize("kind", ERRORS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_narrow_layer_is_near_the_wide_one(kind, dtype):
    torch.manual_seed(0)
    linear = nn.Linear(64, 96).to(dtype).requires_grad_(False)
    x = random(2, 5, 64).to(dtype)
    x[0, 0] *= 1000.0  # a loud token does not make the others coarse
    x[0, 1] = 0.0
    narrow = QuantisedLinear(linear, kind)
    made, expected = narrow(x), linear(x)
    assert made.dtype == dtype and made.shape == expected.shape
    for token in ((0, 0), (0, 1), (1, 2)):
        assert distance(made[token], expected[token]) < ERRORS[kind]
    assert torch.equal(narrow(rows8(x, kind), dtype), made)  # whoever narrows the tokens
    assert narrow.stored.element_size() == 1
    assert list(narrow.state_dict()) == ["weight", "bias"]


def test_the_cpus_float8_product_is_what_casting_gives():
    x, weight, bias = rows8(random(20, 32), "fp8"), rows8(random(48, 32, seed=1), "fp8"), random(48, seed=2)
    cast = multiply(x, weight, bias, torch.float32)
    product = linears._float8_by_kernel(x.values, x.scale, weight, bias, torch.float32)
    assert distance(product, cast) < 0.01  # which is bfloat16


@pytest.mark.parametrize("kind", ERRORS)
@torch.inference_mode()
def test_a_narrow_stream_stays_near_and_only_what_is_not_sensitive_is_narrow(kind):
    expected = play(tiny_transformer(), SlotCache(TINY, *SIZE))
    model = tiny_transformer()
    names = {name for name, _ in model.named_parameters()}
    prepared = prepare_model(model, Acceleration(linears=kind), SIZE)
    assert len(prepared.narrowed) == len(NARROW) * TINY.num_layers
    assert prepared.linears == kind and bool(prepared.notes) == (kind == "fp8")
    wide = {name for name, module in model.named_modules() if type(module) is nn.Linear}
    assert {"head.head", "text_embedding.0", "time_projection.1", "blocks.1.cross_attn.k"} <= wide
    assert {name for name, _ in model.named_parameters()} == names
    made = play(model, SlotCache(TINY, *SIZE))
    assert 0 < distance(made, expected) < 0.02
    fuse(model, PLAIN)  # queries, keys and values in one product, tokens narrowed by kernels
    assert distance(play(model, SlotCache(TINY, *SIZE)), made) < 1e-3


class Change:
    """A LoRA's part for one weight."""

    scale = 1.0

    def __init__(self, rows, columns):
        self._factors = random(rows, 2, seed=3), random(2, columns, seed=4)

    def factors(self):
        return self._factors


@pytest.mark.parametrize("kind", ERRORS)
@torch.inference_mode()
def test_a_lora_is_heard_in_narrow_layers_and_leaves_no_bit(kind):
    model = tiny_transformer()
    prepare_model(model, Acceleration(linears=kind))
    fuse(model, PLAIN)
    layer = model.blocks[0].self_attn.k
    before, place = copy.deepcopy(layer.stored), layer.stored.data_ptr()
    first = play(model, SlotCache(TINY, *SIZE))
    weights, name = KeptWeights(model), "blocks.0.self_attn.k.weight"
    change = Change(*layer.weight.shape)
    weights.mix(name, [(change, 0.01)])  # small: most of it lies between two narrow numbers
    delta = (layer.stored.float() * layer.scale) - (before.float() * layer.scale)
    wanted = 0.01 * change.factors()[0] @ change.factors()[1]
    assert (delta * wanted).sum() / wanted.square().sum() == pytest.approx(1.0, abs=0.3)  # all the same it arrives
    assert not torch.equal(play(model, SlotCache(TINY, *SIZE)), first)
    assert layer.stored.data_ptr() == place  # a recorded graph goes on
    weights.mix(name, [])
    assert torch.equal(layer.stored.view(torch.uint8), before.view(torch.uint8))
    assert torch.equal(play(model, SlotCache(TINY, *SIZE)), first)


@torch.inference_mode()
def test_layers_stored_in_float8_are_multiplied_as_they_are_stored():
    torch.manual_seed(0)
    linear = nn.Linear(32, 48).requires_grad_(False)
    stored = CastLinear(*to_float8(linear.weight), linear.bias)
    narrow, x = Float8Linear(stored.weight.data, stored.scale, stored.bias), random(7, 32)
    assert distance(narrow(x), stored(x)) < ERRORS["fp8"]
    assert torch.equal(narrow(rows8(x, "fp8"), torch.float32), narrow(x))
    holder = nn.Sequential(narrow)
    weights, expected = KeptWeights(holder), narrow(x)
    weights.mix("0.weight", [(Change(48, 32), 0.1)])
    assert narrow.weight.dtype != FLOAT8  # wide while a LoRA is on it
    assert narrow(x).shape == expected.shape
    assert isinstance(rows8(x, "fp8"), Rows8) and narrow(rows8(x, "fp8"), torch.float32).shape == expected.shape
    weights.mix("0.weight", [])
    assert torch.equal(narrow(x), expected)
    model = tiny_transformer()
    model.blocks[0].ffn[0] = CastLinear(*to_float8(model.blocks[0].ffn[0].weight), model.blocks[0].ffn[0].bias)
    narrow_blocks(model, "fp8")
    assert type(model.blocks[0].ffn[0]) is Float8Linear


@torch.inference_mode()
def test_float8_attention_stays_near_and_its_history_takes_one_byte_a_number():
    assert float8_kernel(torch.device("cpu"))[0] == "casting"
    q, k, v = (heads_to_float8(random(1, length, 2, 16, seed=length)) for length in (5, 9, 9))
    assert attend_float8(q, k, v, torch.float32).shape == (1, 5, 2, 16)
    assert heads_to_float8(torch.tensor([1e6, -1e6])).float().tolist() == [448.0, -448.0]
    expected = play(tiny_transformer(), SlotCache(TINY, *SIZE))
    plain = play(tiny_transformer(), Float8SlotCache(TINY, *SIZE))
    assert 0 < distance(plain, expected) < 0.02
    model = tiny_transformer()
    fuse(model, PLAIN)
    assert torch.equal(play(model, Float8SlotCache(TINY, *SIZE)), plain)
    cache = Float8SlotCache(TINY, *SIZE)
    cache.begin_chunk(3)
    assert cache.current_slots(0).rotated.element_size() == 1
