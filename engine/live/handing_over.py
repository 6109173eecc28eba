"""Finished latents to frames that leave: decoded, checked, and shown part by part to whoever watches."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

from torch import Tensor

from engine.chunk import Chunk
from engine.stream_state import StreamState
from engine.vae.decode_stream import DecodeStream, OrderedFrames
from engine.vae.latents import frame_count


class HandingOver:
    """For all streams of a generator. Used by its thread."""

    def __init__(self, decoding: DecodeStream, rate_fps: float, *, shows_parts: bool) -> None:
        """`shows_parts`: a chunk that is watched is decoded and shown latent frame by latent frame."""
        self.shows_parts = shows_parts
        self._decoding = decoding
        self._rate_fps = rate_fps
        self._chunks = 0  # handed over so far

    def hand_over(
        self,
        x0: Tensor,
        state: StreamState,
        params_version: int = 0,
        input_ns: tuple[int, ...] = (),
        show: Callable[[Chunk], None] | None = None,
        meanwhile: Callable[[], None] | None = None,
    ) -> list[Chunk]:
        """Decode latents (1, F, C, h, w) and count them in `state`: one chunk, or the parts that were shown.

        Where decoding goes on beside, `meanwhile` is called as soon as it is ordered: what else the device is to do.
        Raises NotFiniteError; parts before the one that is not finite have been shown then.
        """
        count = frame_count(x0.shape[1], is_start=state.latent_frames == 0)
        parts: list[Chunk] = []
        done = 0
        orders: Iterable[OrderedFrames] = self._orders(x0, state, is_watched=show is not None)
        if self._decoding.is_beside:
            orders = list(orders)
            if meanwhile is not None:
                meanwhile()
        for order in orders:
            rgba = order.take()
            part = Chunk(
                frames=rgba,
                stream_id=state.stream_id,
                first_frame=state.frames + done,
                rate_fps=self._rate_fps,
                generation_id=self._chunks,
                params_version=params_version,
                made_ns=time.monotonic_ns(),
                input_ns=input_ns[done : done + len(rgba)],
                frames_left=count - done - len(rgba),
            )
            done += len(rgba)
            parts.append(part)
            if show is not None:
                show(part)
        state.latent_frames += x0.shape[1]
        state.frames += done
        self._chunks += 1
        return parts

    def _orders(self, x0: Tensor, state: StreamState, *, is_watched: bool) -> Iterator[OrderedFrames]:
        """Order one latent frame after the other for whoever watches, all at once otherwise.

        A GPU is kept busy by the first one alone and the others together.
        """
        frames = x0.shape[1]
        sizes = [frames]
        if is_watched and self.shows_parts and frames > 1:
            sizes = [1, frames - 1] if self._decoding.is_beside else [1] * frames
        for latents in x0.split(sizes, dim=1):
            order = self._decoding.order(latents, state.decoder)
            state.decoder = order.state
            yield order
