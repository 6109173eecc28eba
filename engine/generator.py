"""The generator: prompts, seeds and cuts in, chunks of frames out. The engine's signal path reads top to bottom here.

Knows nothing of processes, sliders, beats or files being written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor

from engine.acceleration import EXACT, Acceleration
from engine.caches.prompt_cache import PromptCache
from engine.chunk import Chunk
from engine.chunk_start import ChunkStarts
from engine.cuda_graphs.decoding import decode_beside
from engine.cuda_graphs.recorder import recorder_for
from engine.cuda_graphs.stream_passes import StreamPasses, UnfinishedChunk
from engine.kernels.folded_schedule import FoldedSchedule
from engine.latent_anchor import LatentAnchor
from engine.live.chunk_watch import ChunkGivenUp, ChunkWatch
from engine.live.handing_over import HandingOver
from engine.live.step_pace import StepPace
from engine.loading import device_name
from engine.lora.mixer import LoraMixer, lora_folders
from engine.lora.slots import wanted_loras
from engine.memory import check_room
from engine.model.block import TextKeysValues
from engine.model.transformer import CausalWanTransformer
from engine.noise import ChunkNoise
from engine.params import ChunkParams
from engine.plans.needs import KEPT_BLENDS
from engine.reward_forcing.noise_order import PublishedNoise
from engine.sampler import StepChanges, denoise_chunk
from engine.stream_state import StreamState
from engine.text.prompts import PromptBook, TextEncoder
from engine.vace.guidance import VaceGuidance
from engine.vace.references import ReferenceBook
from engine.vae.frame_encoding import encode_frames
from engine.vae.latents import LATENT_STRIDE, StreamingAutoencoder, frame_count
from engine.video_in.given import ChunkInputs, VideoInput
from engine.video_in.v2v import VideoToVideo


class Generator:
    """Weights and the stream they play. One thread owns it; only `prompts` may be used from others."""

    def __init__(
        self,
        model: CausalWanTransformer,
        decoder: StreamingAutoencoder,
        text_encoder: TextEncoder,
        *,
        name: str,
        size: tuple[int, int],
        rate_fps: float,
        timesteps: tuple[float, ...],
        acceleration: Acceleration = EXACT,
    ) -> None:
        """`size` is (width, height) in pixels, divisible by 16; `timesteps` are warped, 0..1000, falling.

        `acceleration` says how the model is computed.
        """
        self.model_name = name
        self.chunk_frames = model.config.chunk_frames
        self.flavour = ""  # of the transformer's file: which of its weights are played
        # why nothing can guide the stream, for whoever switches VACE on; empty when it can
        self.vace_note = "" if model.config.vace_layers else f"model {name!r} has no VACE weights"
        self.width, self.height = size
        self.rate_fps = rate_fps
        weight = model.patch_embedding.weight
        self._device, self._dtype = weight.device, weight.dtype
        self.device_name = device_name(self._device)
        self.acceleration = acceleration
        self._model = model
        self._recorder = recorder_for(self._device, is_wanted=acceleration.graphs)
        self._decoder = decoder
        decoding = decode_beside(decoder, self._device, acceleration)
        self.handing_over = HandingOver(decoding, rate_fps, shows_parts=self._device.type == "cpu")
        self._schedule = FoldedSchedule(model.config.timestep_shift, model)
        latent_height, latent_width = self.height // LATENT_STRIDE, self.width // LATENT_STRIDE
        self._noise = ChunkNoise((model.config.in_dim, latent_height, latent_width), self._device, self._dtype)
        self._v2v = VideoToVideo(decoder, self._schedule, self._device, self._dtype)
        self._starts = ChunkStarts(self._noise, self._schedule, timesteps, self._v2v, most_steps=acceleration.steps)
        self.prompts = PromptBook(text_encoder)
        self.references = ReferenceBook()
        self._latent_size, self._anchor_gain = (latent_height, latent_width), 0.0
        self._vace = VaceGuidance(
            model.config,
            decoder,
            self.references,
            latent_size=self._latent_size,
            device=self._device,
            dtype=self._dtype,
        )
        self._kept_blends = KEPT_BLENDS
        self._streams = 0  # begun so far, on both decks
        self._state = self._new_state()
        self._mixed = wanted_loras(ChunkParams())  # LoRAs the last chunk was made with
        self._deck: StreamState | None = None  # of the free deck, while it is in use
        self.loras = LoraMixer(model, lora_folders())

    @property
    def prompts_on_screen(self) -> tuple[str, ...]:
        """Text each pad really plays."""
        return self._state.prompts.on_screen

    @property
    def prompts_waiting(self) -> tuple[int, ...]:
        """Pads (1..) whose wanted text is not encoded yet."""
        return self._state.prompts.waiting

    @property
    def input_notice(self) -> str:
        """Why the newest chunk does not follow inputs or references as it is asked to; empty when it does."""
        guided = self._vace.notice and (self.vace_note or self._vace.notice)
        return "; ".join(filter(None, (self._v2v.notice, guided)))

    def keep_blends(self, count: int) -> None:
        """Of how many blends of prompts keys and values are kept, beside the one in use; before the first chunk."""
        self._kept_blends = self._state.prompts.most_kept = count

    def hard_cut(self) -> None:
        """Begin a new stream with the next chunk: caches and decoder memory emptied."""
        self._state.cut = "hard"

    def begin_anew(self) -> None:
        """Begin as if nothing had been played: a new stream whose first chunk waits for its prompts."""
        self.hard_cut()
        self._state.prompts.begin_anew()

    def soft_cut(self) -> None:
        """With the next chunk forget everything but the last group of frames, which becomes the sink."""
        self._state.cut = self._state.cut or "soft"

    @torch.inference_mode()
    def generate_chunk(
        self,
        params: ChunkParams,
        params_version: int = 0,
        newest: Callable[[], ChunkParams] | None = None,
        watch: ChunkWatch | None = None,
    ) -> Chunk:
        """Make the next chunk. Raises NotFiniteError on NaN or infinity; the stream then needs a hard cut.

        With `params.mid_chunk` the prompts of `newest()` are taken up before every later step. With a `watch` frames
        are shown to it as they are decoded, and the last part is returned; raises ChunkGivenUp when it wants that.
        """
        if self._state.cut or not self._can_fold(params):
            self._finish_chunk()
        self._apply_cut()
        mark = self._state.mark()
        frames = self._state.next_chunk_frames(params.chunk_frames, self.chunk_frames)
        self._mix_loras(params)
        inputs = self._next_inputs(frames)
        try:
            x0, text, steps = self._denoise(params, inputs, frames, newest, watch)
        except ChunkGivenUp:
            self._state.go_back(mark)
            raise
        if inputs.has_any:
            self._state.anchor.forget()  # the colours are the input's
        else:
            x0 = self._state.anchor.hold(x0, text)
        show = watch.show if watch is not None else None
        if self.acceleration.clean_pass or not steps:
            self._state.unfinished = UnfinishedChunk(x0, text)
        send = (params_version, inputs.arrived_ns, show, self.remember_chunk)
        *_, last = self.handing_over.hand_over(x0, self._state, *send)
        return last

    @torch.inference_mode()
    def begin_with_frames(self, frames: np.ndarray, params: ChunkParams) -> list[Chunk]:
        """Begin a new stream that remembers frames (T, H, W, 4) uint8 as if it had made them; the next chunk goes on.

        Returns them as the model sees them. T is 1 + 4k; 9, 21, 33 .. are whole chunks. Raises ValueError when number
        or size does not fit.
        """
        if frames.shape[1:3] != (self.height, self.width):
            raise ValueError(
                f"frames of {frames.shape[2]}x{frames.shape[1]} are given, {self.width}x{self.height} played"
            )
        latents = encode_frames(self._decoder, frames, self.chunk_frames, self._device, self._dtype)
        return self.begin_with_latents(latents, params)

    @torch.inference_mode()
    def begin_with_latents(self, latents: Tensor, params: ChunkParams) -> list[Chunk]:
        """Begin a new stream that remembers latents (1, F, C, h, w) as if it had made them; returns them as chunks.

        They go through the clean pass chunk by chunk; where F is no whole number of chunks the rest goes one by one.
        """
        self.hard_cut()
        self._finish_chunk()
        self._apply_cut()
        self._mix_loras(params)
        state, size = self._state, self._model.config.chunk_frames
        whole, rest = divmod(latents.shape[1], size)
        text = self._state.prompts.select(params)
        chunks = []
        for x0 in latents.to(self._device, self._dtype).split([size] * whole + [1] * rest, dim=1):
            state.chunk_frames = x0.shape[1]
            state.cache.begin_chunk(state.chunk_frames, params.sink_mode, params.sink_decay, params.window_frames)
            self._state.anchor.hold(x0, text)  # learns the colours; what was given stays as it is
            chunks += self.handing_over.hand_over(x0, state)
            state.unfinished = UnfinishedChunk(x0, text)
            self._finish_chunk()
        return chunks

    def _denoise(
        self,
        params: ChunkParams,
        inputs: ChunkInputs,
        frames: int,
        newest: Callable[[], ChunkParams] | None,
        watch: ChunkWatch | None = None,
    ) -> tuple[Tensor, list[TextKeysValues], int]:
        """Latents of the next chunk, the prompt its last step was made under, and how many steps there were."""
        text = self._state.prompts.select(params)
        start = self._starts.next(params, inputs, self._state, frames)
        guides = self._vace.begin_chunk(params, inputs, self._state.vace, frames, len(start.timesteps))
        x0, cache = start.latents, self._state.cache
        unfinished, self._state.unfinished = self._state.unfinished, None
        folds_at = start.timesteps[0] if guides is None and start.timesteps else None
        model = self._state.passes.begin_chunk(params, frames, text, unfinished, folds_at=folds_at)

        def newer_text() -> list[TextKeysValues]:
            nonlocal text
            text = self._state.prompts.select(newest())
            return text

        asks = newer_text if params.mid_chunk and newest is not None else None
        pace = StepPace(self._device)
        steps = (start.renoises, start.timesteps, self._schedule)
        for step in denoise_chunk(model, cache, text, start.latents, *steps, StepChanges(asks, guides)):
            x0 = step.x0
            if asks is not None or watch is not None:
                pace.wait()
            if watch is not None and watch.is_given_up():
                raise ChunkGivenUp
        return x0, text, len(start.timesteps)

    @torch.inference_mode()
    def remember_chunk(self) -> None:
        """Make the last chunk's clean pass, which nobody waits for; `generate_chunk` does it if the owner has not."""
        if not self.acceleration.fold:
            self._finish_chunk()

    def _finish_chunk(self) -> None:
        unfinished, self._state.unfinished = self._state.unfinished, None
        if self._state.cut != "hard":
            self._state.passes.finish(unfinished)

    def _can_fold(self, params: ChunkParams) -> bool:
        """Whether the clean pass that has not run may go with the next chunk's first step: under the same weights."""
        return self.acceleration.fold and wanted_loras(params) == self._mixed

    def hold_colours(self, gain: float) -> None:
        """Pull every stream towards its first colours by this share (0..1) per chunk; 0, off, is what is published."""
        self._anchor_gain = gain
        self._state.anchor = LatentAnchor(gain)

    def take_noise_from(self, noise: PublishedNoise) -> None:
        """Make every later chunk from this noise, whatever its seed: for comparing clips offline."""
        self._noise.follow(noise, self._model.config.chunk_frames)

    def connect_inputs(self, inputs: Mapping[int, VideoInput]) -> None:
        """Let every later chunk take frames from these inputs, by number (1..), where its parameters ask for them."""
        self._state.inputs = inputs

    def begin_deck(self) -> None:
        """Make room for a second stream beside the one that plays. Raises RuntimeError or MemoryError without."""
        check_room(self._state.cache_bytes)
        self._deck = self._new_state()
        self._deck.inputs = {number: source.beside() for number, source in self._state.inputs.items()}

    def generate_deck_chunk(self, params: ChunkParams) -> Chunk:
        """Make the next chunk of the second stream, clean pass included. Raises as `generate_chunk` does."""
        self._deck.lora_files = params.lora_files
        playing, self._state = self._state, self._deck
        try:
            chunk = self.generate_chunk(params)
            self.remember_chunk()
        finally:
            self._state = playing
        return chunk

    def take_deck(self) -> None:
        """Go on with the second stream at the next chunk; the one that played is dropped with its cache."""
        self._state, self._deck = self._deck, None

    def drop_deck(self) -> None:
        """Forget the second stream."""
        self._deck = None

    def close(self) -> None:
        """End the threads that make noise and encode prompts."""
        self._noise.close()
        self._vace.close()
        self.references.close()
        self.loras.close()
        self.prompts.close()

    def load_loras(self, params: ChunkParams) -> None:
        """Read the LoRAs of these parameters to the end and mix them: for rendering offline. Raises CheckpointError."""
        self._mix_loras(params, wait=True)

    def load_guides(self, params: ChunkParams) -> None:
        """Read references and controls of these parameters to the end: for rendering offline.

        Raises ValueError, also where these parameters ask for VACE and there is none.
        """
        if params.vace_on and self.vace_note:
            raise ValueError(self.vace_note)
        self._vace.load(params)

    def _mix_loras(self, params: ChunkParams, *, wait: bool = False) -> None:
        decks = [self._state, *([self._deck] if self._deck else [])]
        self._mixed = wanted_loras(params)
        kept = {*params.lora_files, *(file for deck in decks for file in deck.lora_files)}
        if self.loras.apply(wanted_loras(params), kept=tuple(kept), wait=wait):
            self._schedule.forget()
            for state in decks:
                state.prompts.forget()  # its keys and values were made with the weights before
                state.passes.follow_weights()

    def _new_state(self) -> StreamState:
        self._streams += 1
        return StreamState(
            StreamPasses(self._model, self._latent_size, self._schedule, self._recorder, self.acceleration),
            PromptCache(self._model, self.prompts, self._device, self._dtype, kept=self._kept_blends),
            LatentAnchor(self._anchor_gain),
            self._streams,
        )

    def _apply_cut(self) -> None:
        cut, self._state.cut = self._state.cut, None
        if cut == "hard":
            self._streams += 1
            self._state.hard_cut(self._streams)
            self._state.anchor.forget()
        elif cut == "soft":
            self._state.cache.restart_from_last()

    def _next_inputs(self, latent_frames: int) -> ChunkInputs:
        is_start = self._state.latent_frames == 0
        return ChunkInputs(self._state.inputs, frame_count(latent_frames, is_start), is_start=is_start)
