"""One play for any number of outputs: one of them moves it on, the others draw what it has read, each at its own delay.

Belongs to the thread that draws. Knows nothing of windows, GL or of how a scene comes about.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol

from vj.output.continuity import Scene
from vj.output.delay import LONGEST_NS
from vj.output.params import OutputParams

NS_PER_MS = 1_000_000
SILENT_NS = 50_000_000  # an output that drew nothing for so long does not move the play on: three refreshes at 60 Hz


class SceneSource(Protocol):
    """Whoever decides what is to be drawn: `vj.output.continuity.Continuity`."""

    def scene_at(self, now_ns: int, params: OutputParams) -> Scene:
        """Move on to `now_ns` and say what to draw. Called once per refresh of one output."""
        ...

    def note_lag(self, lag_ns: int) -> None:
        """Take in how long a drawing of that output takes to its light."""
        ...


class SharedScenes:
    """Hands one source to several outputs. The play goes on as long as any of them draws."""

    def __init__(self, source: SceneSource) -> None:
        self._source = source
        self._views: list[SceneView] = []
        self._read: deque[tuple[int, Scene]] = deque()  # by the moment they belong to, as long as the longest delay

    def view(self) -> SceneView:
        """Return one output's own way in; the first one leads where delays are equal."""
        view = SceneView(self)
        self._views.append(view)
        return view

    def drop(self, view: SceneView) -> None:
        """Forget an output that is closed."""
        self._views.remove(view)

    def note_lag(self, view: SceneView, lag_ns: int) -> None:
        """Take in an output's time from drawing to light (ns)."""
        if self._leader(view.asked_ns) is view:
            self._source.note_lag(lag_ns)

    def scene_at(self, view: SceneView, played_ns: int, params: OutputParams) -> Scene:
        """Return what belongs to `played_ns`: read anew by the leader, remembered for the others."""
        now_ns = played_ns + round(params.delay * NS_PER_MS)
        view.asked_ns, view.delay_ms = now_ns, params.delay
        newest_ns = self._read[-1][0] if self._read else None
        if newest_ns is None or (played_ns > newest_ns and self._leader(now_ns) is view):
            view.held = None
            return self._read_on(played_ns, params)
        scene = next((scene for at_ns, scene in reversed(self._read) if at_ns <= played_ns), self._read[0][1])
        # a freeze holds at once, whatever is on the way to this output
        view.held = (view.held or scene) if params.freeze else None
        return view.held or scene

    def _leader(self, now_ns: int) -> SceneView | None:
        """The output with the least delay among those that draw: it needs the newest scene."""
        drawing = [view for view in self._views if view.asked_ns and now_ns - view.asked_ns < SILENT_NS]
        return min(drawing, key=lambda view: view.delay_ms, default=None)

    def _read_on(self, played_ns: int, params: OutputParams) -> Scene:
        scene = self._source.scene_at(played_ns, params)
        self._read.append((played_ns, scene))
        kept_ns = LONGEST_NS if len(self._views) > 1 else 0  # alone, nobody asks for what was
        while len(self._read) > 1 and self._read[1][0] <= played_ns - kept_ns:
            self._read.popleft()
        return scene


class SceneView:
    """What one output asks for scenes."""

    def __init__(self, scenes: SharedScenes) -> None:
        self._scenes = scenes
        self.asked_ns = 0  # when it last drew
        self.delay_ms = 0.0
        self.held: Scene | None = None  # while frozen

    def scene_at(self, now_ns: int, params: OutputParams) -> Scene:
        """Say what to draw at `now_ns`."""
        return self._scenes.scene_at(self, now_ns, params)

    def note_lag(self, lag_ns: int) -> None:
        """Say how long a drawing takes to its light."""
        self._scenes.note_lag(self, lag_ns)

    def close(self) -> None:
        """Draw no more."""
        self._scenes.drop(self)
