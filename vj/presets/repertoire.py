"""What a show has prepared: looks in slots, a cue list, a timeline, and the folder they are kept in.

Builds and connects them. Knows nothing of windows, controllers or engines.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

from vj.controls import Controls
from vj.parameters import PARAMETERS
from vj.presets.autosave import Autosave
from vj.presets.cue_list import CueList
from vj.presets.disk_thread import DiskThread
from vj.presets.look_shelf import LookShelf, UnknownLookError
from vj.presets.looks import Look, apply_look
from vj.presets.params import CURRENT_CUE_ADDRESS, NEXT_CUE_ADDRESS
from vj.presets.recall import Glider, Recall
from vj.presets.show import NOT_KEPT, Show
from vj.presets.show_file import FILE_NAME, ShowState, moved_values
from vj.presets.timeline import Timeline
from vj.presets.timeline_files import load_timeline
from vj.presets.timeline_transport import TimelineTransport
from vj.shipped_files import TIMELINES, Library, user_folder
from vj.tempo.clock import Clock
from vj.written_files import FileError, write_text

AUTOSAVE_EVERY_S = 5.0  # what panels that die may lose; nothing is written while nothing moves
SAVED = "the show is saved in"  # how the one sentence begins that tells of no problem
SHOWS = "shows"


class Repertoire:
    """Built, started and stopped by one thread; its parts say which threads may use them.

    `model`, `outputs` and `mappings` are remembered for the show's file; whoever knows them sets them.
    """

    def __init__(
        self,
        controls: Controls,
        clock: Clock,
        glider: Glider,
        tell: Callable[[str], None],
        show: ShowState | None = None,
        autosave_every_s: float = AUTOSAVE_EVERY_S,
    ) -> None:
        """Read the looks, the show's own first. `tell` takes sentences for the performer, from any thread."""
        self._controls = controls
        self._tell = tell
        self._show = show or ShowState()
        self._autosave = Autosave()
        self._disk = DiskThread(tell, self._save_state, autosave_every_s)
        self._timeline_name = ""
        self.model, self.outputs, self.mappings = self._show.model, self._show.outputs, self._show.mappings
        self._recall = Recall(controls, glider, lambda: clock.state.bpm)
        self.shelf = LookShelf(self._recall, self.library, self._write, tell)
        self.cues = CueList(self._recall, self.shelf, tell, clock)
        self.timeline = TimelineTransport(self._recall, clock.beat_at)
        controls.answer("/vj/show/save", lambda press: self.save_show())

    @property
    def library(self) -> Library:
        """Where files are looked for: the show's folder, the user's, what shipped."""
        return Library(Path(self._show.folder) if self._show.folder else None)

    def locked_groups(self) -> frozenset[str]:
        """Groups that looks, cues and decks leave alone now."""
        return self._recall.locked_groups()

    def start(self) -> None:
        """Let the disk thread begin; what is there now is saved first."""
        self._disk.do(self._save_state)
        self._disk.start()

    def stop(self, *, is_asked: bool = True) -> None:
        """Write what waits to be written, and note whether the program ended as asked."""
        self._disk.do(self._save_state)
        if is_asked:
            self._disk.do(self._autosave.end)
        self._disk.stop()

    def on_disk(self, job: Callable[[], None]) -> None:
        """Have a job done soon by the one thread that waits for disks; it may raise FileError. Any thread."""
        self._disk.do(job)

    # -- beginning -----------------------------------------------------------------------------------------------

    def begin_with(self, look: Look | None, timeline: Timeline | None, is_streaming: Callable[[], bool]) -> None:
        """Set where the show begins: its own state, then a look; a timeline plays from the first frame on."""
        if self._show != ShowState():
            self._take_over(self._show)
        if look is not None:
            apply_look(self._controls, look)
        if timeline is not None:
            self.timeline.load(timeline)
            self._timeline_name = self._name_of(timeline)
            self.timeline.play_when(is_streaming)

    def load_show(self, folder: Path) -> None:
        """Take over a show while this one plays; a bad folder is told and changes nothing. Any thread."""
        self._disk.do(lambda: self._load_show(folder))

    def open_timeline(self, name: str) -> None:
        """Load a timeline by name or path, to stand at its beginning. A bad file is told and changes nothing."""
        self._disk.do(lambda: self._open_timeline(name, 0.0))

    def shows(self) -> tuple[Path, ...]:
        """List the folders of the user's own shows, the newest first."""
        folder = user_folder(SHOWS)
        found = [show for show in folder.iterdir() if (show / FILE_NAME).is_file()] if folder.is_dir() else []
        return tuple(sorted(found, key=lambda show: (show / FILE_NAME).stat().st_mtime, reverse=True))

    # -- saving --------------------------------------------------------------------------------------------------

    def state(self) -> ShowState:
        """Say where everything stands. Any thread; never waits."""
        status = self.timeline.status
        return ShowState(
            name=self._show.name,
            folder=self._show.folder,
            model=self.model,
            outputs=self.outputs,
            timeline=self._timeline_name if status.name else "",
            position=status.position if status.name else 0.0,
            mappings=self.mappings,
            slots=self.shelf.slots,
            cues=self.cues.cues,
            values=moved_values(self._controls.store.snapshot()),
        )

    def save_show(self, folder: Path | None = None) -> None:
        """Save the whole show: into its own folder, or a new one among the user's shows. Any thread; never waits."""
        if folder is None:
            own = user_folder(SHOWS) / time.strftime("%Y-%m-%d_%H%M")
            folder = Path(self._show.folder) if self._show.folder else own
        state = self.state()
        self._disk.do(lambda: self._save_show(folder, state))

    def _name_of(self, timeline: Timeline) -> str:
        """By which `open_timeline` finds a timeline again: a name of the library's, or its path."""
        if timeline.file is None:
            return timeline.name
        is_ours = self.library.list_files(TIMELINES).get(timeline.file.stem) == timeline.file
        return timeline.file.stem if is_ours else str(timeline.file)

    # -- on the disk thread --------------------------------------------------------------------------------------

    def _save_state(self) -> None:
        self._autosave.write(self.state())

    def _save_show(self, folder: Path, state: ShowState) -> None:
        missing = Show(state).save(folder, self.library)
        self._show = ShowState(name=state.name or folder.name, folder=str(folder))
        self.shelf.settle_in(self.library)
        for sentence in missing:
            self._tell(sentence)
        self._tell(f"{SAVED} {folder}")

    def _load_show(self, folder: Path) -> None:
        show, sentences = Show.load(folder)
        self._show = show.state
        self._take_over(show.state)
        for sentence in sentences:
            self._tell(sentence)

    def _open_timeline(self, name: str, position: float) -> None:
        timeline, problems = load_timeline(self.library.find_file(name, TIMELINES), self.library)
        for sentence in (*map(str, problems), *timeline.notes):
            self._tell(sentence)
        self.timeline.load(timeline, position)
        self._timeline_name = name

    def _write(self, path: Path, text: str) -> None:
        self._disk.do(lambda: write_text(path, text))

    def _take_over(self, state: ShowState) -> None:
        """Stand where a state stands. What is wrong in it was told when it was read."""
        self.shelf.read(self.library)
        for slot, name in enumerate(state.slots or (), start=1):
            with contextlib.suppress(UnknownLookError):
                self.shelf.assign(slot, name)
        self.cues.replace_all(state.cues)
        values = {address: parameter.default for address, parameter in PARAMETERS.items() if address not in NOT_KEPT}
        values |= state.values
        # one past the last cue is as far as a list goes, whatever the file says
        values[CURRENT_CUE_ADDRESS] = min(int(values[CURRENT_CUE_ADDRESS]), len(state.cues))
        values[NEXT_CUE_ADDRESS] = min(int(values[NEXT_CUE_ADDRESS]), len(state.cues) + 1)
        self._controls.set_many(values, "show")
        if state.timeline:
            try:
                self._open_timeline(state.timeline, state.position)
            except FileError as error:
                self._tell(str(error))
