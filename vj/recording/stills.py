"""Stills: the picture the audience sees at a press, as a PNG file that says what it was made with.

The press only orders; waiting for the picture and writing are a thread's of its own. Knows nothing of Qt.
"""

from __future__ import annotations

import contextlib
import json
import struct
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np

from engine.parameter import Value
from engine.params import PROMPT_PADS
from engine.video_in.input_ring import InputRing
from vj.controls import Controls, Press
from vj.recording.names import SAVED_FILE, file_stem, recording_folder
from vj.recording.params import STILL_ADDRESS
from vj.stage.picture_demand import PictureDemand
from vj.written_files import FileError, replace_file

WAIT_S = 3.0  # for the output's next picture
LOOK_S = 0.005
MOST_AT_ONCE = 8  # a key that is held down
SIGNATURE_BYTES = 8
CHUNK = struct.Struct(">I4s")
MOST_NAMES = 1000


class StillCapture:
    """Answers the trigger. Any thread may press."""

    def __init__(
        self,
        controls: Controls,
        pictures: PictureDemand,
        ring: Path,
        facts: Callable[[], Mapping[str, str]],
        tell: Callable[[str], None],
    ) -> None:
        """`ring` is where the output's pictures are; `facts` says what plays: model, look; `tell` takes sentences."""
        self._controls = controls
        self._pictures = pictures
        self._ring = ring
        self._facts = facts
        self._tell = tell
        self._waiting = 0
        self._lock = threading.Lock()
        controls.answer(STILL_ADDRESS, self._order)

    def _order(self, press: Press) -> None:
        with self._lock:
            if self._waiting >= MOST_AT_ONCE:
                return
            self._waiting += 1
        values, facts, pressed_ns = self._controls.store.snapshot(), self._facts(), time.monotonic_ns()
        self._pictures.want("still", True)
        threading.Thread(target=self._take, args=(values, facts, pressed_ns), name="still", daemon=True).start()

    def _take(self, values: Mapping[str, Value], facts: Mapping[str, str], pressed_ns: int) -> None:
        try:
            pixels = self._picture_after(pressed_ns)
        finally:
            with self._lock:
                self._waiting -= 1
                if not self._waiting:
                    self._pictures.want("still", False)
        if pixels is None:
            self._tell("no still was taken: the output gave no picture")
            return
        stem = file_stem(recording_folder(str(values["/vj/record/folder"])), facts.get("look", ""))
        try:
            path = write_still(stem, pixels, still_texts(values, facts))
        except (FileError, OSError) as error:
            self._tell(f"no still was saved: {error}")
            return
        self._tell(f"{SAVED_FILE} {path}")

    def _picture_after(self, pressed_ns: int) -> np.ndarray | None:
        """The first picture drawn after the press, (H, W, 3) RGB; None when none comes."""
        until_s = time.monotonic() + WAIT_S
        while time.monotonic() < until_s:
            with contextlib.suppress(OSError, ValueError):  # none yet, or being replaced
                ring = InputRing.attach(self._ring)
                frame = ring.read(ring.serial_at(pressed_ns) + 1) or ring.newest()
                ring.close()
                if frame is not None and frame.arrived_ns >= pressed_ns:
                    return frame.pixels[..., :3]
            time.sleep(LOOK_S)
        return None


def still_texts(values: Mapping[str, Value], facts: Mapping[str, str]) -> dict[str, str]:
    """What a still says of itself: prompts with their weights, seed, look, model, moment."""
    prompts = [
        {"text": values[f"/vj/prompt/{n}/text"], "weight": round(float(values[f"/vj/prompt/{n}/weight"]), 4)}
        for n in range(1, PROMPT_PADS + 1)
        if values[f"/vj/prompt/{n}/text"] and float(values[f"/vj/prompt/{n}/weight"]) > 0.0
    ]
    heaviest = max(prompts, key=lambda prompt: prompt["weight"], default={"text": ""})
    return {
        "Software": "vj",
        "Creation Time": datetime.now().astimezone().isoformat(timespec="milliseconds"),
        "Description": str(heaviest["text"]),
        "vj:prompts": json.dumps(prompts, ensure_ascii=False),
        "vj:seed": str(values["/vj/seed/value"]),
        **{f"vj:{name}": text for name, text in facts.items()},
    }


def write_still(stem: Path, pixels: np.ndarray, texts: Mapping[str, str]) -> Path:
    """Write (H, W, 3) uint8 RGB as a new PNG file with texts in it; return its path. Raises FileError, OSError."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    is_well, encoded = cv2.imencode(".png", cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2BGR))
    if not is_well:
        raise FileError(stem, f"no PNG can be made of a picture of shape {pixels.shape}")
    data = with_texts(encoded.tobytes(), texts)
    for number in range(1, MOST_NAMES):
        path = stem.with_name(stem.name + (f" {number}" if number > 1 else "") + ".png")
        with contextlib.suppress(FileExistsError):
            path.touch(exist_ok=False)
            replace_file(path, lambda file: file.write(data))
            return path
    raise FileError(stem, f"and {MOST_NAMES} names like it are taken: choose another folder")


def with_texts(png: bytes, texts: Mapping[str, str]) -> bytes:
    """Put texts into a PNG file, after its header (PNG specification, 11.3.3: iTXt)."""
    header_end = SIGNATURE_BYTES + CHUNK.size + CHUNK.unpack_from(png, SIGNATURE_BYTES)[0] + 4
    chunks = [_chunk(key.encode("latin-1") + b"\0\0\0\0\0" + text.encode()) for key, text in texts.items()]
    return png[:header_end] + b"".join(chunks) + png[header_end:]


def _chunk(content: bytes) -> bytes:
    kind = b"iTXt"
    return CHUNK.pack(len(content), kind) + content + struct.pack(">I", zlib.crc32(kind + content))
