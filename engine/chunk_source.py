"""Whatever makes chunks: the generator or the test pattern, by the name of a model.

Imports neither torch nor numpy until a source is loaded, so that the command line opens without them.
Knows nothing of processes, rings or files being written.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from engine.frame_size import check_size
from engine.memory import is_out_of_memory
from engine.model_presets import ModelPreset, check_files, load_preset
from engine.pattern_name import HEAVY, is_test_pattern, read_pattern_name
from engine.plans.memory_plan import NOTHING_SAID, MemoryChoice

if TYPE_CHECKING:
    import numpy as np

    from engine.chunk import Chunk
    from engine.live.chunk_watch import ChunkWatch
    from engine.params import ChunkParams
    from engine.reward_forcing.noise_order import PublishedNoise
    from engine.text_slots import FileBook
    from engine.video_in.given import VideoInput

DEFAULT_MODEL = "ember"
DEVICES = ("auto", "cpu", "cuda")
DTYPES = ("auto", "float32", "bfloat16", "float16")


class Prompts(Protocol):
    """Texts on their way to becoming embeddings."""

    def encode_now(self, text: str) -> object:
        """Encode and wait."""
        ...

    def request(self, text: str) -> None:
        """Begin encoding; never waits."""
        ...

    def request_ahead(self, texts: Iterable[str]) -> None:
        """Encode these when nothing else is wanted; never waits. Replaces what was asked for ahead before."""
        ...

    def is_ready(self, text: str) -> bool:
        """Whether a chunk may play the text; never waits."""
        ...

    def failure(self, text: str) -> str:
        """Why a text could not be encoded; empty otherwise."""
        ...


class ChunkSource(Protocol):
    """What `engine.generator.Generator` and `TestPattern` have in common. One thread owns it."""

    model_name: str
    flavour: str  # which of its file's weights are played; empty where there are none
    device_name: str
    width: int
    height: int
    rate_fps: float
    chunk_frames: int  # latent frames of a chunk of the model's own size

    @property
    def prompts(self) -> Prompts:
        """The prompt book; any thread may use it."""
        ...

    @property
    def loras(self) -> FileBook:
        """What reads LoRA files beside the stream."""
        ...

    @property
    def references(self) -> FileBook:
        """What reads the pictures of reference pads beside the stream."""
        ...

    @property
    def prompts_on_screen(self) -> tuple[str, ...]:
        """Text each pad really plays."""
        ...

    @property
    def prompts_waiting(self) -> tuple[int, ...]:
        """Pads (1..) whose text is not encoded yet."""
        ...

    def connect_inputs(self, inputs: Mapping[int, VideoInput]) -> None:
        """Let every later chunk take frames from these inputs, by number (1..), where its parameters ask for them."""
        ...

    @property
    def input_notice(self) -> str:
        """Why the newest chunk does not follow inputs or references as it is asked to; empty when it does."""
        ...

    def generate_chunk(
        self,
        params: ChunkParams,
        params_version: int = 0,
        newest: Callable[[], ChunkParams] | None = None,
        watch: ChunkWatch | None = None,
    ) -> Chunk:
        """Make the next chunk. Raises ArithmeticError when the model made NaN or infinity.

        `newest` says what the chunk under way may still take up, if its parameters ask for that. A `watch` is shown
        the frames part by part, may have the chunk given up (ChunkGivenUp), and the last part is returned.
        """
        ...

    def begin_with_frames(self, frames: np.ndarray, params: ChunkParams) -> list[Chunk]:
        """Begin a stream that remembers frames (T, H, W, 4) uint8, T = 1 + 4k. Raises ValueError with a sentence."""
        ...

    def take_noise_from(self, noise: PublishedNoise) -> None:
        """Make every later chunk from this noise. Raises ValueError with a sentence."""
        ...

    def remember_chunk(self) -> None:
        """Do what the last chunk left to do; `generate_chunk` does it when nobody has."""
        ...

    def hard_cut(self) -> None:
        """Start a new stream at the next chunk."""
        ...

    def soft_cut(self) -> None:
        """Make the last chunk the sink at the next chunk."""
        ...

    def begin_deck(self) -> None:
        """Make room for a second stream beside the one that plays. Raises RuntimeError or MemoryError without."""
        ...

    def generate_deck_chunk(self, params: ChunkParams) -> Chunk:
        """Make the next chunk of the second stream, to the end; the one that plays is as it was."""
        ...

    def take_deck(self) -> None:
        """Go on with the second stream at the next chunk; the one that played is dropped."""
        ...

    def drop_deck(self) -> None:
        """Forget the second stream."""
        ...

    def load_loras(self, params: ChunkParams) -> None:
        """Read the LoRAs of these parameters to the end: for rendering offline. Raises SourceError's kin."""
        ...

    def load_guides(self, params: ChunkParams) -> None:
        """Read references and control makers of these parameters to the end, likewise. Raises ValueError."""
        ...

    def close(self) -> None:
        """End the threads it started."""
        ...


@dataclass(frozen=True)
class SourceChoice:
    """Which source, at which size, on which device."""

    model: str = DEFAULT_MODEL  # a name, FILE.toml or DIR
    size: tuple[int, int] | None = None  # (width, height) in pixels; None = the model's own
    device: str = "auto"  # one of DEVICES
    dtype: str = "auto"  # one of DTYPES
    threads: int | None = None  # CPU threads; None = all but one
    is_light: bool = False  # decode with the preset's light decoder, where it names one: it takes less memory
    is_reproducible: bool = False  # the same bits every time: float32 on a CPU, whatever is faster
    adjust: Callable[[ModelPreset], ModelPreset] | None = None  # what is asked for beside the preset; raises ValueError
    memory: MemoryChoice = NOTHING_SAID  # where its parts run, and what they may take
    accelerate: tuple[str, ...] = ()  # switches for speed, NAME=VALUE, in place of the preset's


class SourceError(Exception):
    """A model that could not be loaded; the text is the sentence for the user, `details` are lines for a log."""

    def __init__(self, sentence: str, details: str = "", *, is_memory: bool = False) -> None:
        """`is_memory` says that it would load where there is more memory."""
        self.details = details
        self.is_memory = is_memory
        super().__init__(sentence)


class ChoiceError(SourceError):
    """A choice nobody can load: an unknown model, a preset with faults, an impossible size."""


def load_source(choice: SourceChoice, tell: Callable[[str], None] | None = None) -> ChunkSource:
    """Load the model, which may take minutes; `tell` hears how far it is. Raises SourceError with a sentence."""
    if choice.size is not None:
        try:
            check_size(*choice.size)
        except ValueError as error:
            raise ChoiceError(str(error)) from None
    if is_test_pattern(choice.model):
        return _load_pattern(choice)
    return _load_generator(choice, tell)


def has_light_decoder(model: str) -> bool:
    """Whether a model can be decoded with less memory. False for a preset that cannot be read."""
    try:
        if is_test_pattern(model):
            return any(fault.kind == HEAVY for fault in read_pattern_name(model).faults)
        light = load_preset(model).light_decoder
    except ValueError:
        return False
    return light is not None and light.file.is_file()


def load_files(source: ChunkSource, params: ChunkParams) -> None:
    """Read LoRAs, references and controls of these parameters, waiting for them. Raises SourceError with a sentence."""
    if not (any(params.lora_files) or params.vace_on):
        return
    from engine.weight_files import CheckpointError

    try:
        if any(params.lora_files):
            source.load_loras(params)
        source.load_guides(params)
    except (CheckpointError, ValueError) as error:
        raise SourceError(str(error)) from error


def _load_pattern(choice: SourceChoice) -> ChunkSource:
    from engine.test_pattern import TEST_PATTERN_SIZE, TestPattern

    try:
        name = read_pattern_name(choice.model)
    except ValueError as error:
        raise ChoiceError(str(error)) from None
    size = choice.size or TEST_PATTERN_SIZE
    faults = tuple(fault for fault in name.faults if fault.kind != HEAVY or not choice.is_light)
    return TestPattern(*size, made_fps=name.made_fps, is_stamped=name.is_stamped, faults=faults)


def _load_generator(choice: SourceChoice, tell: Callable[[str], None] | None) -> ChunkSource:
    try:
        preset = load_preset(choice.model)  # before torch, which takes seconds: a misspelt name is told at once
        check_files(preset)
        preset = choice.adjust(preset) if choice.adjust else preset
        preset = dataclasses.replace(preset, acceleration=preset.acceleration.changed(choice.accelerate))
        if choice.is_light and preset.light_decoder is not None:
            preset = dataclasses.replace(preset, decoder=preset.light_decoder)
    except ValueError as error:  # a preset's faults, or a file that contradicts it
        raise ChoiceError(str(error)) from None
    try:
        from engine.generator_loading import load_generator, size_for_cpu
        from engine.loading import choose_device
        from engine.weight_files import CheckpointError
    except ModuleNotFoundError as error:
        raise SourceError(f"model {choice.model!r} needs {error.name}, which is not installed: run start.py") from None
    dtype, threads = choice.dtype, choice.threads or max(1, (os.cpu_count() or 2) - 1)
    try:
        size = choice.size
        if choose_device(choice.device).type == "cpu":
            if choice.is_reproducible and dtype == "auto":
                dtype = "float32"
            elif size is None and not choice.is_reproducible:
                size = size_for_cpu(preset, dtype, threads, tell)
        width, height = size or (None, None)
        return load_generator(
            preset,
            width=width,
            height=height,
            device=choice.device,
            dtype=dtype,
            threads=threads,
            memory=choice.memory,
            tell=tell,
        )
    except MemoryError:
        sentence = f"model {choice.model!r} does not fit into memory; choose a smaller --size"
        raise SourceError(sentence, is_memory=True) from None
    # RuntimeError is what torch raises for a device that is missing or full
    except (CheckpointError, ValueError, OSError, RuntimeError) as error:
        sentence, _, details = str(error).partition("\n")
        sentence = f"model {choice.model!r} cannot be loaded: {sentence.removesuffix(':')}"
        raise SourceError(sentence, details, is_memory=is_out_of_memory(error)) from error
