"""Transitions: values that travel to where a look, a cue or a prompt wants them, until a hand takes them over.

Plays through the one door. Knows nothing of files, widgets or controllers.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from engine.parameter import Parameter, Value
from engine.params import PROMPT_PADS
from vj.controls import Controls
from vj.fader_positions import position_of, value_at
from vj.parameters import PARAMETERS, Move
from vj.presets.params import PresetParams
from vj.presets.prompt_mixing import (
    PADS,
    PROMPTS,
    SOLOS,
    has_to_mix,
    mixed_prompts,
    weight_address,
)

SOURCE_WORD = "transition"
LARGEST_AMOUNT = 100  # whole numbers of a wider range are names, as seeds are: nothing lies between two of them
EASED: dict[str, Callable[[float], float]] = {
    "linear": lambda share: share,
    "smooth": lambda share: share * share * (3.0 - 2.0 * share),
    "in": lambda share: share * share,
    "out": lambda share: share * (2.0 - share),
}


@dataclass(frozen=True)
class _Span:
    """How long a glide takes, in nanoseconds or in beats of the clock, whatever becomes of the tempo."""

    start: float
    length: float
    read: Callable[[int], float]  # from time.monotonic_ns() to the same unit

    def share_at(self, now_ns: int) -> float:
        return min(1.0, max(0.0, (self.read(now_ns) - self.start) / self.length))


@dataclass
class _Glide:
    """Some values on their way. Belongs to whoever holds the transitions' lock."""

    source: str
    span: _Span
    eased: Callable[[float], float]
    travels: dict[str, tuple[float, float]] = field(default_factory=dict)  # address -> fader positions of both ends
    finals: dict[str, Value] = field(default_factory=dict)  # what holds at the end: all that travels or is mixed
    mix: tuple[Mapping[str, Value], Mapping[str, Value]] | None = None  # values before and after, for the prompts
    lost: set[str] = field(default_factory=set)  # taken over by someone else

    def lay_out(self, held: Mapping[str, Value], wanted: Mapping[str, Value]) -> dict[str, Value]:
        """Plan the way from what is held; return what is to be set at once, the start of all that travels included."""
        end = {**held, **wanted}
        at_once: dict[str, Value] = {}
        if has_to_mix(held, end):
            self.mix = (held, end)
            mixed = mixed_prompts(held, end, 0.0)
            pads = PROMPTS | (SOLOS & mixed.keys())
            at_once = {address: mixed.get(address, held[address]) for address in pads}
            self.finals = {address: end[address] for address in pads}
        for address in wanted.keys() - at_once.keys():
            parameter = PARAMETERS[address]
            if held[address] == wanted[address] or not _has_way(parameter):
                at_once[address] = wanted[address]
                continue
            self.travels[address] = (position_of(parameter, held[address]), position_of(parameter, wanted[address]))
            self.finals[address] = wanted[address]
            at_once[address] = held[address]
        return at_once

    def values_at(self, share: float) -> dict[str, Value]:
        """Return what holds now of all that still belongs to the glide; texts stay where they were laid out."""
        moved = self.eased(share)
        values: dict[str, Value] = {
            address: value_at(PARAMETERS[address], before + moved * (after - before))
            for address, (before, after) in self.travels.items()
        }
        if self.mix is not None:
            mixed = mixed_prompts(*self.mix, moved)
            values |= {weight_address(pad): mixed[weight_address(pad)] for pad in PADS}
        return {address: value for address, value in values.items() if address not in self.lost}

    def lose(self, addresses: set[str]) -> None:
        """Give addresses up. Whoever else moves prompts takes over the whole layout of the pads."""
        if self.mix is not None and addresses & (PROMPTS | SOLOS):
            self.mix = None
            addresses = addresses | PROMPTS | SOLOS
        self.lost |= addresses
        self.travels = {address: way for address, way in self.travels.items() if address not in self.lost}
        self.finals = {address: value for address, value in self.finals.items() if address not in self.lost}


class Transitions:
    """Any thread may call any method but `tick`, which belongs to the conductor; none waits long.

    A value that anybody else moves is his from then on; the others go on. A new glide begins where the values are.
    """

    def __init__(
        self, controls: Controls, beat_at: Callable[[int], float], now_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        """Answers /vj/prompt/{n}/go. `beat_at` gives beats since the origin at a moment of time.monotonic_ns()."""
        self._controls = controls
        self._beat_at = beat_at
        self._now_ns = now_ns
        self._lock = threading.Lock()
        self._glides: list[_Glide] = []
        for pad in PADS:
            controls.answer(f"/vj/prompt/{pad}/go", lambda press, pad=pad: self.bring_up(pad, press.source))

    def call_up(self, targets: Mapping[str, object], source: str) -> None:
        """Glide over the transition time, in its unit and with its easing. Raises as `glide` does."""
        params = PresetParams.from_values(self._controls.store.snapshot())
        is_beats = params.transition_unit == "beats"
        self._begin(targets, source, params.transition_easing, params.transition_time, is_beats)

    def glide(self, targets: Mapping[str, object], source: str, seconds: float, easing: str = "smooth") -> None:
        """Move values (native units) to their targets within so many seconds; 0 = at once.

        What has no way in between (choices, switches, texts, seeds) changes at the beginning; texts of pads that are
        heard fade side by side. `source` is who wants it: "look deep_sea". Raises as `Controls.set_many` does, and then
        nothing moves; ValueError for an easing that does not exist.
        """
        self._begin(targets, source, easing, seconds, False)

    def glide_beats(self, targets: Mapping[str, object], source: str, beats: float, easing: str = "smooth") -> None:
        """Do the same within so many beats of the clock, whatever becomes of its tempo. Raises as `glide` does."""
        self._begin(targets, source, easing, beats, True)

    def bring_up(self, pad: int, source: str) -> None:
        """Glide prompt pad 1.. to full weight and all others to none, over the transition time."""
        if not 1 <= pad <= PROMPT_PADS:
            raise ValueError(f"prompt pad {pad} does not exist: pads are 1 to {PROMPT_PADS}")
        self.call_up({weight_address(n): float(n == pad) for n in PADS}, source)

    def stop(self) -> None:
        """Leave every value where it is."""
        with self._lock:
            self._glides.clear()

    @property
    def progress(self) -> dict[str, float]:
        """Share done of each glide by its source, for panels."""
        with self._lock:
            now_ns = self._now_ns()
            return {glide.source: glide.span.share_at(now_ns) for glide in self._glides}

    def tick(self, now_ns: int) -> None:
        """Move every glide on."""
        with self._lock:
            self._glides = [glide for glide in self._glides if self._goes_on(glide, now_ns)]

    def _begin(self, targets: Mapping[str, object], source: str, easing: str, length: float, is_beats: bool) -> None:
        if easing not in EASED:
            raise ValueError(f"easing {easing!r} is not one of {', '.join(EASED)}")
        store = self._controls.store
        wanted = store.coerced(targets)
        name = source if source.startswith(SOURCE_WORD) else f"{SOURCE_WORD} {source}"
        read = self._beat_at if is_beats else float
        with self._lock:
            span = _Span(read(self._now_ns()), length if is_beats else length * 1e9, read)
            glide = _Glide(name, span, EASED[easing])
            at_once = glide.lay_out(store.snapshot(), wanted) if length > 0.0 else wanted
            for other in self._glides:
                other.lose(set(at_once))
            self._controls.set_many(at_once, name)
            if length > 0.0:
                self._glides.append(glide)

    def _goes_on(self, glide: _Glide, now_ns: int) -> bool:
        """Write what is due; False when the glide is over or nothing is left of it."""
        store = self._controls.store
        share = glide.span.share_at(now_ns)
        if share < 1.0:
            values = glide.values_at(share)
            glide.lost |= values.keys() - store.move_own(values, glide.source)
            return bool(values)
        own = {
            a: v for a, v in glide.finals.items() if a not in glide.lost and _is_own(store.moved_by(a), glide.source)
        }
        self._controls.set_many(own, glide.source)
        return False


def _has_way(parameter: Parameter) -> bool:
    """Say whether anything lies between two values of a parameter."""
    is_amount = parameter.kind == "int" and parameter.maximum - parameter.minimum <= LARGEST_AMOUNT
    return parameter.kind == "float" or is_amount


def _is_own(move: Move | None, source: str) -> bool:
    return move is not None and move.source == source
