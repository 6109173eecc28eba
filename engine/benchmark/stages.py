"""Where a chunk's time goes, stage by stage, and how fast the transformer is alone.

Stages that run beside each other on a device's streams overlap: their times add up to more than the chunk's.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from types import ModuleType
from unittest.mock import patch

from torch import Tensor

from engine.benchmark.clocks import StageClock
from engine.benchmark.figures import spread
from engine.caches.slot_cache import SlotCache
from engine.cuda_graphs.graphed_decoder import GraphedDecoder
from engine.cuda_graphs.graphed_transformer import GraphedTransformer
from engine.generator import Generator
from engine.model.transformer import CausalWanTransformer
from engine.params import ChunkParams
from engine.vae import decode_stream
from engine.vae.latents import LATENT_STRIDE, frame_count
from engine.vae.tiny_vae import TinyVae, TinyVaeState
from engine.vae.wan_vae import WanVae

DENOISE = "denoise"
# of stages within each other only the outermost is timed: what is recorded calls what is written
STAGES: tuple[tuple[type | ModuleType, str, str], ...] = (
    (CausalWanTransformer, "encode_text", "prompt keys"),
    (GraphedTransformer, "__call__", DENOISE),
    (CausalWanTransformer, "forward", DENOISE),
    (GraphedTransformer, "remember", "clean pass"),
    (CausalWanTransformer, "remember", "clean pass"),
    (SlotCache, "begin_chunk", "roll"),
    (GraphedDecoder, "decode", "decode"),
    (TinyVae, "decode", "decode"),
    (WanVae, "decode", "decode"),
    (decode_stream, "rgba_of", "to 8 bits"),
    (decode_stream, "_to_host", "to the host"),
)


def stage_times(generator: Generator, params: ChunkParams, clock: StageClock, chunks: int) -> dict[str, object]:
    """Milliseconds of each stage in a chunk, over so many chunks."""
    taken: dict[str, list[float]] = {}
    with _timed(clock):
        for _ in range(chunks):
            generator.generate_chunk(params)
            generator.remember_chunk()
            step = 0
            for name, spent_ms in clock.take():
                step += name == DENOISE
                taken.setdefault(f"{DENOISE} {step}" if name == DENOISE else name, []).append(spent_ms)
    return {name: spread(times) for name, times in taken.items()}


@contextlib.contextmanager
def without_decoding() -> Iterator[None]:
    """Let decoders answer with a few grey pixels: what is left of a chunk is the transformer's time."""
    with contextlib.ExitStack() as stack:
        for decoder in (TinyVae, WanVae, GraphedDecoder):
            stack.enter_context(patch.object(decoder, "decode", _grey))
        yield


@contextlib.contextmanager
def _timed(clock: StageClock) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for owner, attribute, name in STAGES:
            original = vars(owner)[attribute]
            stack.enter_context(patch.object(owner, attribute, _timing(original, name, clock)))
        yield


def _timing(original: Callable[..., object], name: str, clock: StageClock) -> Callable[..., object]:
    def timed(*given: object, **named: object) -> object:
        return clock.time(name, functools.partial(original, *given, **named))

    return timed


def _grey(_: object, latents: Tensor, state: TinyVaeState | None = None) -> tuple[Tensor, TinyVaeState]:
    frames = frame_count(latents.shape[1], is_start=state is None)
    pixels = latents.new_zeros(latents.shape[0], frames, 3, LATENT_STRIDE, LATENT_STRIDE)
    return pixels, TinyVaeState((pixels[:, -1].clone(),))
