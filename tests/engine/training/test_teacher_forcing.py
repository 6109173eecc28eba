"""The packed pass sees exactly what the streaming cache sees."""

import pytest
import torch

from engine.caches.rolling_cache import RollingCache
from engine.model.config import ModelConfig
from engine.model.transformer import CausalWanTransformer
from engine.training.teacher_forcing import Layout, PackedAttention, add_noise, flow_to_x0, pack

TINY = ModelConfig(dim=48, ffn_dim=64, num_heads=2, num_layers=2, freq_dim=16, text_dim=8, text_len=4)
GRID = (4, 6)


@pytest.mark.parametrize("chunk_frames", [1, 3])
@torch.no_grad()
def test_a_packed_pass_equals_the_streaming_cache(chunk_frames: int) -> None:
    generator = torch.Generator().manual_seed(1)
    torch.manual_seed(1)
    model = CausalWanTransformer(TINY).eval()
    layout = Layout(TINY.window_frames, chunk_frames)
    x0 = torch.randn(1, layout.window_frames, 16, *GRID, generator=generator)
    noisy = torch.randn(x0.shape, generator=generator)
    timesteps = torch.rand(1, layout.chunks, generator=generator).repeat_interleave(chunk_frames, dim=1) * 1000
    keys = model.encode_text(torch.randn(1, 4, 8, generator=generator))

    frames, times = pack(x0[:, : layout.history_frames], noisy, timesteps)
    packed = model(frames, times, keys, PackedAttention(TINY, layout, *GRID))[:, layout.history_frames :]

    cache, streamed = RollingCache(TINY, *GRID), []
    for first in range(0, layout.window_frames, chunk_frames):
        own = slice(first, first + chunk_frames)
        cache.begin_chunk(chunk_frames)
        streamed.append(model(noisy[:, own], timesteps[:, own], keys, cache))
        model.remember(x0[:, own], torch.zeros(1, chunk_frames), keys, cache)
    torch.testing.assert_close(packed, torch.cat(streamed, dim=1), atol=1e-5, rtol=0)


def test_flow_leads_back_to_x0() -> None:
    generator = torch.Generator().manual_seed(2)
    x0, noise = (torch.randn(2, 9, 16, 2, 2, generator=generator) for _ in range(2))
    timesteps = torch.rand(2, 9, generator=generator) * 1000
    noisy = add_noise(x0, noise, timesteps)
    torch.testing.assert_close(flow_to_x0(noisy, noise - x0, timesteps), x0, atol=1e-5, rtol=0)
