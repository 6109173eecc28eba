"""What an offline render plays: parameters at moments of media time, in order.

Plain data, no torch: whoever reads looks and timelines makes the plan. Knows nothing of models or video files.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.parameter import Value
from engine.params import ChunkParams


@dataclass(frozen=True)
class Cue:
    """From `at_s` seconds of media time on, `params` hold. `hard_cut` starts a new stream there."""

    at_s: float
    params: ChunkParams
    hard_cut: bool = False
    soft_cut: bool = False

    def __post_init__(self) -> None:
        """Refuse a time that is no time."""
        if not math.isfinite(self.at_s) or self.at_s < 0:
            raise ValueError(f"a cue cannot lie at {self.at_s} s; cues start at 0 or later")


@dataclass(frozen=True)
class RenderPlan:
    """Cues in order of time, and what the file asked for besides.

    A cue lands on the first chunk whose first frame is at or after it; of several cues before one chunk the last one's
    parameters hold and every cut counts. The first cue holds from the beginning, whatever its time.
    """

    cues: tuple[Cue, ...]
    size_hint: tuple[int, int] | None = None  # (width, height) the file names; applied only when the model can
    seed: int | None = None  # the file's own seed, for the report; the cues carry it already
    length_s: float | None = None  # how long the file plays; None where it does not say
    notes: tuple[str, ...] = ()  # sentences for the user: what was read but not applied

    def __post_init__(self) -> None:
        """Refuse a plan that plays nothing or runs backwards."""
        if not self.cues:
            raise ValueError("a render needs at least one cue")
        times = [cue.at_s for cue in self.cues]
        if times != sorted(times):
            raise ValueError("the cues of a render must be in order of time")

    def with_seed(self, seed: int) -> RenderPlan:
        """Same plan, every cue played with `seed`."""
        cues = tuple(dataclasses.replace(cue, params=dataclasses.replace(cue.params, seed=seed)) for cue in self.cues)
        return dataclasses.replace(self, cues=cues, seed=seed)

    def with_loras(self, files: Sequence[str], weights: Sequence[float], switches: Sequence[bool]) -> RenderPlan:
        """Same plan, every cue played with these LoRA slots."""
        slots = {"lora_files": tuple(files), "lora_weights": tuple(weights), "lora_switches": tuple(switches)}
        cues = tuple(dataclasses.replace(cue, params=dataclasses.replace(cue.params, **slots)) for cue in self.cues)
        return dataclasses.replace(self, cues=cues)

    def with_values(self, values: Mapping[str, Value]) -> RenderPlan:
        """Same plan, every cue played with these values, by address, whatever it says itself."""
        cues = tuple(dataclasses.replace(cue, params=cue.params.with_values(values)) for cue in self.cues)
        return dataclasses.replace(self, cues=cues)

    @property
    def texts(self) -> tuple[str, ...]:
        """Every text a pad holds in the plan, empty ones too, each once: what to encode before the first chunk."""
        return tuple(dict.fromkeys(text for cue in self.cues for text in cue.params.prompt_texts))


def plan_for_prompt(text: str, seed: int) -> RenderPlan:
    """One prompt on pad 1 from beginning to end."""
    params = dataclasses.replace(ChunkParams().with_prompts((text,)), seed=seed)
    return RenderPlan((Cue(0.0, params),), seed=seed)
