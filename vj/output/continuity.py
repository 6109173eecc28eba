"""A moving picture whatever the stream does: late, black, frozen or gone. Between the frame reader and the renderer.

Owned by the thread that draws; never waits. Knows nothing of GL, processes or the store.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from engine.frame_ring import Frame
from vj.output.composition import Composition
from vj.output.decks import DeckReader
from vj.output.film import Film
from vj.output.frame_reader import FrameReader, Picture
from vj.output.loop import LastGoodSeconds
from vj.output.params import OutputParams

State = Literal["starting", "live", "waiting", "fallback", "freeze", "blackout"]
Fault = Literal["", "black", "frozen", "late"]

PATIENCE_S = 0.1  # the newest frame stands this long before what was good last plays on
FROZEN_S = 0.19  # frames that do not differ at all for so long are a fault, not a picture
FADE_S = 0.4  # into what plays instead, and back
HAND_FADE_S = 0.12  # the same when a hand asks for it
HEAD_START_NS = 17_000_000  # of both: the next refresh shows it already, to a hand as after a picture that stood
DRIFT_ZOOM = 0.04  # how far the picture breathes while it waits
DRIFT_PERIOD_S = 16.0
DARKEST = 3  # of 255: no part brighter is a black frame
LOOKED_AT = 8  # every so many pixels each way
KEPT_VERDICTS = 64
NS = 1e-9


@dataclass(frozen=True)
class Layer:
    """One picture, how much of it is seen, and how far it is enlarged on top of the performer's zoom."""

    picture: Picture
    share: float
    zoom: float = 1.0


@dataclass(frozen=True)
class Scene:
    """What to draw now: no layer before the first stream, one as a rule, two in a crossfade (shares sum to 1)."""

    layers: tuple[Layer, ...]
    state: State
    composition: Composition | None = None  # inputs under and over it; None = it is all there is to see
    is_take: bool = False  # the crossfade is the performer's, from deck to deck


class Continuity:
    """Decides between the stream, what was good last, and a held picture.

    Every change is a crossfade, short where a hand asks for it; only a freeze is at once.
    """

    def __init__(self, reader: FrameReader | DeckReader) -> None:
        self.state: State = "starting"
        self.bad_chunks = 0  # recognised and not shown, since the start
        self.fault: Fault = ""  # why something else plays in the stream's place
        self._reader = reader
        self._loop = LastGoodSeconds()
        self._verdicts: dict[tuple[int, int, int], bool] = {}
        self._last_good: Frame | None = None
        self._moved_ns: int | None = None  # when a good frame was last another than the one before
        self._advanced_ns: int | None = None  # when another good frame last came, whatever it showed
        self._bad_chunk: tuple[int, int] | None = None
        self._away_since_ns: int | None = None  # since when the loop plays instead of the stream
        self._film: Film | None = None
        self._film_since_ns: int | None = None
        self._drawn: tuple[Layer, ...] = ()  # at the last refresh
        self._is_take = False  # the decks were mixed at the last refresh
        self._switches = (False, False)  # freeze and fallback, at the last refresh
        self._shown: Layer | None = None
        self._fading: Layer | None = None  # what is left behind
        self._faded_ns, self._fade_s = 0, FADE_S
        self._source: object = None  # what the newest layer comes from: a change of it is a crossfade

    @property
    def problem(self) -> str:
        """Why the film chosen cannot be played; empty otherwise. Any thread."""
        return self._film.problem if self._film is not None else ""

    @property
    def drawn(self) -> tuple[Layer, ...]:
        """What was drawn at the last refresh."""
        return self._drawn

    def scene_at(self, now_ns: int, params: OutputParams) -> Scene:
        """Move on to `now_ns` (time.monotonic_ns) and say what to draw. Call once per display refresh."""
        self._choose_film(params.fallback_film)
        picture = self._watch(self._reader.picture_at(now_ns), now_ns)
        if picture is None and self._shown is None:
            self.state = "blackout" if params.blackout else "starting"
            return Scene((), self.state)
        is_by_hand = self._switches != (params.freeze, params.fallback)
        self._switches = (params.freeze, params.fallback)
        if params.freeze and self._drawn:
            self._source, self._fading = "freeze", None
            self.state = "blackout" if params.blackout else "freeze"
            return Scene(self._drawn, self.state, is_take=self._is_take)
        layer, source, state = self._choose(picture, now_ns, params)
        if source != self._source:
            if self._source is not None:
                self._fading, self._faded_ns = self._shown, now_ns - HEAD_START_NS
                self._fade_s = HAND_FADE_S if is_by_hand else FADE_S
            self._source = source
        if source == "stream" and self._is_cut_on_its_moment(layer.picture, now_ns):
            self._fading = None
        self._shown = layer
        self.state = "blackout" if params.blackout else state
        other = self._reader.fading_at(now_ns)  # asked in any case: it plays on
        self._is_take = other is not None and source == "stream"
        self._drawn = _mixed(*other, layer) if self._is_take else self._layers(layer, now_ns)
        return Scene(self._drawn, self.state, is_take=self._is_take)

    def note_lag(self, lag_ns: int) -> None:
        """Take in how long a drawing takes to its light, as far as the window knows."""
        self._reader.display_lag_ns = lag_ns

    def _choose(self, picture: Picture | None, now_ns: int, params: OutputParams) -> tuple[Layer, str, State]:
        late_s = 0.0 if self._moved_ns is None else (now_ns - self._moved_ns) * NS
        is_still_away = self._away_since_ns is not None and self._reader.status.is_starved  # the last frames creep in
        is_late = picture is None or is_still_away or (late_s > PATIENCE_S and self._is_missing(late_s))
        self.fault = self._name_fault(picture) if is_late else ""
        if not (is_late or params.fallback) or not len(self._loop):
            self._away_since_ns = self._film_since_ns = None
            return Layer(picture or self._shown.picture, 1.0), "stream", "live"
        if self._away_since_ns is None:
            self._away_since_ns = now_ns
        away_s = (now_ns - self._away_since_ns) * NS
        is_fallback = params.fallback or away_s > params.fallback_after
        if is_fallback and self._film is not None and self._film.is_ready:
            if self._film_since_ns is None:
                self._film_since_ns = now_ns
            return Layer(self._film.picture((now_ns - self._film_since_ns) * NS), 1.0), "film", "fallback"
        breath = 0.5 - 0.5 * math.cos(2.0 * math.pi * away_s / DRIFT_PERIOD_S)
        played = self._loop.picture(away_s)
        assert played is not None, "the loop was asked whether it holds anything"
        return Layer(played, 1.0, 1.0 + DRIFT_ZOOM * breath), "loop", "fallback" if is_fallback else "waiting"

    def _name_fault(self, picture: Picture | None) -> Fault:
        if picture is None:
            return "black"
        # a stream that stands still comes on, one that is late, or has not begun again, does not
        return "frozen" if self._advanced_ns != self._moved_ns else "late"

    def _is_cut_on_its_moment(self, picture: Picture, now_ns: int) -> bool:
        """Whether a stream that waited for the beat begins with this refresh: it is seen on it, without a fade."""
        reader = self._reader
        return reader.cut_ns == now_ns or (picture.first.present_ns > 0 and reader.status.switched_ns == now_ns)

    def _choose_film(self, path: str) -> None:
        wanted = Path(path).expanduser() if path else None
        if wanted != (self._film.path if self._film else None):
            self._film = Film(wanted) if wanted else None

    def _is_missing(self, late_s: float) -> bool:
        # a slow stream is blended all along: only frames that should long have followed are missed
        frame_s = 1.0 / max(self._reader.status.playback_fps, 1e-3)
        return self._reader.status.is_starved or late_s > max(FROZEN_S, 3.0 * frame_s)

    def _watch(self, picture: Picture | None, now_ns: int) -> Picture | None:
        """Learn from what the stream shows; return it without its bad frames, None when both are bad."""
        if picture is None:
            return None
        first_good, second_good = self._is_good(picture.first), self._is_good(picture.second)
        if not (first_good or second_good):
            return None
        if not first_good:
            picture = Picture(picture.second, picture.second, 0.0)
        elif not second_good:
            picture = Picture(picture.first, picture.first, 0.0)
        if picture.first is not self._last_good:
            self._advanced_ns = now_ns
            if self._last_good is None or _differ(self._last_good, picture.first):
                self._moved_ns = now_ns
                self._loop.add(picture.first)
            self._last_good = picture.first
        return picture

    def _is_good(self, frame: Frame) -> bool:
        """Whether a frame holds a picture. Looked at once; a black one is counted by its chunk."""
        key = (frame.stream_id, frame.generation_id, frame.index)
        verdict = self._verdicts.get(key)
        if verdict is None:
            seen = frame.pixels[::LOOKED_AT, ::LOOKED_AT, :3]
            verdict = bool(seen.max(initial=0) > DARKEST)
            if len(self._verdicts) >= KEPT_VERDICTS:
                self._verdicts.pop(next(iter(self._verdicts)))
            self._verdicts[key] = verdict
            if not verdict and (frame.stream_id, frame.generation_id) != self._bad_chunk:
                self._bad_chunk = (frame.stream_id, frame.generation_id)
                self.bad_chunks += 1
        return verdict

    def _layers(self, layer: Layer, now_ns: int) -> tuple[Layer, ...]:
        if self._fading is None:
            return (layer,)
        done = (now_ns - self._faded_ns) * NS / self._fade_s
        if done >= 1.0:
            self._fading = None
            return (layer,)
        share = done * done * (3.0 - 2.0 * done)
        return dataclasses.replace(self._fading, share=1.0 - share), dataclasses.replace(layer, share=share)


def _mixed(picture: Picture, share: float, layer: Layer) -> tuple[Layer, ...]:
    """The deck before, which goes, over the one that has come."""
    return Layer(picture, share), dataclasses.replace(layer, share=1.0 - share)


def _differ(first: Frame, second: Frame) -> bool:
    if first.pixels.shape != second.pixels.shape or first.stream_id != second.stream_id:
        return True
    return not np.array_equal(first.pixels[::LOOKED_AT, ::LOOKED_AT], second.pixels[::LOOKED_AT, ::LOOKED_AT])
