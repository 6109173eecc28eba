"""The last seconds, encoded, in memory: to be written into a file when a key is pressed.

Knows nothing of encoders.
"""

from __future__ import annotations

from collections import deque

from vj.recording.packets import CodedPacket

ROOM_BYTES = 1 << 30


class Replay:
    """Packets of the last seconds. Belongs to the encoding thread."""

    def __init__(self, length_s: float, room_bytes: int = ROOM_BYTES) -> None:
        """Hold `length_s` and up to the key picture before; fewer where they do not fit into `room_bytes`."""
        self.length_s = length_s
        self.size_bytes = 0
        self._room_bytes = room_bytes
        self._packets: deque[CodedPacket] = deque()
        self._keys: deque[float] = deque()  # when each key picture held is shown
        self._end_s = 0.0

    @property
    def held_s(self) -> float:
        """How much it would play now."""
        return self._end_s - self._keys[0] if self._keys else 0.0

    def put(self, packet: CodedPacket) -> None:
        """Take one packet and forget what is too old."""
        self._packets.append(packet)
        self.size_bytes += len(packet.data)
        if packet.track == "video":
            self._end_s = max(self._end_s, packet.end_s)
            if packet.is_key:
                self._keys.append(packet.at_s)
        while len(self._keys) > 1 and (
            self._keys[1] <= self._end_s - self.length_s or self.size_bytes > self._room_bytes
        ):
            self._keys.popleft()
            self._drop_before(self._keys[0])

    def packets(self) -> list[CodedPacket]:
        """Everything held, oldest first; the first picture is a key picture."""
        return list(self._packets)

    def _drop_before(self, at_s: float) -> None:
        """Forget up to the key picture at this moment; sound that came late is left out by the file."""
        while self._packets and not (
            self._packets[0].track == "video" and self._packets[0].is_key and self._packets[0].at_s >= at_s
        ):
            self.size_bytes -= len(self._packets.popleft().data)
