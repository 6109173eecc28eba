"""The fused kernels, the attention kernels and the narrow products on a real GPU, beside their plain forms."""

import dataclasses
import itertools
from pathlib import Path

import pytest
import torch

from engine.acceleration import Acceleration
from engine.attention.kernels import Capability, kernels_for, plain
from engine.attention.table import AttentionTable, Shape, random_heads
from engine.caches.slot_cache import SlotCache
from engine.golden import stream_output
from engine.kernels.choice import fused_kernels, prepare_model, stream_shapes
from engine.kernels.plain import PLAIN
from engine.kernels.shaping import FLOAT8, After, Folded, Rows8
from engine.model.config import ModelConfig
from engine.model.rope import rotation_table
from engine.quantised.attention import attend_float8, float8_kernel, to_float8
from engine.quantised.linears import QuantisedLinear, has_float8_product
from tests.engine.tiny import tiny_transformer

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]

GOLDEN = Path(__file__).resolve().parents[1] / "data" / "golden" / "tiny_causal_dit.safetensors"
CUDA = torch.device("cuda")
SHAPE = (2, 3, 50, 1536)  # B, F, P, E


def random(*shape, dtype=torch.bfloat16):
    return torch.randn(shape, device=CUDA).to(dtype)


def distance(made, expected):
    return ((made.double() - expected.double()).norm() / expected.double().norm()).item()


def widened(made):
    return made.widened(torch.float32) if isinstance(made, Rows8) else made


@pytest.fixture
def kernels():
    found = fused_kernels(CUDA)
    if found is None:
        pytest.skip("no Triton, or a GPU below compute capability 8.0")
    torch.manual_seed(0)
    return found


@pytest.mark.parametrize(("dtype", "gate"), [(torch.float32, 1e-5), (torch.bfloat16, 2e-3)])
@pytest.mark.parametrize("narrow", ["", "fp8", "int8"])
def test_fused_kernels_equal_their_plain_forms(kernels, dtype, gate, narrow):
    if narrow == "fp8" and not has_float8_product(CUDA):
        pytest.skip("Triton has no float8 here")
    x, y = random(*SHAPE, dtype=dtype), random(*SHAPE, dtype=dtype)
    weight, bias = random(SHAPE[-1], dtype=dtype), random(SHAPE[-1], dtype=dtype)
    gate = 0.01 if narrow else gate  # a number may fall on the other side of a tie
    for own in (1, SHAPE[1]):
        rows = Folded(random(1, own, 6, SHAPE[-1], dtype=dtype))
        for after in (After(), After(weight, bias), After(modulations=rows, shift=3, scale=4)):
            made, expected = (form.add_norm(x, y, (rows, 2), 1e-6, after, narrow) for form in (kernels, PLAIN))
            assert distance(made[0], expected[0]) < 2e-3
            assert distance(widened(made[1]), widened(expected[1])) < gate
            made, expected = (widened(form.norm(x, 1e-6, after, narrow)) for form in (kernels, PLAIN))
            assert distance(made, expected) < gate
    made, expected = (widened(form.gelu(x, narrow)) for form in (kernels, PLAIN))
    assert distance(made, expected) < gate


def test_keys_are_normed_turned_and_written_into_slots(kernels):
    table = rotation_table(3, 5, 7, 128).to(CUDA)
    projected = random(2, len(table), 3 * 1536)
    keys, weight = projected[..., 1536:3072], random(1536)
    for dtype, turns in itertools.product((torch.bfloat16, FLOAT8), (table, None)):
        if dtype == FLOAT8 and not has_float8_product(CUDA):
            continue
        slots = [torch.zeros(2, len(table) + 9, 12, 128, device=CUDA).to(dtype) for _ in range(2)]
        plains = [torch.zeros(2, len(table), 12, 128, device=CUDA, dtype=torch.bfloat16) for _ in range(2)]
        for form, slot, kept in zip((kernels, PLAIN), slots, plains, strict=True):
            form.norm_rotate(keys, weight, 1e-6, turns, slot[:, 5:-4], kept)
        assert distance(slots[0].float(), slots[1].float()) < 0.01
        assert distance(*plains) < 2e-3


@pytest.mark.parametrize(("dtype", "gate"), [(torch.float32, 1e-4), (torch.bfloat16, 2e-2)])
def test_the_golden_stream_through_the_fused_path(kernels, dtype, gate):
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    made, expected = stream_output(GOLDEN, CUDA, dtype, lambda model: prepare_model(model, Acceleration()))
    assert distance(made.cpu(), expected) < gate


@pytest.mark.parametrize("kind", ["fp8", "int8"])
def test_narrow_layers_and_streams_stay_near(kernels, kind):
    if kind == "fp8" and not has_float8_product(CUDA):
        pytest.skip("this GPU multiplies no float8")
    with torch.device(CUDA):
        linear = torch.nn.Linear(1536, 4608).bfloat16().requires_grad_(False)
    x = random(1, 100, 1536)
    layer = QuantisedLinear(linear, kind)
    assert distance(layer(x), linear(x)) < 0.05
    assert distance(layer(kernels.rows8(x, kind), x.dtype), layer(x)) < 0.01
    switches = Acceleration(linears=kind)
    made, expected = stream_output(GOLDEN, CUDA, torch.bfloat16, lambda model: prepare_model(model, switches))
    assert distance(made.cpu(), expected) < 0.1


def test_every_attention_kernel_and_float8_agree_with_torch():
    capability = Capability.of(CUDA)
    q, k, v = random_heads(Shape(1, 300, 1000, 12, 128, torch.bfloat16), CUDA)
    expected = plain(q, k, v)
    for kernel in kernels_for(capability, torch.bfloat16, 128):
        assert distance(kernel.attend(q, k, v), expected) < 0.01, kernel.name
    name, _ = float8_kernel(CUDA)
    values = to_float8(v).permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
    assert distance(attend_float8(to_float8(q), to_float8(k), values, torch.bfloat16), expected) < 0.1, name


def test_the_table_is_measured_in_under_a_second_and_then_found(tmp_path):
    config = ModelConfig(num_layers=1)
    shapes = stream_shapes(config, (40, 72), torch.bfloat16)
    table = AttentionTable(tmp_path / "attention.json")
    first = table.measure(shapes, CUDA)
    again = AttentionTable(tmp_path / "attention.json").measure(shapes, CUDA, patience_s=0.0)
    assert again == first  # nothing is measured where there is no patience
    q, k, _ = random_heads(shapes[0], CUDA)
    assert table.kernel(q, k).name in next(iter(first.values()))


@torch.inference_mode()
def test_a_fused_and_narrow_chunk_never_waits_for_the_device(kernels):
    linears = "fp8" if has_float8_product(CUDA) else "int8"
    model = tiny_transformer().to(CUDA, torch.bfloat16)
    config = dataclasses.replace(model.config)
    prepare_model(model, Acceleration(linears=linears))
    cache = SlotCache(config, 4, 6, device=CUDA, dtype=torch.bfloat16)
    text = model.encode_text(random(1, config.text_len, config.text_dim))
    latents, times = random(1, 3, config.in_dim, 4, 6), torch.full((1, 3), 625.0, device=CUDA)
    for warm in (True, False):
        torch.cuda.synchronize()
        torch.cuda.set_sync_debug_mode("default" if warm else "error")
        try:
            for _ in range(4):
                cache.begin_chunk(3)
                model(latents, times, text, cache)
                model.remember(latents, times, text, cache)
        finally:
            torch.cuda.set_sync_debug_mode("default")
