"""Finished latents to frames that leave: decoded, checked, and shown part by part to whoever watches."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import Tensor

from engine.chunk import Chunk
from engine.stream_state import StreamState
from engine.vae.frame_encoding import to_rgba
from engine.vae.latents import StreamingDecoder, frame_count


class HandingOver:
    """For all streams of a generator. Used by its thread."""

    def __init__(self, decoder: StreamingDecoder, rate_fps: float, *, shows_parts: bool) -> None:
        """`shows_parts`: a chunk that is watched is decoded and shown latent frame by latent frame."""
        self.shows_parts = shows_parts
        self._decoder = decoder
        self._rate_fps = rate_fps
        self._chunks = 0  # handed over so far

    def hand_over(
        self,
        x0: Tensor,
        state: StreamState,
        params_version: int = 0,
        input_ns: tuple[int, ...] = (),
        show: Callable[[Chunk], None] | None = None,
    ) -> list[Chunk]:
        """Decode latents (1, F, C, h, w) and count them in `state`: one chunk, or the parts that were shown.

        Raises NotFiniteError; parts before the one that is not finite have been shown then.
        """
        count = frame_count(x0.shape[1], is_start=state.latent_frames == 0)
        is_finite = torch.isfinite(x0).all()
        parts: list[Chunk] = []
        done = 0
        for latents in x0.split(1 if show is not None and self.shows_parts else x0.shape[1], dim=1):
            pixels, state.decoder = self._decoder.decode(latents, state.decoder)
            rgba = to_rgba(pixels[0], is_finite=is_finite & torch.isfinite(pixels).all())
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
