"""The programme monitor's frame with the layers that lie under and over it on the outputs."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from engine.frame_ring import Frame
from engine.parameter import Value
from vj.output.layer_params import LayerParams
from vj.output.layered_scenes import LayerFiles
from vj.output.small_picture import laid_together

LARGEST_PICTURE = 160  # pixels across: what is laid together costs the window's time
NO_STREAM = Frame(np.zeros((90, 160, 4), np.uint8), 0, 0, 16.0, 0, 0, 0)


class LayeredFrames:
    """Reads the inputs' files for the panels. Belongs to the GUI thread; waits for nobody."""

    def __init__(self, folder: Path | None) -> None:
        """`folder` is the run's; None = there are no inputs."""
        self._files = LayerFiles(folder) if folder is not None else None
        self._laid: Frame | None = None  # the last one with layers: a freeze holds them too

    def lay(self, frame: Frame | None, values: Mapping[str, Value]) -> Frame | None:
        """Return the frame with its layers, smaller; the very same where none is seen."""
        if values["/vj/output/freeze"] and self._laid is not None:
            return self._laid
        params, self._laid = LayerParams.from_values(values), None
        if self._files is None or not any(params.number):
            return frame
        composition = self._files.compose(params, time.monotonic_ns())
        if composition is None:
            return frame
        shown = frame or NO_STREAM
        step = -(-shown.pixels.shape[1] // LARGEST_PICTURE)
        self._laid = dataclasses.replace(shown, pixels=laid_together(shown.pixels[::step, ::step], composition))
        return self._laid
