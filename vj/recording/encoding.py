"""One encoder and one sound track at work: everything that is due by now as packets. Made anew when settings change.

Belongs to the encoding thread of the recorder. Knows nothing of files.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from av.stream import Stream

from engine.video_in.input_ring import InputRing
from vj.recording.pace import Pace
from vj.recording.packets import CodedPacket
from vj.recording.sound_track import SoundTrack
from vj.recording.video_encoder import open_encoder
from vj.sound.shared_samples import SAMPLES_NAME
from vj.stage.block import PICTURES_NAME

REFRESH_FPS = 60  # what an encoder is told to expect where each picture has its own moment
AT_ONCE = 8  # pictures encoded between two looks at anything else


class Pictures:
    """The ring of the output's pictures, wherever it stands now."""

    def __init__(self, folder: Path) -> None:
        """`folder` is the run's."""
        self._path = folder / PICTURES_NAME
        self.ring: InputRing | None = None

    def look(self) -> bool:
        """Attach to the ring at the path; say whether it is another one than before."""
        if self.ring is not None and self.ring.is_current:
            return False
        self.close()
        try:
            self.ring = InputRing.attach(self._path)
        except (OSError, ValueError):
            return False
        return True

    def close(self) -> None:
        """Let go of it."""
        if self.ring is not None:
            self.ring.close()
            self.ring = None


class Encoding:
    """Begins with the next picture."""

    def __init__(
        self, folder: Path, ring: InputRing, codec: str, rate_fps: int | None, avoided: frozenset[str], has_sound: bool
    ) -> None:
        """Open the encoders for pictures of the ring's size. Raises EncoderError."""
        self.codec = codec
        size = (ring.width, ring.height)
        self.video, self.said = open_encoder(codec, size, rate_fps or REFRESH_FPS, avoided)
        self._pace = Pace(rate_fps, time.monotonic_ns())
        self.sound: SoundTrack | None = None
        if has_sound:
            self.sound = SoundTrack(folder / SAMPLES_NAME, self.video.kind.sound, self._pace.begin_ns)
        self._has_begun = False

    @property
    def dropped(self) -> int:
        """Pictures that could not be had in time, so far."""
        return self._pace.dropped

    @property
    def templates(self) -> Mapping[str, Stream]:
        """The tracks of a file that takes the packets."""
        tracks = {"video": self.video.template}
        return tracks | {"audio": self.sound.template} if self.sound is not None else tracks

    def change_ring(self) -> None:
        """Go on with a ring that was made anew."""
        self._pace.change_ring()

    def due(self, ring: InputRing | None) -> list[CodedPacket]:
        """Encode what has come since. Raises EncoderError."""
        packets = self._due_pictures(ring) if ring is not None else []
        if self.sound is not None and self._has_begun:
            packets += self.sound.due(time.monotonic_ns())
        return packets

    def finish(self) -> list[CodedPacket]:
        """Return what the encoders still hold; the end. Raises EncoderError."""
        packets = self.video.finish() if self._has_begun else []
        return packets + (self.sound.finish() if self.sound is not None and self._has_begun else [])

    def _due_pictures(self, ring: InputRing) -> list[CodedPacket]:
        packets: list[CodedPacket] = []
        for _ in range(AT_ONCE):
            due = self._pace.due(ring, time.monotonic_ns())
            if due is None:
                break
            is_same = due.serial == 0 or self.video.holds(due.serial)
            frame = None if is_same else ring.read(due.serial)
            if frame is None and not is_same:
                self._pace.dropped += 1  # written over while it was copied
                continue
            if not self._has_begun:
                self._has_begun = True
                if self.sound is not None:
                    self.sound.begin_at(self._pace.begin_ns)
            packets += self.video.encode(due.serial, None if frame is None else frame.pixels, due.at_ticks)
        return packets
