"""Pictures kept by a key press: of an input or of the output, as PNG files of the user's, into the reference pads.

The press only orders; reading the rings and writing the file are the disk thread's. Knows nothing of Qt.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np

from engine.video_in.input_ring import InputRing, ring_name
from engine.video_in.params import REFERENCES
from vj.controls import Controls, Press
from vj.inputs.still_params import (
    GUIDE_INPUT_ADDRESS,
    PAINTED_INPUT_ADDRESS,
    from_input_address,
    from_output_address,
)
from vj.shipped_files import user_folder
from vj.stage.block import RING_NAME
from vj.stage.preview import RingPreview
from vj.written_files import FileError, replace_file

REFERENCE_FOLDER, MASK_FOLDER = "references", "masks"  # in the user's folder
FASTEST_PNG = 1  # of zlib's levels: a performer waits for this file

Job = Callable[[], None]


class NoPictureError(Exception):
    """There is nothing to take a picture of; the sentence says why."""


class Stills:
    """Answers the triggers of `still_params`. Any thread may press; `on_disk` has a job done on the disk thread."""

    def __init__(
        self, controls: Controls, folder: Path, on_disk: Callable[[Job], None], tell: Callable[[str], None]
    ) -> None:
        """`folder` holds the rings of the run; `tell` takes sentences for the performer."""
        self._controls = controls
        self._folder = folder
        self._on_disk = on_disk
        self._tell = tell
        for pad in range(1, REFERENCES + 1):
            controls.answer(from_input_address(pad), lambda press, pad=pad: self._order(self._from_input, pad, press))
            controls.answer(from_output_address(pad), lambda press, pad=pad: self._order(self._from_output, pad, press))

    def keep_mask(self, mask: np.ndarray, then: Callable[[Path], None]) -> None:
        """Write a drawn mask (H, W) uint8 and hand its path to `then`, on the disk thread. Never waits."""
        self._on_disk(lambda: then(write_png(user_folder(MASK_FOLDER), "mask", mask)))

    def _order(self, take: Callable[[], tuple[np.ndarray, str]], pad: int, press: Press) -> None:
        self._on_disk(lambda: self._take(take, pad, press.source))

    def _take(self, take: Callable[[], tuple[np.ndarray, str]], pad: int, source: str) -> None:
        try:
            rgb, name = take()
        except NoPictureError as error:
            self._tell(f"reference {pad}: {error}")
            return
        path = write_png(user_folder(REFERENCE_FOLDER), name, rgb)
        self._controls.set_many({f"/vj/vace/ref/{pad}/file": str(path), f"/vj/vace/ref/{pad}/on": True}, source)

    def _from_input(self) -> tuple[np.ndarray, str]:
        """The newest picture of the input that guides, or is painted over."""
        number = int(self._controls.store.get(GUIDE_INPUT_ADDRESS))
        number = number or int(self._controls.store.get(PAINTED_INPUT_ADDRESS))
        try:
            ring = InputRing.attach(self._folder / ring_name(number, "layer"))
        except (OSError, ValueError):
            raise NoPictureError(f"input {number} shows nothing; choose its source first") from None
        frame = ring.newest() or ring.newest()  # the first try may meet a picture being overwritten
        ring.close()
        if frame is None:
            raise NoPictureError(f"input {number} has no picture yet")
        return frame.pixels[..., :3], f"input{number}"

    def _from_output(self) -> tuple[np.ndarray, str]:
        """What is on screen of the stream."""
        preview = RingPreview(self._folder / RING_NAME)
        frame = preview.frame()
        preview.close()
        if frame is None:
            raise NoPictureError("the stream has no picture yet")
        return frame.pixels[..., :3], "output"


def write_png(folder: Path, name: str, pixels: np.ndarray) -> Path:
    """Write (H, W, 3) RGB or (H, W) grey uint8 under a name with date and time; return the path. Raises FileError."""
    now = datetime.now().astimezone()
    milliseconds = time.monotonic_ns() // 1_000_000 % 1000  # two of the same second do not meet
    path = folder / f"{name}_{now:%Y-%m-%d_%H-%M-%S}-{milliseconds:03d}.png"
    ordered = pixels if pixels.ndim == 2 else cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2BGR)
    is_well, encoded = cv2.imencode(".png", ordered, [cv2.IMWRITE_PNG_COMPRESSION, FASTEST_PNG])
    if not is_well:
        raise FileError(path, f"no PNG can be made of a picture of shape {pixels.shape}")
    replace_file(path, lambda file: file.write(encoded.tobytes()))
    return path
