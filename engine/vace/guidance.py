"""What guides a chunk: its control frames, mask and references, as parameters ask, encoded to a guide per step.

Belongs to the generator's thread. Knows nothing of how guides are used, or of where inputs come from.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from engine.model.attention import FullAttention
from engine.model.config import ModelConfig
from engine.model.vace import Guide, streaming_attention
from engine.params import ChunkParams
from engine.vace.context import context_channels, join
from engine.vace.controls.book import ControlBook
from engine.vace.encoding import MaskedEncoder
from engine.vace.frames import ControlFrames, guiding_frames
from engine.vace.held_references import HeldReferences
from engine.vace.mask import mask_of, pack, stream_places
from engine.vace.references import ReferenceBook
from engine.vace.state import VaceState
from engine.vace.strength import step_scales
from engine.vae.frame_encoding import to_pixels
from engine.vae.latents import LATENT_STRIDE, StreamingEncoder
from engine.video_in.given import ChunkInputs, GivenFrames

GuideOf = Callable[[int], Guide | None]


class VaceGuidance:
    """One for all streams of a generator: what each stream carries is handed in."""

    def __init__(
        self,
        config: ModelConfig,
        encoder: StreamingEncoder,
        references: ReferenceBook,
        *,
        latent_size: tuple[int, int],
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        """`latent_size` is (height, width); `dtype` that of the encoder and the transformer."""
        self.notice = ""  # why the newest chunk is not guided as it is asked for; empty when it is
        self._config = config
        self._controls = ControlBook(device)
        self._encoder = MaskedEncoder(encoder, latent_size, device, dtype)
        self._references = HeldReferences(references, self._encoder, latent_size, device)
        self._latent_size = latent_size
        self._device, self._dtype = device, dtype
        self._memories: dict[int, FullAttention] = {}  # by context frames

    def begin_chunk(
        self, params: ChunkParams, inputs: ChunkInputs, state: VaceState, latent_frames: int, steps: int
    ) -> GuideOf | None:
        """What guides each of the next chunk's `steps`, asked by the step's index; None = nothing, and at no cost.

        Raises ValueError for input frames of another number or size than the chunk's.
        """
        self.notice = ""
        if inputs.is_start:
            state.forget()
        if not params.vace_on or params.vace_scale == 0.0 or not self._can_guide():
            state.forget()
            return None
        control = self._control(params, inputs, state)
        references = self._references.latents(params)
        first, last = (self._references.picture(params, role) for role in ("first", "last"))
        is_held = bool(references) or first is not None or last is not None
        if control is None and not is_held:
            state.forget()
            missing = f"input {params.vace_input} gives no picture" if params.vace_input else "no input is chosen"
            self.notice = self.notice or f"nothing guides: {missing}, and there is no reference"
            return None
        # what is held keeps its strength while the control beside it is faded out: nothing jumps when that has gone
        scale = params.vace_scale * (control.strength if control is not None and not is_held else 1.0)
        faded = control.faded() if control is not None and is_held else control
        chunk = self._chunk_context(faded, (first, last), inputs, state, latent_frames)
        context = join(*chunk, references)
        return self._guides(context, len(references), step_scales(params, steps, scale))

    def load(self, params: ChunkParams) -> None:
        """Read everything these parameters ask for to the end: for rendering offline.

        Raises CheckpointError or PictureError with a sentence.
        """
        if params.vace_on and self._config.vace_layers:
            self._controls.maker(params.vace_control, wait=True)
            self._references.load(params)

    def close(self) -> None:
        """End the thread that loads controls."""
        self._controls.close()

    def _can_guide(self) -> bool:
        config, channels = self._config, context_channels(self._config.in_dim)
        if not config.vace_layers:
            self.notice = "this model has no VACE layers: neither control video nor references guide it"
        elif config.vace_in_dim != channels:
            self.notice = f"this model's VACE layers read {config.vace_in_dim} channels, a context has {channels}"
        return not self.notice

    def _control(self, params: ChunkParams, inputs: ChunkInputs, state: VaceState) -> ControlFrames | None:
        """The control input of a chunk and what its maker makes of it; None while there is nothing to guide with."""
        given = inputs.of(params.vace_input)
        maker = self._controls.maker(params.vace_control) if given is not None and given.strength > 0.0 else None
        if maker is None:
            self.notice = self._controls.notice(params.vace_control) if given is not None else ""
            state.control, state.carried = "", None
            return None
        pixels = self._checked(given, inputs.frames)
        made = maker(pixels, params.vace_detail, state.carried if state.control == params.vace_control else None)
        state.control, state.carried = params.vace_control, made.carried
        picture, control = (to_pixels(frames, self._device, self._dtype) for frames in (pixels, made.pixels))
        return ControlFrames(picture, control, self._mask(params, inputs), given.strength)

    def _mask(self, params: ChunkParams, inputs: ChunkInputs) -> np.ndarray:
        given = inputs.of(params.vace_mask_input)
        if given is None or given.strength == 0.0:
            return np.ones((inputs.frames, *(side * LATENT_STRIDE for side in self._latent_size)), bool)
        pixels = self._checked(given, inputs.frames)
        return mask_of(pixels, params.vace_mask_signal, is_inverted=params.vace_mask_invert)

    def _checked(self, given: GivenFrames, frames: int) -> np.ndarray:
        height, width = (side * LATENT_STRIDE for side in self._latent_size)
        if given.pixels.shape != (frames, height, width, 4):
            raise ValueError(
                f"an input gives frames of shape {given.pixels.shape}; {(frames, height, width, 4)} are needed"
            )
        return given.pixels

    def _chunk_context(
        self,
        control: ControlFrames | None,
        ends: tuple[Tensor | None, Tensor | None],
        inputs: ChunkInputs,
        state: VaceState,
        latent_frames: int,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Inactive and reactive latents of the chunk (1, F, C, h, w), and its packed mask (1, F, 64, h, w)."""
        is_start = inputs.is_start
        frames = guiding_frames(control, *ends, self._encoder.blank_frames(inputs.frames), is_start=is_start)
        inactive = self._encoder.encode(state.inactive, frames.inactive, latent_frames, is_start=is_start)
        reactive = self._encoder.encode(state.reactive, frames.reactive, latent_frames, is_start=is_start)
        mask = torch.from_numpy(frames.mask[stream_places(inputs.frames, is_start=is_start)]).to(self._device)
        return inactive, reactive, pack(mask)[None]

    def _guides(self, context: Tensor, references: int, scales: tuple[float, ...]) -> GuideOf:
        frames = context.shape[1]
        if frames not in self._memories:
            self._memories[frames] = streaming_attention(self._config, frames, self._latent_size, self._device)
        guide = Guide(context, self._memories[frames], reference_frames=references)

        def of_step(step: int) -> Guide | None:
            return dataclasses.replace(guide, scales=scales[step]) if scales[step] else None

        return of_step
