"""What a prompt pad is doing, in one word: from armed over generating to on screen. Knows no widget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.messages import GeneratorStatus
from engine.parameter import Value
from engine.params import PROMPT_PADS
from vj.app import theme
from vj.app.surface import Surface
from vj.words.prompt_help import HelpView


@dataclass(frozen=True)
class PadState:
    """One word, its colour, and the sentence behind it."""

    word: str
    colour: str
    detail: str = ""


PROPOSED = PadState("proposed", theme.ACCENT, "a longer text: Enter or TAKE takes it, Esc drops it")
ASKING = PadState("asking", theme.ACCENT, "a longer text is on its way")


@dataclass(frozen=True)
class PadView:
    """What is known of one pad at a poll."""

    text: str
    heard_weight: float  # solos applied
    is_seen: bool  # the picture on screen was made after the pad's last change
    lands_in_beats: float | None = None  # of a command for this pad that waits for its beat


def describe_pad(pad: int, view: PadView, status: GeneratorStatus) -> PadState:
    """Say where pad `pad` (1..) is on its way to the audience."""
    if view.lands_in_beats is not None:
        return PadState(f"armed {max(0.0, view.lands_in_beats):.1f}", theme.WARNING, "waits for its beat")
    if not view.text:
        return PadState("empty", theme.FAINT)
    playing = status.prompts_on_screen[pad - 1] if len(status.prompts_on_screen) >= pad else ""
    is_waiting = pad in status.prompts_waiting
    if view.heard_weight <= 0.0:
        return PadState("encoding" if is_waiting else "ready", theme.FAINT)
    if status.state != "streaming":
        return PadState("waiting", theme.FAINT, "the engine makes no picture now")
    if is_waiting or playing != view.text or not view.is_seen:
        old = f"still “{playing}”" if playing and playing != view.text else ""
        return PadState("generating", theme.ACCENT, old)
    return PadState("on screen", theme.GOOD)


def with_help(states: Sequence[PadState], view: HelpView) -> tuple[PadState, ...]:
    """Say of the pads that wait for a longer text, or for a hand to take it, that they do."""
    waits = dict.fromkeys(view.asking, ASKING) | dict.fromkeys(view.proposals, PROPOSED)
    return tuple(waits.get(pad, state) for pad, state in enumerate(states, start=1))


class PadStates:
    """The states of all pads. Belongs to the GUI thread: it notes when a pad was changed last."""

    def __init__(self, surface: Surface) -> None:
        self._changed_at = [0] * PROMPT_PADS  # version of the store
        solos = [f"/vj/prompt/{pad}/solo" for pad in range(1, PROMPT_PADS + 1)]
        for pad in range(1, PROMPT_PADS + 1):
            addresses = [f"/vj/prompt/{pad}/text", f"/vj/prompt/{pad}/weight", *solos]
            surface.watch(addresses, lambda values, k=pad - 1: self._note(k, surface.version))

    def describe(
        self, status: GeneratorStatus, seen_version: int, values: Mapping[str, Value], landings: Mapping[str, float]
    ) -> tuple[PadState, ...]:
        """Say what each pad does. `seen_version` is the store's version that the picture on screen was made with.

        `landings` are beats until a waiting press is seen, by address.
        """
        weights = heard_weights(values)
        return tuple(
            describe_pad(
                pad,
                PadView(
                    str(values[f"/vj/prompt/{pad}/text"]),
                    weights[pad - 1],
                    self._changed_at[pad - 1] <= seen_version,
                    landings.get(f"/vj/prompt/{pad}/go"),
                ),
                status,
            )
            for pad in range(1, PROMPT_PADS + 1)
        )

    def _note(self, k: int, version: int) -> None:
        self._changed_at[k] = version


def heard_prompts(values: Mapping[str, Value]) -> list[tuple[int, float, str]]:
    """Pad, weight and words of every pad that is heard, the heaviest first."""
    texts = (str(values[f"/vj/prompt/{pad}/text"]) for pad in range(1, PROMPT_PADS + 1))
    pads = zip(range(1, PROMPT_PADS + 1), heard_weights(values), texts, strict=True)
    return sorted((pad for pad in pads if pad[1] > 0.0 and pad[2]), key=lambda pad: -pad[1])


def heard_weights(values: Mapping[str, Value]) -> tuple[float, ...]:
    """Weights as the blend takes them: while any pad is soloed, only the soloed ones."""
    pads = range(1, PROMPT_PADS + 1)
    solos = [bool(values[f"/vj/prompt/{pad}/solo"]) for pad in pads]
    weights = [float(values[f"/vj/prompt/{pad}/weight"]) for pad in pads]
    if not any(solos):
        return tuple(weights)
    return tuple(weight if is_solo else 0.0 for weight, is_solo in zip(weights, solos, strict=True))
