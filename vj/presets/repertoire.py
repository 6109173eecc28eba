"""What a show has prepared: looks in slots, a cue list, a timeline, and the folder they are kept in.

Builds and connects them. Knows nothing of windows, controllers or engines.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from vj.controls import Controls
from vj.presets.cue_list import CueList
from vj.presets.disk_thread import DiskThread
from vj.presets.look_shelf import LookShelf
from vj.presets.looks import Look, apply_look
from vj.presets.recall import Glider, Recall
from vj.presets.timeline import Timeline
from vj.presets.timeline_files import load_timeline
from vj.presets.timeline_transport import TimelineTransport
from vj.shipped_files import TIMELINES, Library
from vj.tempo.clock import Clock
from vj.written_files import write_text

AUTOSAVE_EVERY_S = 30.0


class Repertoire:
    """Built, started and stopped by one thread; its parts say which threads may use them."""

    def __init__(
        self, controls: Controls, clock: Clock, glider: Glider, tell: Callable[[str], None], library: Library
    ) -> None:
        """Read the looks. `tell` takes sentences for the performer, from any thread."""
        self._tell = tell
        self._library = library
        self._disk = DiskThread(tell, lambda: None, AUTOSAVE_EVERY_S)
        recall = Recall(controls, glider, lambda: clock.state.bpm)
        self._recall = recall
        self.shelf = LookShelf(recall, library, self._write, tell)
        self.cues = CueList(recall, self.shelf, tell)
        self.timeline = TimelineTransport(recall, clock.beat_at)

    def start(self) -> None:
        """Let the disk thread begin."""
        self._disk.start()

    def stop(self) -> None:
        """Write what waits to be written."""
        self._disk.stop()

    def begin_with(self, look: Look | None, timeline: Timeline | None, is_streaming: Callable[[], bool]) -> None:
        """Set the look the show begins with, and play the timeline from the first frame on."""
        if look is not None:
            apply_look(self._recall.controls, look)
        if timeline is not None:
            self.timeline.load(timeline)
            self.timeline.play_when(is_streaming)

    def open_timeline(self, name: str) -> None:
        """Load a timeline by name or path, to stand at its beginning. A bad file is told and changes nothing."""
        self._disk.do(lambda: self._open_timeline(name))

    def _open_timeline(self, name: str) -> None:
        timeline, problems = load_timeline(self._library.find_file(name, TIMELINES), self._library)
        for sentence in (*map(str, problems), *timeline.notes):
            self._tell(sentence)
        self.timeline.load(timeline)

    def _write(self, path: Path, text: str) -> None:
        self._disk.do(lambda: write_text(path, text))
