"""The play with inputs laid under and over it: between what decides on the stream's picture and the outputs.

Belongs to the thread that draws; waits for nobody. Knows nothing of GL, windows or the store.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable
from pathlib import Path

from engine.video_in.given import strength_after
from engine.video_in.input_ring import ring_name
from engine.video_in.params import INPUTS
from vj.output.composition import Composition, LaidInput
from vj.output.continuity import Scene
from vj.output.layer_file import LayerFile
from vj.output.layer_params import LAYERS, LayerParams
from vj.output.params import OutputParams
from vj.output.shared_scenes import SceneSource

NS_PER_MS = 1_000_000


class LayerFiles:
    """The files of all inputs of a run, and what of them is laid. Belongs to one thread; waits for nobody."""

    def __init__(self, folder: Path) -> None:
        """`folder` is the run's."""
        self._files = {number: LayerFile(folder / ring_name(number, "layer")) for number in range(1, INPUTS + 1)}

    def compose(self, params: LayerParams, now_ns: int) -> Composition | None:
        """What lies there now (time.monotonic_ns); None when no layer has anything to show."""
        laid = (self._lay(index, params, now_ns) for index in range(LAYERS) if params.number[index])
        seen = tuple(one for one in laid if one is not None)
        return Composition(params, seen) if seen else None

    def close(self) -> None:
        """Let go of every file."""
        for file in self._files.values():
            file.close()

    def _lay(self, index: int, params: LayerParams, now_ns: int) -> LaidInput | None:
        file = self._files[params.number[index]]
        frame = file.frame_at(now_ns)
        strength = strength_after(file.age_ns(now_ns))
        return LaidInput(index, frame, strength) if frame is not None and strength > 0.0 else None


class LayeredScenes:
    """Adds the layers to each scene of a source. Without layers a scene passes as it is."""

    def __init__(self, source: SceneSource, folder: Path, read_params: Callable[[], LayerParams]) -> None:
        """`folder` is the run's, where inputs have their files."""
        self._source = source
        self._files = LayerFiles(folder)
        self._read_params = read_params
        self._read: deque[tuple[int, Composition | None]] = deque()  # by the moment, as long as the output's delay
        self._held: Composition | None = None  # what a freeze holds

    def scene_at(self, now_ns: int, params: OutputParams) -> Scene:
        """Move on to `now_ns` and say what to draw, layers included. Once per refresh."""
        scene = self._source.scene_at(now_ns, params)
        laid = self._laid_at(now_ns, now_ns + round(params.delay * NS_PER_MS), params)
        return scene if laid is None else dataclasses.replace(scene, composition=laid)

    def note_lag(self, lag_ns: int) -> None:
        """Take in how long a drawing takes to its light."""
        self._source.note_lag(lag_ns)

    def close(self) -> None:
        """Let go of every file."""
        self._files.close()

    def _laid_at(self, played_ns: int, now_ns: int, params: OutputParams) -> Composition | None:
        """What lies there at `played_ns`, which an output's delay keeps behind `now_ns`."""
        if params.freeze:
            settings = self._read_params()  # the frames are held; a hand on them is not
            return self._held and dataclasses.replace(self._held, params=settings)
        self._read.append((now_ns, self._files.compose(self._read_params(), now_ns)))
        while len(self._read) > 1 and self._read[1][0] <= played_ns:
            self._read.popleft()
        self._held = self._read[0][1]
        return self._held
