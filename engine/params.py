"""What may change between two chunks, declared once: address, range, unit, clock and help of every engine parameter.

Imports no torch, so that the instrument, its mappings and its documentation derive from the same table.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.model.step_lists import OWN_STEPS, STEP_LISTS
from engine.parameter import Parameter, Value, knob, parameters_of, values_from, values_of
from engine.video_in.params import VideoInParams

PROMPT_PADS = 16
LORA_SLOTS = 8
LORA_SUFFIXES = (".safetensors", ".pt", ".pth", ".bin")  # looked for in this order where a name has none
SEED_MAX = 2**31 - 1
SINK_MODES = ("parity_bf16", "ema_fp32", "static", "as_released")
BLEND_MODES = ("linear", "spherical")
PREEMPTIONS = ("off", "cuts", "cues")


@dataclass(frozen=True)
class ChunkParams(VideoInParams):
    """Everything a performer can change between two chunks. Built from a snapshot of the store."""

    prompt_texts: tuple[str, ...] = knob(
        Parameter(
            "/vj/prompt/{n}/text",
            "text",
            "violet smoke drifting slowly",
            "Text of prompt pad {n}. Encoded beside the stream; the old text plays until the new one is ready.",
        ),
        PROMPT_PADS,
    )
    prompt_weights: tuple[float, ...] = knob(
        Parameter("/vj/prompt/{n}/weight", "float", 1.0, "Share of prompt pad {n} in the blend.", 0.0, 1.0),
        PROMPT_PADS,
    )
    prompt_solos: tuple[bool, ...] = knob(
        Parameter(
            "/vj/prompt/{n}/solo",
            "switch",
            False,
            "While any pad is soloed only the soloed ones are heard; pad {n} keeps its weight for afterwards.",
        ),
        PROMPT_PADS,
    )
    blend_mode: str = knob(
        Parameter(
            "/vj/prompt/blend",
            "choice",
            "linear",
            "How prompt pads mix: along the straight line with the length restored, or along the sphere.",
            choices=BLEND_MODES,
        )
    )
    mid_chunk: bool = knob(
        Parameter(
            "/vj/prompt/mid_chunk",
            "switch",
            False,
            "Take up prompts and their weights at the next denoising step of the chunk under way, not at the next "
            "chunk. The model then remembers the chunk under the newest ones.",
        )
    )
    seed: int = knob(
        Parameter(
            "/vj/seed/value",
            "int",
            0,
            "Seed of the noise. The same seed after a hard cut repeats the stream.",
            0,
            SEED_MAX,
        )
    )
    second_seed: int = knob(Parameter("/vj/seed/second", "int", 1, "Seed the noise is morphed towards.", 0, SEED_MAX))
    seed_morph: float = knob(
        Parameter(
            "/vj/seed/morph",
            "float",
            0.0,
            "Way from the first seed to the second, at equal strength of the noise all along.",
            0.0,
            1.0,
        )
    )
    chunk_frames: int = knob(
        Parameter(
            "/vj/model/chunk",
            "int",
            3,
            "Latent frames made together: 1 answers sooner, 3 is the published size. 2 is read as 3.",
            1,
            3,
            "latent frames",
        )
    )
    preempt: str = knob(
        Parameter(
            "/vj/model/preempt",
            "choice",
            "cues",
            "What gives up a chunk that is being made and begins it anew, so that it is seen sooner: nothing, a hard "
            "cut, or also a soft cut and a prompt or seed that jumps. Only while the picture plays on until then.",
            choices=PREEMPTIONS,
        )
    )
    window_frames: int = knob(
        Parameter(
            "/vj/model/window",
            "int",
            9,
            "How far the model looks back, sink and current chunk included. Shorter forgets sooner and is faster.",
            6,
            9,
            "latent frames",
        )
    )
    denoising_steps: int = knob(
        Parameter(
            "/vj/model/steps",
            "int",
            4,
            "Denoising steps of a chunk, taken from the list. Fewer answer sooner and are softer.",
            1,
            4,
            "steps",
        )
    )
    step_list: str = knob(
        Parameter(
            "/vj/model/step_list",
            "choice",
            OWN_STEPS,
            "Which denoising steps there are to take: the model's own, or these of the published schedule, warped by "
            "the model's shift. Changes without a cut.",
            choices=STEP_LISTS,
        )
    )
    sink_mode: str = knob(
        Parameter(
            "/vj/sink/mode",
            "choice",
            "parity_bf16",
            "What happens to the sink when frames leave the window: the published rounding, an exact average, nothing, "
            "or the average of the newest frames as first released.",
            choices=SINK_MODES,
        )
    )
    sink_decay: float = knob(
        Parameter(
            "/vj/sink/decay",
            "float",
            0.999,
            "Weight the sink keeps each time a group of frames leaves the window.",
            0.0,
            1.0,
        )
    )
    lora_files: tuple[str, ...] = knob(
        Parameter("/vj/lora/{n}/file", "text", "", "LoRA file in slot {n}; empty = none."), LORA_SLOTS
    )
    lora_weights: tuple[float, ...] = knob(
        Parameter("/vj/lora/{n}/weight", "float", 1.0, "Strength of the LoRA in slot {n}.", -2.0, 2.0),
        LORA_SLOTS,
        rest=1.0,
    )
    lora_switches: tuple[bool, ...] = knob(
        Parameter("/vj/lora/{n}/on", "switch", False, "Whether the LoRA in slot {n} is heard."), LORA_SLOTS
    )

    def with_prompts(self, texts: Sequence[str], weights: Sequence[float] | None = None) -> ChunkParams:
        """Same parameters with these texts on the first pads, and nothing on the others; no weights = pad 1 alone."""
        shares = (1.0,) if weights is None else tuple(weights)
        return dataclasses.replace(
            self,
            prompt_texts=(*texts, *[""] * (PROMPT_PADS - len(texts))),
            prompt_weights=(*shares, *[0.0] * (PROMPT_PADS - len(shares))),
        )

    def with_values(self, values: Mapping[str, Value]) -> ChunkParams:
        """Same parameters but for these addresses."""
        return ChunkParams.from_values({**values_of(self), **values})

    @property
    def heard_weights(self) -> tuple[float, ...]:
        """Weight of every prompt pad as the blend takes it: solos applied."""
        if not any(self.prompt_solos):
            return self.prompt_weights
        pads = zip(self.prompt_weights, self.prompt_solos, strict=True)
        return tuple(weight if is_solo else 0.0 for weight, is_solo in pads)

    @classmethod
    def from_values(cls, values: Mapping[str, Value]) -> ChunkParams:
        """Build from addresses in native units, as `ParameterStore.snapshot()` holds them."""
        return cls(**values_from(cls, values))


# Commands: never dropped, never merged, acknowledged by id.
COMMANDS: tuple[Parameter, ...] = (
    Parameter("/vj/cut/hard", "trigger", False, "Start a new stream: caches and decoder memory emptied."),
    Parameter("/vj/cut/soft", "trigger", False, "Keep the picture, forget the past: the last chunk becomes the sink."),
)

ENGINE_PARAMETERS: tuple[Parameter, ...] = parameters_of(ChunkParams)
