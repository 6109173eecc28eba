"""Art-Net in: what a lighting desk sends becomes control events, a channel a control.

Reads ArtDMX packets (Art-Net 4, opcode 0x5000) and nothing else. Knows nothing of mappings or parameters.
"""

from __future__ import annotations

import select
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass

from vj.controllers.events import DMX, DMX_CHANNELS, ControlEvent
from vj.controllers.osc.endpoint import OscEndpoint, find_reach, open_socket
from vj.controllers.osc.listener import STOP_CHECK_S, Listener

HEADER = b"Art-Net\0" + struct.pack("<H", 0x5000)
_FIELDS = struct.Struct(">BBBBBBH")  # version (two bytes), sequence, physical, sub-universe, net, length
UNIVERSES_KEPT = 64  # a desk fills a few; a stranger must not fill the memory
FRAME_NS = 16_000_000  # a universe plays at most this often; the newest frame wins
LEARNABLE_CHANNELS = 8  # of those no mapping plays: a hand moves a few faders, a light cue moves all of them
PAUSE_S = 0.003
BATCH_DATAGRAMS = 256
LARGEST_DATAGRAM_BYTES = 65536


@dataclass(frozen=True)
class DmxFrame:
    """One universe at one moment."""

    universe: int  # 0..32767, net and sub-universe together, as Art-Net counts
    sequence: int  # 1..255; 0 = the sender does not count
    levels: bytes  # of channels 1.., at most 512


@dataclass(frozen=True)
class ArtNetStatus:
    """What was heard so far."""

    address: str  # as desks reach it
    is_open: bool  # to the network
    frames: int
    universes: tuple[int, ...]
    malformed: int


def decode_frame(packet: bytes) -> DmxFrame | None:
    """Read an ArtDMX packet; None for anything else, polls of other desks among them."""
    start = len(HEADER) + _FIELDS.size
    if not packet.startswith(HEADER) or len(packet) < start:
        return None
    _, _, sequence, _, low, high, length = _FIELDS.unpack_from(packet, len(HEADER))
    levels = packet[start : start + min(length, DMX_CHANNELS)]
    if not 0 < len(levels) == min(length, DMX_CHANNELS):
        return None
    return DmxFrame((high & 0x7F) << 8 | low, sequence, levels)


class ArtNetInput:
    """A UDP port and the thread that reads it. Started and stopped by one thread; any may read `status`."""

    def __init__(
        self,
        endpoint: OscEndpoint,
        play_event: Callable[[ControlEvent], object],
        is_played: Callable[[str], bool],
    ) -> None:
        """`is_played` says whether a mapping plays a control. Raises OscPortError for a port that cannot be opened."""
        self._play_event = play_event
        self._is_played = is_played
        self._socket = open_socket(endpoint, "Art-Net")
        self.port: int = self._socket.getsockname()[1]
        self._reach = find_reach(self._socket, has_moved=False)
        # owned by the listening thread
        self._shown: dict[int, bytes] = {}  # levels last played, by universe
        self._newest: dict[int, DmxFrame] = {}
        self._waiting: set[int] = set()  # universes with a frame that has not been played
        self._played_ns: dict[int, int] = {}
        self._universes: tuple[int, ...] = ()
        self._frames = self._malformed = 0
        self._listener = Listener(self._socket, "art-net in", self._listen)

    @property
    def status(self) -> ArtNetStatus:
        """What was heard so far. Any thread; never waits."""
        return ArtNetStatus(self._reach.address, self._reach.is_open, self._frames, self._universes, self._malformed)

    def start(self) -> None:
        """Begin to listen."""
        self._listener.start()

    def stop(self) -> None:
        """Close the port; waits at most a second for the thread."""
        self._listener.stop()

    def _listen(self) -> None:
        while not self._listener.is_stopping:
            select.select([self._socket], [], [], PAUSE_S if self._waiting else STOP_CHECK_S)
            self._drain()
            now_ns = time.monotonic_ns()
            for universe in [u for u in self._waiting if now_ns - self._played_ns.get(u, 0) >= FRAME_NS]:
                self._play(universe, now_ns)
            time.sleep(PAUSE_S)  # a flood waits in the socket, not in the picture's way

    def _drain(self) -> None:
        """Take what is there, without waiting."""
        for _ in range(BATCH_DATAGRAMS):
            try:
                packet = self._socket.recv(LARGEST_DATAGRAM_BYTES)
            except OSError:  # nothing more; on Windows also what an earlier sending has found
                return
            self._take(packet)

    def _take(self, packet: bytes) -> None:
        frame = decode_frame(packet)
        if frame is None:
            self._malformed += 1
            return
        before = self._newest.get(frame.universe)
        if before is None and len(self._newest) >= UNIVERSES_KEPT:
            return
        if before is not None and _is_late(frame, before):
            return
        if before is None:
            self._universes = tuple(sorted((*self._universes, frame.universe)))
        self._frames += 1
        self._newest[frame.universe] = frame
        self._waiting.add(frame.universe)

    def _play(self, universe: int, now_ns: int) -> None:
        self._waiting.discard(universe)
        self._played_ns[universe] = now_ns
        levels = self._newest[universe].levels.ljust(DMX_CHANNELS, b"\0")
        before = self._shown.get(universe)
        self._shown[universe] = levels
        changed = [c for c in range(DMX_CHANNELS) if before is None or levels[c] != before[c]]
        is_hand = before is not None and len(changed) <= LEARNABLE_CHANNELS
        for channel in changed:
            control = f"{DMX}/{universe}/{channel + 1}"
            if is_hand or self._is_played(control):
                self._play_event(ControlEvent(DMX, control, levels[channel] / 255.0, now_ns))
        # a fine channel moves its pair as well
        for coarse in sorted({c for channel in changed for c in (channel - 1, channel) if 0 <= c < DMX_CHANNELS - 1}):
            control = f"{DMX}16/{universe}/{coarse + 1}"
            if self._is_played(control):
                value = (levels[coarse] << 8 | levels[coarse + 1]) / 65535.0
                self._play_event(ControlEvent(DMX, control, value, now_ns))


def _is_late(frame: DmxFrame, before: DmxFrame) -> bool:
    """Whether a frame was overtaken on its way: by the counter, which goes round from 255 to 1."""
    if not frame.sequence or not before.sequence:
        return False
    return (before.sequence - frame.sequence) % 255 < 128 and before.sequence != frame.sequence
