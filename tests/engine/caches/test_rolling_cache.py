"""Both caches: what stays, what leaves, where it stands; that caching changes nothing; that they are one to the bit."""

import dataclasses

import pytest
import torch

from engine.caches.rolling_cache import RollingCache
from engine.caches.slot_cache import SlotCache
from engine.model.attention import FullAttention
from engine.model.rope import rotation_table
from engine.sampler import clean_pass, denoise_chunk
from engine.schedule import Schedule
from tests.engine.tiny import LATENT_HEIGHT, LATENT_WIDTH, TINY, tiny_latents, tiny_prompt, tiny_transformer

TOKENS = TINY.tokens_per_frame(LATENT_HEIGHT, LATENT_WIDTH)


KINDS = {"rolling": RollingCache, "slots": SlotCache}


@pytest.fixture(params=KINDS)
def make_cache(request):
    def make(config=TINY, **options):
        return KINDS[request.param](config, LATENT_HEIGHT, LATENT_WIDTH, **options)

    return make


def write_frames(cache, numbers, mode="static", decay=0.9):
    """Store keys and values that hold the number of their latent frame."""
    cache.begin_chunk(len(numbers), mode, decay)
    shape = (1, len(numbers) * TOKENS, TINY.num_heads, TINY.head_dim)
    frames = (
        torch.tensor(numbers, dtype=torch.float32)
        .repeat_interleave(TOKENS)[None, :, None, None]
        .expand(shape)
        .contiguous()
    )
    for layer in range(TINY.num_layers):
        cache.store(layer, frames, frames)


def frames_held(cache):
    held = cache.keys[0][0, : cache.filled_frames * TOKENS : TOKENS, 0, 0]
    assert torch.equal(held, cache.values[1][0, : cache.filled_frames * TOKENS : TOKENS, 0, 0])
    return [round(number, 6) for number in held.tolist()]


@pytest.mark.parametrize("chunk", [1, 3])
def test_whole_groups_leave_and_positions_stay_in_the_window(make_cache, chunk):
    cache = make_cache()
    fills = []
    for start in range(0, 60, chunk):
        write_frames(cache, list(range(start, start + chunk)))
        fills.append(cache.filled_frames)
        assert cache.first_slot + chunk - 1 <= TINY.window_frames - 1
        newest = start + chunk
        oldest = newest - (cache.filled_frames - 3)
        if newest > 9:
            assert frames_held(cache) == [0, 1, 2, *range(oldest, newest)]
            assert oldest % 3 == 0
    assert set(fills[9:]) == ({7, 8, 9} if chunk == 1 else {9})


def test_every_group_that_leaves_is_fused_once(make_cache):
    decay = 0.9
    cache = make_cache()
    expected = torch.tensor([0.0, 1.0, 2.0])
    for chunk in range(6):
        write_frames(cache, [3 * chunk, 3 * chunk + 1, 3 * chunk + 2], "parity_bf16", decay)
        if chunk >= 3:
            leaving = torch.tensor([3.0, 4.0, 5.0]) + 3 * (chunk - 3)
            expected = decay * expected + (1 - decay) * leaving
    assert torch.allclose(torch.tensor(frames_held(cache)[:3]), expected, atol=1e-5)


def test_chunk_size_one_fuses_the_same_groups_as_chunk_size_three(make_cache):
    by_three, by_one = make_cache(), make_cache()
    for start in range(0, 30, 3):
        write_frames(by_three, [start, start + 1, start + 2], "ema_fp32", 0.8)
        for frame in range(start, start + 3):
            write_frames(by_one, [frame], "ema_fp32", 0.8)
        assert frames_held(by_one) == frames_held(by_three)


def test_as_released_fuses_the_newest_group_and_drops_the_oldest(make_cache):
    cache = make_cache()
    for chunk in range(4):
        write_frames(cache, [3 * chunk, 3 * chunk + 1, 3 * chunk + 2], "as_released", 0.5)
    assert frames_held(cache) == [3.0, 4.0, 5.0, 6, 7, 8, 9, 10, 11]  # (0 + 6) / 2, (1 + 7) / 2, (2 + 8) / 2


def test_exact_sink_moves_in_bfloat16_where_the_published_one_stands_still(make_cache):
    drift = {}
    for mode in ("parity_bf16", "ema_fp32"):
        cache = make_cache(dtype=torch.bfloat16)
        for chunk in range(103):
            write_frames(cache, [1.0, 1.0, 1.0] if chunk == 0 else [2.0, 2.0, 2.0], mode, 0.999)
        drift[mode] = cache.keys[0][0, 0, 0, 0].item() - 1.0
    assert drift["parity_bf16"] == 0.0
    assert drift["ema_fp32"] == pytest.approx(1 - 0.999**100, abs=0.01)


def test_soft_cut_makes_the_last_group_the_sink(make_cache):
    cache = make_cache()
    for chunk in range(4):
        write_frames(cache, [3 * chunk, 3 * chunk + 1, 3 * chunk + 2])
    cache.restart_from_last()
    assert frames_held(cache) == [9, 10, 11]
    write_frames(cache, [12, 13, 14])
    assert frames_held(cache) == [9, 10, 11, 12, 13, 14]
    assert cache.first_slot == 3


def test_a_chunk_that_would_break_a_group_is_refused(make_cache):
    cache = make_cache()
    write_frames(cache, [0])
    with pytest.raises(ValueError, match="wait for the group boundary"):
        cache.begin_chunk(3)
    with pytest.raises(ValueError, match="chunk_frames 2 must divide"):
        cache.begin_chunk(2)


@pytest.mark.parametrize("chunk", [1, 3])
@torch.inference_mode()
def test_cached_generation_equals_full_block_causal_attention(make_cache, chunk):
    config = dataclasses.replace(TINY, window_frames=12, chunk_frames=chunk)
    model, schedule = tiny_transformer(config), Schedule(5.0)
    text = model.encode_text(tiny_prompt(config))
    cache = make_cache(config)
    noise = tiny_latents(12)
    timesteps = (1000.0, 625.0)
    clean, flows = [], []
    for start in range(0, 12, chunk):
        cache.begin_chunk(chunk)
        slots = slice(start, start + chunk)
        renoises = [tiny_latents(chunk, seed=10 + start)]
        steps = list(denoise_chunk(model, cache, text, noise[:, slots], renoises, timesteps, schedule))
        clean_pass(model, cache, text, steps[-1].x0)
        clean.append(steps[-1].x0)
        flows.append(steps[0].flow)
    # one pass over [clean | noisy]: clean see clean up to their own, noisy see earlier clean and themselves
    order = torch.arange(12).div(chunk, rounding_mode="floor").repeat_interleave(TOKENS)
    earlier_or_same, earlier, same = order[:, None] >= order, order[:, None] > order, order[:, None] == order
    mask = torch.cat([torch.cat([earlier_or_same, torch.zeros_like(same)], 1), torch.cat([earlier, same], 1)])
    table = rotation_table(12, LATENT_HEIGHT // 2, LATENT_WIDTH // 2, config.head_dim)
    packed = torch.cat([*clean, noise], dim=1)
    times = torch.cat([torch.zeros(1, 12), torch.full((1, 12), 1000.0)], dim=1)
    full = model(packed, times, text, FullAttention(torch.cat([table, table]), mask))
    assert torch.allclose(full[:, 12:], torch.cat(flows, 1), atol=2e-5)


@torch.inference_mode()
def test_a_long_stream_keeps_its_memory_flat(make_cache):
    model = tiny_transformer()
    text = model.encode_text(tiny_prompt())
    cache = make_cache()
    storages = {tensor.untyped_storage().data_ptr() for tensor in (*cache.keys, *cache.values)}
    sizes = sum(tensor.numel() for tensor in (*cache.keys, *cache.values))
    for chunk in range(60):
        cache.begin_chunk(3, "ema_fp32", 0.99)
        clean_pass(model, cache, text, tiny_latents(3, seed=chunk))
    assert cache.frames_seen == 180
    assert {tensor.untyped_storage().data_ptr() for tensor in (*cache.keys, *cache.values)} == storages
    assert sum(tensor.numel() for tensor in (*cache.keys, *cache.values)) == sizes
    assert all(torch.isfinite(tensor).all() for tensor in (*cache.keys, *cache.values))


def test_a_shorter_window_lets_go_sooner_and_grows_back(make_cache):
    cache = make_cache()
    for _ in range(3):
        cache.begin_chunk(3)
    assert cache.filled_frames == 9
    cache.begin_chunk(3, window_frames=6)
    assert cache.filled_frames == 6
    cache.begin_chunk(3)
    assert cache.filled_frames == 9
    cache.begin_chunk(3, window_frames=1)  # sink and chunk are the least
    assert cache.filled_frames == 6


CHUNKS = (3, 3, 3, 3, 1, 1, 1, 1, 1, 1, 3, 3, 3, 3)
SINKS = ("parity_bf16", "ema_fp32", "static", "as_released", "ema_fp32")


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@torch.inference_mode()
def test_slots_hold_and_answer_what_the_rolling_cache_does_bit_for_bit(dtype):
    config = dataclasses.replace(TINY, sink_frames=3, window_frames=12)
    caches = [kind(config, LATENT_HEIGHT, LATENT_WIDTH, dtype=dtype) for kind in KINDS.values()]
    generator = torch.Generator().manual_seed(3)
    for mode in SINKS:
        for number, frames in enumerate(CHUNKS):
            shape = (1, frames * TOKENS, config.num_heads, config.head_dim)
            window = 9 if number % 5 == 4 else None
            for cache in caches:
                cache.begin_chunk(frames, mode, 0.9, window)
            for layer in range(config.num_layers):
                q, k, v = (torch.randn(shape, generator=generator).to(dtype) for _ in range(3))
                answers = [cache.attend(layer, q, k, v) for cache in caches]
                assert torch.equal(*answers)
            assert caches[0].filled_frames == caches[1].filled_frames
        used = caches[0].filled_frames * TOKENS
        for first, second in zip(
            (*caches[0].keys, *caches[0].values), (*caches[1].keys, *caches[1].values), strict=True
        ):
            assert torch.equal(first[:, :used], second[:, :used])
        for cache in caches:
            cache.restart_from_last()
