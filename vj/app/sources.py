"""What the panels read, besides the store: frozen statuses and the parts that answer at once.

What is not there stays at its default, and its panel shows a quiet dash.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.frame_ring import Frame
from engine.messages import GeneratorStatus
from engine.parameter import Value
from vj.app.cue_panel import CueSource
from vj.app.deck_panel import DeckSource
from vj.app.look_panel import LookSource
from vj.app.osc_monitor import OscMessages
from vj.app.problem_board import ProblemBoard
from vj.app.sound_panel import SoundSource
from vj.app.status_strip import Ports
from vj.app.video_in.video_source import VideoSource
from vj.controllers.learn import Learn
from vj.controllers.router import Router
from vj.effects.notes import EffectNote
from vj.generator_thread import EngineFacts
from vj.output.playback import PlaybackStatus
from vj.presets.repertoire import Repertoire
from vj.recording.desk import RecordStatus
from vj.sharing.messages import ShareState
from vj.tempo.clock import Clock
from vj.tempo.latency import Latency
from vj.tempo.quantise import Waiting
from vj.words.prompt_help import PromptHelp


class OutputSource(Protocol):
    """What the audience sees, as far as the panels ask."""

    @property
    def status(self) -> PlaybackStatus:
        """What the output is doing."""
        ...

    @property
    def frame_on_screen(self) -> Frame | None:
        """About what is on screen, for the preview."""
        ...

    @property
    def frame_on_deck(self) -> Frame | None:
        """What lies ready on the free deck, in motion."""
        ...


@dataclass(frozen=True)
class PanelSources:
    """Everything here may be asked 30 times a second from the GUI thread; nothing waits."""

    generator: Callable[[], GeneratorStatus]
    reader: OutputSource
    ports: Callable[[], Ports]
    problems: ProblemBoard
    clock: Clock | None = None
    latency: Callable[[], Latency | None] = lambda: None
    waiting: Callable[[], Sequence[Waiting]] = tuple  # presses held for their beat, soonest first
    gliding: Callable[[], Mapping[str, float]] = dict  # share done of each transition, by its source
    effective: Callable[[Mapping[str, Value], int], Mapping[str, Value]] = lambda values, at_ns: values
    sound: SoundSource = SoundSource()
    video: VideoSource = VideoSource()
    looks: LookSource = LookSource()
    cues: CueSource = CueSource()
    decks: DeckSource = DeckSource()
    repertoire: Repertoire | None = None
    osc_messages: OscMessages | None = None
    router: Router | None = None
    devices: Callable[[], tuple[str, ...]] = tuple  # controllers that are plugged in
    learn: Learn | None = None
    prompt_help: PromptHelp | None = None
    effect_notes: Callable[[], Sequence[EffectNote]] = tuple  # what the output says of the effects' files
    sharing: Callable[[], Mapping[str, ShareState]] = dict  # how each way of sending stands, by its word
    recording: Callable[[], RecordStatus] = RecordStatus
    engine: Callable[[], EngineFacts] = EngineFacts  # what plays, loads or was reduced
