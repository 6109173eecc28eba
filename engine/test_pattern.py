"""A moving colour picture behind the same interface as the generator, without torch or weights.

The instrument and its tests run on it: colour follows the prompt texts and weights, shape follows the seed.
Knows nothing of processes, rings or windows.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from engine.chunk import Chunk
from engine.frame_stamp import stamp_frame
from engine.live.chunk_watch import ChunkGivenUp
from engine.model_presets import TEST_PATTERN_NAME
from engine.params import PROMPT_PADS, ChunkParams
from engine.pattern_faults import PatternFaults
from engine.pattern_name import PatternFault
from engine.text_slots import EmptyBook

if TYPE_CHECKING:
    from engine.live.chunk_watch import ChunkWatch
    from engine.reward_forcing.noise_order import PublishedNoise
    from engine.video_in.given import VideoInput

TEST_PATTERN_SIZE = (256, 144)  # width, height
TEST_PATTERN_RATE_FPS = 16.0
LAMP_SHARE = 16  # of the picture's width
STEP_S = 0.05  # of the time a slow pattern takes
FRAMES_PER_LATENT = 4  # as the Wan VAE; the first latent frame of a stream is one frame


class PatternPrompts:
    """Stands in for the prompt book: every text is encoded at once."""

    def encode_now(self, text: str) -> None:
        """Nothing to wait for."""

    def request_ahead(self, texts: Iterable[str]) -> None:
        """Do nothing."""

    def request(self, text: str) -> None:
        """Nothing to begin."""

    def is_ready(self, text: str) -> bool:
        """Every text may be played."""
        return True

    def failure(self, text: str) -> str:
        """Empty: no text fails."""
        return ""

    def close(self) -> None:
        """Nothing to end."""


class TestPattern:
    """Same interface as `engine.generator.Generator`. One thread owns it."""

    __test__ = False  # the name is no pytest class

    model_name = TEST_PATTERN_NAME
    flavour = ""
    chunk_frames = 3
    device_name = "none"

    def __init__(
        self,
        width: int,
        height: int,
        rate_fps: float = TEST_PATTERN_RATE_FPS,
        made_fps: float | None = None,
        *,
        is_stamped: bool = False,
        faults: tuple[PatternFault, ...] = (),
    ) -> None:
        """`made_fps` makes it as slow as a model: so many frames a second; None = as fast as they are drawn.

        Then a lamp in the upper left corner also goes on and off with each hard cut, unless `is_stamped`: that writes
        how many frames were made before into the corners of each.
        """
        self._made_fps = made_fps
        self._is_stamped = is_stamped
        self._faults = PatternFaults(faults)
        self._frames_made = 0
        self.width = width
        self.height = height
        self.rate_fps = rate_fps
        self.prompts = PatternPrompts()
        self.loras = EmptyBook()  # a pattern has no weights to change
        self.references = EmptyBook()
        self.input_notice = ""
        self._stream_id = self._newest_stream_id = 1
        self._next_frame = 0
        self._deck: tuple[int, int] | None = None  # stream id and next frame of the free deck
        self._generation_id = 0
        self._hard_cut_wanted = False
        self._texts = ("",) * PROMPT_PADS

    def begin_with_frames(self, frames: np.ndarray, params: ChunkParams) -> list[Chunk]:
        """Raise ValueError: a drawing remembers nothing."""
        raise ValueError(
            "the test pattern remembers nothing and cannot go on from given frames; choose another --model"
        )

    def take_noise_from(self, noise: PublishedNoise) -> None:
        """Raise ValueError: a drawing is made of no noise."""
        raise ValueError("the test pattern is made of no noise; choose another --model")

    def connect_inputs(self, inputs: Mapping[int, VideoInput]) -> None:
        """Do nothing: a drawing follows no other picture."""

    def generate_chunk(
        self,
        params: ChunkParams,
        params_version: int = 0,
        newest: Callable[[], ChunkParams] | None = None,
        watch: ChunkWatch | None = None,
    ) -> Chunk:
        """Draw the next 9 or 12 frames (chunk 3), or 1 or 4 (chunk 1)."""
        if self._hard_cut_wanted:
            self._hard_cut_wanted = False
            self._newest_stream_id += 1
            self._stream_id, self._next_frame = self._newest_stream_id, 0
        self._faults.before(self.width * self.height)
        self._texts = params.prompt_texts
        is_asked = params.input_on or params.vace_on
        self.input_notice = "the test pattern follows no other picture: choose another model" if is_asked else ""
        began_s = time.monotonic()
        latent_frames = 1 if params.chunk_frames == 1 else 3
        count = FRAMES_PER_LATENT * latent_frames - (FRAMES_PER_LATENT - 1 if self._next_frame == 0 else 0)
        frames = self._draw(params, count)
        if self._made_fps is not None:
            _wait_until(began_s + count / self._made_fps, watch)
        chunk = Chunk(
            frames=frames,
            stream_id=self._stream_id,
            first_frame=self._next_frame,
            rate_fps=self.rate_fps,
            generation_id=self._generation_id,
            params_version=params_version,
            made_ns=time.monotonic_ns(),
        )
        self._next_frame += count
        self._frames_made += count
        self._generation_id += 1
        chunk = self._faults.after(chunk)
        if watch is not None:
            watch.show(chunk)
        return chunk

    def begin_deck(self) -> None:
        """Begin a second stream."""
        self._newest_stream_id += 1
        self._deck = (self._newest_stream_id, 0)

    def generate_deck_chunk(self, params: ChunkParams) -> Chunk:
        """Draw the next frames of the second stream."""
        playing, texts, is_cut_wanted = (self._stream_id, self._next_frame), self._texts, self._hard_cut_wanted
        (self._stream_id, self._next_frame), self._hard_cut_wanted = self._deck, False
        try:
            chunk = self.generate_chunk(params)
            self._deck = (self._stream_id, self._next_frame)
        finally:
            (self._stream_id, self._next_frame), self._texts, self._hard_cut_wanted = playing, texts, is_cut_wanted
        return chunk

    def take_deck(self) -> None:
        """Go on with the second stream."""
        (self._stream_id, self._next_frame), self._deck, self._hard_cut_wanted = self._deck, None, False

    def drop_deck(self) -> None:
        """Forget the second stream."""
        self._deck = None

    def remember_chunk(self) -> None:
        """Do nothing: the pattern looks back at nothing."""

    def load_loras(self, params: ChunkParams) -> None:
        """Do nothing: the pattern has no weights."""

    def load_guides(self, params: ChunkParams) -> None:
        """Do nothing: nothing guides a drawing."""

    def close(self) -> None:
        """Do nothing: the pattern has no threads."""

    def hard_cut(self) -> None:
        """Start a new stream at the next chunk."""
        self._hard_cut_wanted = True

    def soft_cut(self) -> None:
        """Change nothing: the pattern has no past."""

    @property
    def prompts_on_screen(self) -> tuple[str, ...]:
        """Text each pad really plays."""
        return self._texts

    @property
    def prompts_waiting(self) -> tuple[int, ...]:
        """No pad ever waits for its text."""
        return ()

    def _draw(self, params: ChunkParams, count: int) -> np.ndarray:
        """Three crossing waves in the blended colour; (T, H, W, 4) uint8 RGBA."""
        phases = np.random.default_rng(params.seed).uniform(0, 2 * np.pi, 3)
        t = ((self._next_frame + np.arange(count)) / self.rate_fps)[:, None, None]
        x = np.linspace(0, 2 * np.pi, self.width, dtype=np.float32)[None, None, :]
        y = np.linspace(0, 2 * np.pi, self.height, dtype=np.float32)[None, :, None]
        waves = np.sin(2 * x + 2 * t + phases[0]) + np.sin(y - 3 * t + phases[1]) + np.sin(x + y + t + phases[2])
        brightness = 0.55 + waves / 3 * 0.45  # 0.1..1
        frames = np.empty((count, self.height, self.width, 4), np.uint8)
        frames[..., :3] = brightness[..., None] * 255 * self._colour(params.heard_weights)
        if self._is_stamped:
            for k in range(count):
                stamp_frame(frames[k], self._frames_made + k)
        elif self._made_fps is not None:
            lamp = max(1, self.width // LAMP_SHARE)
            frames[:, :lamp, :lamp, :3] = 255 * (self._stream_id % 2)
        frames[..., 3] = 255
        return frames

    def _colour(self, weights: tuple[float, ...]) -> np.ndarray:
        """Mean of the pads' colours by weight, (3,) in 0..1; grey when no pad counts."""
        total = sum(weights)
        if total <= 0:
            return np.full(3, 0.5)
        colours = np.array([colour_of(text) for text in self._texts])
        return np.asarray(weights) @ colours / total


def _wait_until(time_s: float, watch: ChunkWatch | None) -> None:
    """Be as slow as a model, which is asked after every step whether it is to go on."""
    while (left_s := time_s - time.monotonic()) > 0.0:
        if watch is not None and watch.is_given_up():
            raise ChunkGivenUp
        time.sleep(min(left_s, STEP_S))


def colour_of(text: str) -> tuple[float, float, float]:
    """RGB in 0..1 that belongs to a prompt text, the same on every machine."""
    hashed = zlib.crc32(text.encode())
    red, green, blue = (0.15 + 0.85 * ((hashed >> shift) & 0xFF) / 255 for shift in (0, 8, 16))
    return red, green, blue
