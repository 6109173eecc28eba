"""Everything of a show but its windows and its engine: values, commands, controllers, and what plays by time.

The one place where these are built and connected. Knows nothing of Qt or of tensors.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vj.commands import CommandQueue
from vj.conductor import Conductor
from vj.controllers.learn import Learn
from vj.controllers.mapping import load_mappings
from vj.controllers.midi import MidiInput
from vj.controllers.osc.endpoint import OscEndpoint, OscPortError
from vj.controllers.osc.input import OscInput
from vj.controllers.router import Router
from vj.controls import Controls, Press
from vj.modulation.bank import ModulationBank
from vj.parameters import ParameterStore
from vj.presets.looks import SEED_ADDRESS, Look, apply_look
from vj.presets.timeline import Timeline, TimelinePlayer
from vj.shipped_files import MAPPINGS, list_files, user_folder
from vj.sound.features import SILENCE
from vj.tempo.clock import Clock

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class PerformanceOptions:
    """What a show begins with."""

    look: Look | None = None
    timeline: Timeline | None = None
    mappings: tuple[Path, ...] | None = None  # None = every shipped one and the user's own
    osc: OscEndpoint | None = None  # None = the default port, or the next free one


class Performance:
    """Built, started and stopped by one thread; its parts say which threads may use them."""

    def __init__(
        self, options: PerformanceOptions, tell: Callable[[str], None], is_streaming: Callable[[], bool]
    ) -> None:
        """`tell` takes sentences for the performer; `is_streaming` says whether the first frame is on screen.

        Nothing runs yet. Raises OscPortError for a port asked for and taken.
        """
        self._options = options
        self._tell = tell
        self.store = ParameterStore()
        self.commands = CommandQueue()
        self.controls = Controls(self.store, self.commands)
        self.osc = self._open_osc()
        mappings, problems = load_mappings(self._mapping_files())
        for problem in problems:
            tell(str(problem))
        self.router = Router(self.controls, mappings)
        self.learn = Learn(self.router, self.store, user_folder(MAPPINGS))
        self.midi = MidiInput(self.router)
        self.conductor = Conductor()
        self.clock = Clock(self.controls)
        self.conductor.add(self.clock)
        self.modulation = ModulationBank(self.store.snapshot, self.clock, lambda: SILENCE)
        self.conductor.add(self.modulation)
        if options.timeline is not None:
            self.conductor.add(_TimelineFromFirstFrame(TimelinePlayer(self.controls, options.timeline), is_streaming))
        self.controls.answer("/vj/seed/next", self._next_seed)

    def start(self) -> None:
        """Let the controllers in and begin to play what moves by time."""
        if self.osc is not None:
            self.osc.start()
            _LOG.info("OSC listens at %s:%d", self.osc.host, self.osc.port)
        self.midi.start()
        self.conductor.start()

    def apply_first_look(self) -> None:
        """Set the look the show begins with: before the engine asks for its values."""
        if self._options.look is not None:
            apply_look(self.controls, self._options.look)

    def stop(self) -> None:
        """Stop in reverse order."""
        self.conductor.stop()
        self.midi.stop()
        if self.osc is not None:
            self.osc.stop()

    def _next_seed(self, press: Press) -> None:
        self.controls.set(SEED_ADDRESS, int(self.store.get(SEED_ADDRESS)) + 1, press.source)

    def _open_osc(self) -> OscInput | None:
        """Open the port. Without a choice of the user's, a show without OSC is better than none."""
        try:
            return OscInput(self.controls, self._options.osc)
        except OscPortError as error:
            if self._options.osc is not None:
                raise
            self._tell(str(error))
            return None

    def _mapping_files(self) -> list[Path]:
        asked = self._options.mappings
        return list(list_files(MAPPINGS).values()) if asked is None else list(asked)


class _TimelineFromFirstFrame:
    """Plays a timeline from the moment the first frame is on screen; its first cue is there before that."""

    def __init__(self, player: TimelinePlayer, is_streaming: Callable[[], bool]) -> None:
        self._player = player
        self._is_streaming = is_streaming
        self._began_ns: int | None = None

    def tick(self, now_ns: int) -> None:
        """Play what is due."""
        if self._began_ns is None and self._is_streaming():
            self._began_ns = now_ns
        if not self._player.is_over:
            self._player.tick(0.0 if self._began_ns is None else (now_ns - self._began_ns) / 1e9)
