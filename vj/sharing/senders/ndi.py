"""NDI to the network, through cyndilib: listed by receivers as COMPUTER (NAME). Timecodes are the library's, in UTC."""

from __future__ import annotations

import sys

import numpy as np

from vj.sharing.drivers import AVAHI
from vj.sharing.kinds import KIND_OF
from vj.sharing.senders.sender import Opening, SenderError, load

KIND = KIND_OF["ndi"]
NAMES = 9  # tried, as in VJ Output 2: on one computer no two have the same
NO_AVAHI = "avahi-daemon does not run: receivers find this only by the computer's address"


class NdiSender:
    """One source. The library compresses on threads of its own while the next picture is made."""

    def __init__(self, opening: Opening) -> None:
        """Announce it. Raises SenderError."""
        self._cyndilib = {name: load(KIND, f"cyndilib.{name}") for name in ("sender", "video_frame", "audio_frame")}
        self._formats = load(KIND, "cyndilib.wrapper.ndi_structs").FourCC
        self._sender = self._open(opening)
        self.name = str(self._sender.name)
        self.note = NO_AVAHI if sys.platform == "linux" and not AVAHI.exists() else ""

    def _open(self, opening: Opening) -> object:
        """Open under the name, or the first free one after it: the library refuses one that is taken."""
        for number in range(1, NAMES + 1):
            name = opening.name if number == 1 else f"{opening.name} {number}"
            frame = self._cyndilib["video_frame"].VideoSendFrame()
            frame.set_resolution(opening.width, opening.height)
            frame.set_frame_rate(opening.rate)
            frame.set_fourcc(self._formats.RGBA if opening.has_alpha else self._formats.RGBX)
            # not clocked: the stage's refreshes are the clock
            sender = self._cyndilib["sender"].Sender(name, clock_video=False, clock_audio=False)
            sender.set_video_frame(frame)
            # never written to; without one the library crashes where it ought to refuse
            sender.set_audio_frame(self._cyndilib["audio_frame"].AudioSendFrame())
            try:
                sender.open()
            except MemoryError:  # its word for a name that is taken
                continue
            return sender
        raise SenderError(f"NDI opens no sender {opening.name!r}: this computer has {NAMES} of that name already")

    @property
    def receivers(self) -> int:
        """How many are connected."""
        return self._sender.get_num_connections(0)

    def send(self, pixels: np.ndarray) -> None:
        """Hand the picture over; waits while the one before is still being compressed."""
        if not self._sender.write_video_async(pixels.reshape(-1)):
            raise SenderError("NDI has closed the sender")

    def close(self) -> None:
        """Take it off the network."""
        self._sender.close()
