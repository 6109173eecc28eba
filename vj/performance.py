"""Everything of a show but its windows and its engine: values, commands, controllers, and what plays by time.

The one place where these are built and connected. Knows nothing of Qt or of tensors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engine.messages import GeneratorStatus
from engine.parameter import Value
from engine.video_in.params import INPUTS
from vj.commands import CommandQueue
from vj.conductor import Conductor
from vj.controllers.artnet import ArtNetInput
from vj.controllers.events import DMX
from vj.controllers.feedback import MidiFeedback
from vj.controllers.learn import Learn
from vj.controllers.learned_files import is_learned
from vj.controllers.mapping import load_mappings
from vj.controllers.midi import MidiInput
from vj.controllers.onsets import OnsetPlayer
from vj.controllers.osc.endpoint import OscEndpoint
from vj.controllers.osc.network import OscNetwork, OscOptions
from vj.controllers.osc.state import StateSources
from vj.controllers.router import Router
from vj.controls import Controls, Press
from vj.inputs.desk import InputDesk
from vj.inputs.params import restart_address
from vj.inputs.recent_files import RecentFiles
from vj.inputs.stills import Stills
from vj.modulation.bank import ModulationBank
from vj.output.params import RESET_ADDRESS
from vj.output.playback import PlaybackStatus
from vj.parameters import ParameterStore
from vj.presets.decks import Decks
from vj.presets.looks import SEED_ADDRESS, Look
from vj.presets.repertoire import Repertoire
from vj.presets.show_file import ShowState
from vj.presets.timeline import Timeline
from vj.presets.transitions import Transitions
from vj.recording.desk import RecordingDesk
from vj.recording.stills import StillCapture
from vj.sharing.desk import SharingDesk
from vj.shipped_files import MAPPINGS, Library, shipped_folder, user_folder
from vj.sound.click import FlashClick
from vj.sound.input import SoundInput
from vj.stage.block import PICTURES_NAME
from vj.stage.panic import RESET_VALUES
from vj.stage.picture_demand import PictureDemand
from vj.tempo.quantise import SENT_AHEAD_S
from vj.tempo.tempo import Tempo
from vj.words.prompt_help import PromptHelp

COMMAND_LINE = "command line"  # who moved a value, in the store's words


@dataclass(frozen=True)
class PerformanceOptions:
    """What a show begins with."""

    look: Look | None = None
    timeline: Timeline | None = None
    values: Mapping[str, Value] = field(default_factory=dict)  # of the command line; over those of look and show
    mappings: tuple[Path, ...] | None = None  # None = every shipped one and the user's own
    osc: OscOptions = OscOptions()
    artnet: OscEndpoint | None = None  # None = lighting desks are not heard
    show: ShowState | None = None  # where a show or the last run stood
    model: str = ""  # what plays, for the show's file


class Performance:
    """Built, started and stopped by one thread; its parts say which threads may use them."""

    def __init__(
        self,
        options: PerformanceOptions,
        tell: Callable[[str], None],
        generator: Callable[[], GeneratorStatus] = GeneratorStatus,
        playback: Callable[[], PlaybackStatus] = PlaybackStatus,
        folder: Path | None = None,
    ) -> None:
        """`tell` takes sentences for the performer; `generator` and `playback` say what the picture is doing.

        `folder` is the run's, where inputs write their pictures; None = nothing is captured. Nothing runs yet.
        Raises OscPortError for a port asked for and taken, Art-Net's included.
        """
        self._options = options
        self._tell = tell
        self._playback = playback
        self.folder = folder
        self.pictures = PictureDemand()  # what the output shows, for whoever records or sends it
        self.store = ParameterStore()
        self.commands = CommandQueue()
        self.controls = Controls(self.store, self.commands)
        self.inputs = InputDesk(
            self.store.versioned_snapshot, lambda: _stream_size(generator()), folder or Path(), tell
        )
        self.sharing = SharingDesk(self.store.snapshot, (folder or Path()) / PICTURES_NAME, self.pictures.want, tell)
        self._make_recorders(folder or Path(), generator)
        self.sound = SoundInput(self.store.versioned_snapshot, tell=tell, tee=self.recording.sound.hear)
        mappings, problems = load_mappings(self._mapping_files())
        for problem in problems:
            tell(str(problem))
        self.router = Router(self.controls, mappings)
        self.learn = Learn(self.router, self.store, user_folder(MAPPINGS))
        self.midi = MidiInput(self.router, tell=tell)
        self.conductor = Conductor()
        self.tempo = Tempo(
            self.controls, self.conductor, generator, playback, lambda: self.sound.features, self.midi.outputs.send
        )
        self.clock = self.tempo.clock
        self.midi.listen_system(self.tempo.hear_midi)
        self.lights = MidiFeedback(self.router, self.controls, self.midi.outputs, self.clock.beat_at)
        self.conductor.add(OnsetPlayer(lambda: self.sound.features, self.store, self.router.handle))
        self.modulation = ModulationBank(self.store.snapshot, self.clock.beat_at, lambda: self.sound.features)
        self.conductor.add(self.modulation)
        self.transitions = Transitions(self.controls, self.clock.beat_at)
        self.conductor.add(self.transitions)
        self.repertoire = Repertoire(self.controls, self.clock, self.transitions, tell, options.show)
        self.repertoire.model = options.model
        self.stills = Stills(self.controls, folder or Path(), self.repertoire.on_disk, tell)
        self.recent_files = RecentFiles(self.repertoire.on_disk)
        if options.mappings is not None:
            self.repertoire.mappings = tuple(map(str, options.mappings))
        self.repertoire.timeline.follow(self.tempo.timecode)
        self.repertoire.timeline.lead_cuts(lambda left_s: self.tempo.latency().lead_s(left_s) + SENT_AHEAD_S)
        self.tempo.quantiser.lead_by(self.repertoire.cues.cut_brought_by)
        self.prompt_help = PromptHelp(self.controls, lambda: generator().model, options.model, tell)
        self._flash_click = FlashClick(self.store.snapshot, tell)
        self.conductor.add(self._flash_click)
        self.conductor.add(self.repertoire.cues)
        self.conductor.add(self.repertoire.timeline)
        self.decks = Decks(self.controls, self.repertoire.shelf, self.repertoire.locked_groups, generator, tell)
        self.conductor.add(self.decks)
        self._make_osc(generator)
        self.artnet = self._open_artnet()
        self._answer_presses()

    def _make_osc(self, generator: Callable[[], GeneratorStatus]) -> None:
        """What hears OSC, and tells it. Raises OscPortError."""
        state = StateSources(
            self.clock,
            generator,
            self._playback,
            lambda: self.sound.features,
            self._look_name,
            self._cue_name,
            lambda: self.repertoire.timeline.status,
            lambda: self.recording.status,
        )
        self.osc_network = OscNetwork(self.controls, self._options.osc, state, self.router.handle, self._tell)
        self.osc = self.osc_network.input
        self.conductor.add(self.osc_network.chosen_listeners)
        self.conductor.add(self.osc_network.output)

    def _make_recorders(self, folder: Path, generator: Callable[[], GeneratorStatus]) -> None:
        """What keeps the output's pictures; `folder` is the run's."""
        look, tell = self._playing_look, self._tell
        self.recording = RecordingDesk(self.controls, self.pictures, folder, look, tell)
        self.still_capture = StillCapture(
            self.controls,
            self.pictures,
            folder / PICTURES_NAME,
            lambda: {"model": generator().model or self._options.model, "look": look()},
            tell,
        )

    def start(self) -> None:
        """Let the controllers in and begin to play what moves by time."""
        self.osc_network.start()
        if self.artnet is not None:
            self.artnet.start()
        self.midi.start()
        self.sound.start()
        if self.folder is not None:
            self.inputs.start()
            self.sharing.start()
            self.recording.start()
        self.lights.start()
        self.tempo.start()
        self.conductor.start()
        self.repertoire.start()
        self.prompt_help.start()

    def apply_first_look(self) -> None:
        """Set the look the show begins with, before the engine asks for its values, and have its timeline ready."""
        look, timeline = self._options.look, self._options.timeline
        self.repertoire.begin_with(look, timeline, lambda: self._playback().is_streaming)
        self.controls.set_many(self._options.values, COMMAND_LINE)

    def stop(self, *, is_asked: bool = True) -> None:
        """Stop in reverse order. After an end that nobody asked for the next run begins where this one was."""
        self.prompt_help.stop()
        self.conductor.stop()
        self._flash_click.stop()
        self.tempo.stop()
        self.lights.stop()
        self.inputs.stop()
        self.sharing.stop()
        self.recording.stop()
        self.sound.stop()
        self.midi.stop()
        if self.artnet is not None:
            self.artnet.stop()
        self.osc_network.stop()
        self.repertoire.stop(is_asked=is_asked)

    def _answer_presses(self) -> None:
        self.controls.answer("/vj/seed/next", self._next_seed)
        for number in range(1, INPUTS + 1):
            self.controls.answer(restart_address(number), lambda press, number=number: self.inputs.restart(number))
        self.controls.answer(RESET_ADDRESS, lambda press: self.controls.set_many(RESET_VALUES, press.source))

    def _next_seed(self, press: Press) -> None:
        self.controls.set(SEED_ADDRESS, int(self.store.get(SEED_ADDRESS)) + 1, press.source)

    def _open_artnet(self) -> ArtNetInput | None:
        if self._options.artnet is None:
            return None
        router = self.router
        return ArtNetInput(self._options.artnet, router.handle, lambda control: bool(router.bindings_of(DMX, control)))

    def _look_name(self) -> str:
        """The look whose slot was called up last."""
        slots = enumerate(self.repertoire.shelf.slots, start=1)
        moves = [(self.controls.moved_by(f"/vj/look/{n}/recall"), name) for n, name in slots]
        return max(((move.time_ns, name) for move, name in moves if move is not None), default=(0, ""))[1]

    def _playing_look(self) -> str:
        """The look called up last, or the one the show began with."""
        first = self._options.look
        return self._look_name() or (first.name if first is not None else "")

    def _cue_name(self) -> str:
        """The cue played last."""
        cues, current = self.repertoire.cues.cues, self.repertoire.cues.status.current
        return cues[current - 1].name if 0 < current <= len(cues) else ""

    def _mapping_files(self) -> list[Path]:
        show = self._options.show or ShowState()
        files = Library(Path(show.folder) if show.folder else None).list_files(MAPPINGS)
        asked = self._options.mappings
        chosen = list(asked) if asked is not None else [files[name] for name in show.mappings if name in files]
        if asked is None and not chosen:
            # of two lines for one control the later one holds: the user's own
            return sorted(files.values(), key=lambda path: path.parent != shipped_folder(MAPPINGS))
        return [*chosen, *(path for path in files.values() if is_learned(path) and path not in chosen)]


def _stream_size(status: GeneratorStatus) -> tuple[int, int] | None:
    """Width and height of the generated picture; None before the engine has loaded."""
    return (status.width, status.height) if status.width and status.height else None
