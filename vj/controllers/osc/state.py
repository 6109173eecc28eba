"""What the instrument says of itself besides its parameters: rates, beat, sound, prompts, look and cue.

Declared once, as read-only parameters under /vj/state; OSC out, OSCQuery and templates derive from the table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from engine.messages import GeneratorStatus
from engine.parameter import Parameter, Value
from engine.params import PROMPT_PADS, ChunkParams
from vj.controls import Controls
from vj.output.playback import PlaybackStatus
from vj.parameters import TRIGGERS
from vj.presets.timeline_transport import TimelineStatus
from vj.recording.desk import RecordStatus
from vj.sound.features import BANDS, SILENCE, SoundFeatures
from vj.tempo.clock import BEATS_PER_BAR, ClockState

STATE_ROOT = "/vj/state"
GENERATOR_STATES = ("starting", "loading", "streaming", "failed", "stopped")


def _figure(name: str, text: str, minimum: float = 0.0, maximum: float = 1.0, unit: str = "") -> Parameter:
    return Parameter(f"{STATE_ROOT}/{name}", "float", minimum, text, minimum, maximum, unit, clock="frame")


def _words(name: str, text: str) -> Parameter:
    return Parameter(f"{STATE_ROOT}/{name}", "text", "", text, clock="frame")


_DECLARED: tuple[Parameter, ...] = (
    _figure("display/fps", "Refreshes of the output per second.", 0.0, 240.0, "Hz"),
    _figure("generator/fps", "Frames the engine makes per second of work.", 0.0, 240.0, "Hz"),
    _figure("playback/fps", "Frames of the stream shown per second.", 0.0, 240.0, "Hz"),
    _figure("buffer", "Frames ready and not yet shown.", 0.0, 1000.0, "frames"),
    _figure("repeats", "Frames that were due while nothing newer was there, since the start.", 0.0, 1e6, "frames"),
    Parameter(
        f"{STATE_ROOT}/generator/state", "choice", "starting", "What the engine is doing.", choices=GENERATOR_STATES
    ),
    _figure("beat/bpm", "Tempo the clock runs at.", 0.0, 999.0, "BPM"),
    _figure("beat/phase", "Way through the beat."),
    _figure("beat/count", "Beat of the bar, from 1.", 1.0, float(BEATS_PER_BAR)),
    _figure("bar/phase", "Way through the bar."),
    _figure("bar/count", "Bars since the clock began, from 0.", 0.0, 1e6),
    _figure("sound/level", "Loudness of the sound input."),
    *(_figure(f"sound/{band}", f"Loudness of the band {band.replace('_', ' ')}.") for band in BANDS),
    *(_figure(f"sound/onset/{band}", f"1 once when something begins in {band.replace('_', ' ')}.") for band in BANDS),
    _figure("sound/centroid", "How bright the sound is."),
    _figure("sound/bpm", "Tempo heard in the sound; 0 = not known.", 0.0, 999.0, "BPM"),
    *(_words(f"prompt/{n}", f"Text pad {n} really plays.") for n in range(1, PROMPT_PADS + 1)),
    _words("prompt/heaviest", "Text of the pad with the greatest share of the picture."),
    _words("look", "The look called up last."),
    _words("cue", "The cue played last."),
    _words("timeline/name", "The timeline that is loaded."),
    _figure("timeline/position", "Where the timeline stands, in its unit.", 0.0, 86400.0),
    _figure("timeline/playing", "1 while the timeline plays."),
    _figure("record/length", "How long the recording plays by now.", 0.0, 86400.0, "s"),
    _figure("record/dropped", "Pictures the recording lacks.", 0.0, 1e6, "frames"),
    _words("record/file", "The file that is recorded, or was last."),
)
STATE: dict[str, Parameter] = {parameter.address: parameter for parameter in _DECLARED}
"""What is told and cannot be set, by address."""


class Beat(Protocol):
    """The part of the clock that is told."""

    @property
    def state(self) -> ClockState:
        """Tempo and what leads it. Never waits."""
        ...

    def beat_at(self, time_ns: int) -> float:
        """Beats since the origin; 0 modulo 4 is the first of a bar."""
        ...


@dataclass(frozen=True)
class StateSources:
    """Where the state is read: every callable answers at once, on any thread."""

    clock: Beat | None = None
    generator: Callable[[], GeneratorStatus] = GeneratorStatus
    playback: Callable[[], PlaybackStatus] = PlaybackStatus
    sound: Callable[[], SoundFeatures] = lambda: SILENCE
    look: Callable[[], str] = str
    cue: Callable[[], str] = str
    timeline: Callable[[], TimelineStatus] = TimelineStatus
    recording: Callable[[], RecordStatus] = RecordStatus


class StateReader:
    """Reads the state once per report; onsets and presses are 1 in one report and 0 in the next. One thread."""

    def __init__(self, controls: Controls, sources: StateSources) -> None:
        self._controls = controls
        self._sources = sources
        self._onset_times_ns = sources.sound().onset_times_ns
        self._press_times_ns: dict[str, int] = {}

    def read(self, now_ns: int) -> dict[str, Value]:
        """Return every state and every trigger (pressed since the last call or not) by address."""
        return {
            **self._presses(),
            **self._rates(),
            **self._beat(now_ns),
            **self._sound(),
            **self._prompts(),
            f"{STATE_ROOT}/look": self._sources.look(),
            f"{STATE_ROOT}/cue": self._sources.cue(),
            **self._timeline(),
            **self._recording(),
        }

    def _presses(self) -> dict[str, Value]:
        found: dict[str, Value] = {}
        for address in TRIGGERS:
            move = self._controls.moved_by(address)
            time_ns = move.time_ns if move is not None else 0
            found[address] = 1.0 if time_ns > self._press_times_ns.get(address, 0) else 0.0
            self._press_times_ns[address] = time_ns
        return found

    def _timeline(self) -> dict[str, Value]:
        status = self._sources.timeline()
        return {
            f"{STATE_ROOT}/timeline/name": status.name,
            f"{STATE_ROOT}/timeline/position": round(status.position, 2),
            f"{STATE_ROOT}/timeline/playing": float(status.is_playing),
        }

    def _recording(self) -> dict[str, Value]:
        status = self._sources.recording()
        return {
            f"{STATE_ROOT}/record/length": round(status.recorder.length_s if status.is_on else 0.0, 1),
            f"{STATE_ROOT}/record/dropped": float(status.recorder.dropped + status.missed),
            f"{STATE_ROOT}/record/file": status.recorder.file,
        }

    def _rates(self) -> dict[str, Value]:
        generator, playback = self._sources.generator(), self._sources.playback()
        return {
            f"{STATE_ROOT}/display/fps": round(playback.display_fps, 1),
            f"{STATE_ROOT}/generator/fps": round(generator.generator_fps, 1),
            f"{STATE_ROOT}/playback/fps": round(playback.playback_fps, 1),
            f"{STATE_ROOT}/buffer": float(playback.buffered_frames),
            f"{STATE_ROOT}/repeats": float(playback.repeats),
            f"{STATE_ROOT}/generator/state": generator.state,
        }

    def _beat(self, now_ns: int) -> dict[str, Value]:
        clock = self._sources.clock
        if clock is None:
            return {}
        beat = clock.beat_at(now_ns)
        return {
            f"{STATE_ROOT}/beat/bpm": round(clock.state.bpm, 2),
            f"{STATE_ROOT}/beat/phase": beat % 1.0,
            f"{STATE_ROOT}/beat/count": float(beat // 1 % BEATS_PER_BAR + 1),
            f"{STATE_ROOT}/bar/phase": beat / BEATS_PER_BAR % 1.0,
            f"{STATE_ROOT}/bar/count": float(beat // BEATS_PER_BAR),
        }

    def _sound(self) -> dict[str, Value]:
        features = self._sources.sound()
        before, self._onset_times_ns = self._onset_times_ns, features.onset_times_ns
        onsets = zip(BANDS, features.onset_times_ns, before, strict=True)
        return {
            f"{STATE_ROOT}/sound/level": round(features.level, 4),
            **{f"{STATE_ROOT}/sound/{band}": round(v, 4) for band, v in zip(BANDS, features.bands, strict=True)},
            **{f"{STATE_ROOT}/sound/onset/{band}": float(time_ns != old_ns) for band, time_ns, old_ns in onsets},
            f"{STATE_ROOT}/sound/centroid": round(features.centroid, 4),
            f"{STATE_ROOT}/sound/bpm": round(features.bpm, 2),
        }

    def _prompts(self) -> dict[str, Value]:
        texts = self._sources.generator().prompts_on_screen[:PROMPT_PADS]
        texts = (*texts, *[""] * (PROMPT_PADS - len(texts)))
        weights = ChunkParams.from_values(self._controls.store.snapshot()).heard_weights
        heaviest = max(range(PROMPT_PADS), key=lambda pad: weights[pad] if texts[pad] else -1.0)
        return {
            **{f"{STATE_ROOT}/prompt/{n}": text for n, text in enumerate(texts, start=1)},
            f"{STATE_ROOT}/prompt/heaviest": texts[heaviest],
        }


def declared(address: str, parameters: Mapping[str, Parameter]) -> Parameter:
    """Return what is said about an address that is told: a state or a parameter."""
    return STATE.get(address) or parameters[address]
