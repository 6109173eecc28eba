"""The generator: prompts, seeds and cuts in, chunks of frames out. The engine's signal path reads top to bottom here.

Knows nothing of processes, sliders, beats or files being written.
"""

from __future__ import annotations

import time

import numpy as np
import torch
from torch import Tensor

from engine.caches.prompt_cache import PromptCache
from engine.caches.rolling_cache import RollingCache
from engine.chunk import Chunk
from engine.frame_size import check_size
from engine.latent_anchor import LatentAnchor
from engine.loading import choose_device, choose_dtype, load_decoder, load_text_encoder, load_transformer
from engine.lora.mixer import LoraMixer, lora_folders
from engine.lora.slots import wanted_loras
from engine.model.transformer import CausalWanTransformer
from engine.model_presets import ModelPreset
from engine.noise import NoiseSource, morph_noise
from engine.params import ChunkParams
from engine.sampler import clean_pass, denoise_chunk
from engine.schedule import Schedule
from engine.stream_state import StreamState, UnfinishedChunk
from engine.text.prompts import PromptBook, TextEncoder
from engine.vae.latents import LATENT_STRIDE, StreamingDecoder

OPAQUE = 255


class NotFiniteError(ArithmeticError):
    """The model made NaN or infinite values; the chunk must not be shown."""


class Generator:
    """Weights and the stream they play. One thread owns it; only `prompts` may be used from others."""

    def __init__(
        self,
        model: CausalWanTransformer,
        decoder: StreamingDecoder,
        text_encoder: TextEncoder,
        *,
        name: str,
        size: tuple[int, int],
        rate_fps: float,
        timesteps: tuple[float, ...],
        anchor: float = 0.0,
    ) -> None:
        """`size` is (width, height) in pixels, divisible by 16; `timesteps` are warped, 0..1000, falling.

        `anchor` is the gain of `LatentAnchor`; 0, off, is what is published.
        """
        self.model_name = name
        self.width, self.height = size
        self.rate_fps = rate_fps
        weight = model.patch_embedding.weight
        self._device, self._dtype = weight.device, weight.dtype
        self.device_name = _device_name(self._device)
        self._model = model
        self._decoder = decoder
        self._timesteps = timesteps
        self._schedule = Schedule(model.config.timestep_shift)
        latent_height, latent_width = self.height // LATENT_STRIDE, self.width // LATENT_STRIDE
        noise_shape = (model.config.in_dim, latent_height, latent_width)
        self._noise = NoiseSource(noise_shape)
        self._second_noise = NoiseSource(noise_shape)  # what the seed is morphed towards; idle until then
        self.prompts = PromptBook(text_encoder)
        self._prompt_cache = PromptCache(model, self.prompts, self._device, self._dtype)
        self._state = StreamState(
            RollingCache(model.config, latent_height, latent_width, device=self._device, dtype=self._dtype)
        )
        self._anchor = LatentAnchor(anchor)
        self.loras = LoraMixer(model, lora_folders())
        self._chunks_made = 0
        self._cut: str | None = None  # "hard" or "soft", waiting for the next chunk; a hard one wins

    @classmethod
    def load(
        cls,
        preset: ModelPreset,
        *,
        width: int | None = None,
        height: int | None = None,
        device: str = "auto",
        dtype: str = "auto",
        threads: int | None = None,
    ) -> Generator:
        """Load a preset's weights; sizes in pixels, None = the model's own; `threads` are for the CPU.

        Raises CheckpointError or ValueError with a sentence. `device` and `dtype` are names of `engine.loading`.
        """
        if threads is not None:
            torch.set_num_threads(threads)
        chosen = choose_device(device)
        number_type = choose_dtype(dtype, chosen)
        stream = preset.stream
        size = (width or stream.width, height or stream.height)
        check_size(*size)
        return cls(
            load_transformer(preset, chosen, number_type),
            load_decoder(preset.decoder, chosen, number_type),
            load_text_encoder(preset, chosen, number_type),
            name=preset.name,
            size=size,
            rate_fps=stream.rate_fps,
            timesteps=stream.warped_steps or Schedule(preset.transformer.timestep_shift).warp(stream.steps),
            anchor=stream.anchor,
        )

    @property
    def prompts_on_screen(self) -> tuple[str, ...]:
        """Text each pad really plays."""
        return self._prompt_cache.on_screen

    @property
    def prompts_waiting(self) -> tuple[int, ...]:
        """Pads (1..) whose wanted text is not encoded yet."""
        return self._prompt_cache.waiting

    def hard_cut(self) -> None:
        """Begin a new stream with the next chunk: caches and decoder memory emptied."""
        self._cut = "hard"

    def soft_cut(self) -> None:
        """With the next chunk forget everything but the last group of frames, which becomes the sink."""
        self._cut = self._cut or "soft"

    @torch.inference_mode()
    def generate_chunk(self, params: ChunkParams, params_version: int = 0) -> Chunk:
        """Make the next chunk. Raises NotFiniteError on NaN or infinity; the stream then needs a hard cut."""
        self.remember_chunk()
        self._apply_cut()
        state = self._state
        frames = self._chunk_size(params.chunk_frames)
        self._mix_loras(params)
        text = self._prompt_cache.select(params)
        first, *renoises = self._take_noise(params, frames)
        timesteps = self._schedule.choose(self._timesteps, params.denoising_steps)
        state.cache.begin_chunk(frames, params.sink_mode, params.sink_decay, params.window_frames)
        *_, last = denoise_chunk(self._model, state.cache, text, first, renoises, timesteps, self._schedule)
        x0 = self._anchor.hold(last.x0, text)
        pixels, decoder_state = self._decoder.decode(x0, state.decoder)
        rgba = _to_rgba(pixels[0], is_finite=torch.isfinite(x0).all() & torch.isfinite(pixels).all())
        chunk = Chunk(
            frames=rgba,
            stream_id=state.stream_id,
            first_frame=state.frames,
            rate_fps=self.rate_fps,
            generation_id=self._chunks_made,
            params_version=params_version,
            made_ns=time.monotonic_ns(),
        )
        state.decoder = decoder_state
        state.latent_frames += frames
        state.frames += len(rgba)
        state.unfinished = UnfinishedChunk(x0, text)
        self._chunks_made += 1
        return chunk

    @torch.inference_mode()
    def remember_chunk(self) -> None:
        """Run the clean pass of the chunk last made, if it has not run: the part of a chunk nobody waits for.

        `generate_chunk` does it when the owner has not. A hard cut in between makes it unnecessary.
        """
        unfinished, self._state.unfinished = self._state.unfinished, None
        if unfinished is not None and self._cut != "hard":
            clean_pass(self._model, self._state.cache, unfinished.text, unfinished.x0)

    def close(self) -> None:
        """End the threads that make noise and encode prompts."""
        self._noise.close()
        self._second_noise.close()
        self.loras.close()
        self.prompts.close()

    def load_loras(self, params: ChunkParams) -> None:
        """Read the LoRAs of these parameters to the end and mix them: for rendering offline. Raises CheckpointError."""
        self._mix_loras(params, wait=True)

    def _mix_loras(self, params: ChunkParams, *, wait: bool = False) -> None:
        if self.loras.apply(wanted_loras(params), kept=params.lora_files, wait=wait):
            self._prompt_cache.forget()  # its keys and values were made with the weights before

    def _apply_cut(self) -> None:
        cut, self._cut = self._cut, None
        if cut == "hard":
            self._state.hard_cut()
            self._anchor.forget()
        elif cut == "soft":
            self._state.cache.restart_from_last()

    def _take_noise(self, params: ChunkParams, frames: int) -> list[Tensor]:
        request = (self._state.latent_frames, frames, len(self._timesteps))
        noises = self._noise.take(params.seed, *request)
        if params.seed_morph > 0.0:
            towards = self._second_noise.take(params.second_seed, *request)
            pairs = zip(noises, towards, strict=True)
            noises = [morph_noise(first, second, params.seed_morph) for first, second in pairs]
        return [noise.to(self._device, self._dtype, non_blocking=True) for noise in noises]

    def _chunk_size(self, wanted: int) -> int:
        """Latent frames of the next chunk: 1 or the model's own size; a change waits for a group boundary."""
        state = self._state
        if state.cache.at_group_boundary or not state.chunk_frames:
            state.chunk_frames = 1 if wanted == 1 else self._model.config.chunk_frames
        return state.chunk_frames


def _to_rgba(pixels: Tensor, is_finite: Tensor) -> np.ndarray:
    """Frames (T, 3, H, W) in [-1, 1] -> (T, H, W, 4) uint8. The one place where a chunk waits for its device."""
    scaled = (pixels.float().clamp(-1.0, 1.0) * 127.5 + 127.5).round().to(torch.uint8)
    opaque = torch.full_like(scaled[:, :1], OPAQUE)
    rgba = torch.cat([scaled, opaque], dim=1).permute(0, 2, 3, 1).contiguous().cpu()
    if not is_finite.item():
        raise NotFiniteError("the model made values that are not numbers; the chunk is not shown")
    return rgba.numpy()


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
