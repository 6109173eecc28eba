"""Sound to packets, on the pictures' clock: what a device drifts is stretched, what is missing is silence.

Belongs to the encoding thread of the recorder. Reads the samples the instrument listens to; waits for nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.filter import Graph

from vj.recording.packets import SOUND_HZ, TIME_BASES, CodedPacket
from vj.sound.shared_samples import SharedSamples

SECOND_NS = 1_000_000_000
FOLLOW = 0.03  # per look: how fast our clock of the device follows its own, which trembles
JUMP_NS = 80_000_000  # further off than this it is believed at once
LATE_NS = 400_000_000  # sound that has not come by then is silence: pictures do not wait for it in the file
LEFT_NS = 200_000_000  # of which so much is left open
GLOBAL_HEADER = 1 << 22
AAC_RATE = 256_000
FRAME_SAMPLES = 1024
MICROSECONDS = Fraction(1, 1_000_000)
# up to 2 % faster or slower; more than 0.1 s at once is cut or filled with silence
STRETCH = "async=1000:min_comp=0.002:min_hard_comp=0.1"


class SoundTrack:
    """Encodes from `begin_ns` on, which is the zero of its packets' times."""

    def __init__(self, path: Path, codec: str, begin_ns: int) -> None:
        """`path` is where the samples are shared, `codec` FFmpeg's encoder, `begin_ns` a time.monotonic_ns()."""
        self.is_heard = False  # whether sound came lately
        self._path = path
        self._begin_ns = begin_ns
        self._shared: SharedSamples | None = None
        self._read = 0  # samples taken of what is shared
        self._origin_ns: float | None = None  # when its first sample was captured, by our clock of the device
        self._until_ns = begin_ns  # up to here sound or silence was given
        self._given = 0  # samples the encoder was given
        self._nowhere = av.open(os.devnull, "w", format="null")
        self.template = self._nowhere.add_stream(codec, SOUND_HZ)
        self._context = self.template.codec_context
        self._context.layout = "stereo"
        self._context.flags |= GLOBAL_HEADER
        if codec == "aac":
            self._context.bit_rate = AAC_RATE
        self._form = self._context.format.name
        self._nowhere.start_encoding()
        self._rate_hz = SOUND_HZ
        self._graph = self._make_graph()

    def begin_at(self, begin_ns: int) -> None:
        """Move the zero, before anything was asked for."""
        self._begin_ns = self._until_ns = begin_ns

    def due(self, now_ns: int) -> list[CodedPacket]:
        """Return what has come to be heard since the last call."""
        self._attach()
        packets = [packet for samples, at_ns in self._new_samples() for packet in self._give(samples, at_ns)]
        if now_ns - self._until_ns > LATE_NS:
            self.is_heard = False
            silent_ns = now_ns - LEFT_NS - self._until_ns
            silence = np.zeros((round(silent_ns * self._rate_hz / SECOND_NS), 2), np.float32)
            packets += self._give(silence, self._until_ns)
        return packets

    def finish(self) -> list[CodedPacket]:
        """Return what the encoder still holds."""
        return self._packets(None)

    # -- what is shared ----------------------------------------------------------------------------------------------

    def _attach(self) -> None:
        """Follow the file at the path: another device has a new one."""
        if self._shared is not None and self._shared.is_current:
            return
        try:
            self._shared = SharedSamples.attach(self._path)
        except (OSError, ValueError):
            self._shared = None
            return
        newest = self._shared.newest()
        self._read, self._origin_ns = newest.written if newest is not None else 0, None
        if self._shared.rate_hz != self._rate_hz:
            self._rate_hz = self._shared.rate_hz
            self._graph = self._make_graph()

    def _new_samples(self) -> Iterator[tuple[np.ndarray, int]]:
        """Yield what came since, as stereo, and when its first sample was captured."""
        shared = self._shared
        newest = shared.newest() if shared is not None else None
        if newest is None or newest.written <= self._read:
            return
        origin_ns = newest.end_ns - newest.written * SECOND_NS / shared.rate_hz
        if self._origin_ns is None or abs(origin_ns - self._origin_ns) > JUMP_NS:
            self._origin_ns = origin_ns
        self._origin_ns += FOLLOW * (origin_ns - self._origin_ns)
        start = max(self._read, newest.written - shared.capacity // 2)
        self._read = newest.written
        samples = shared.read(start, newest.written)
        stereo = samples[:, [0, min(1, shared.channels - 1)]]
        at_ns = round(self._origin_ns + start * SECOND_NS / shared.rate_hz)
        until_ns = at_ns + round(len(stereo) * SECOND_NS / shared.rate_hz)
        if until_ns > self._begin_ns:
            self.is_heard = True
            self._until_ns = max(self._until_ns, until_ns)
            yield stereo, at_ns

    # -- encoding ----------------------------------------------------------------------------------------------------

    def _give(self, stereo: np.ndarray, at_ns: int) -> list[CodedPacket]:
        if not len(stereo):
            return []
        self._until_ns = max(self._until_ns, at_ns + round(len(stereo) * SECOND_NS / self._rate_hz))
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(stereo).reshape(1, -1), format="flt", layout="stereo")
        frame.sample_rate = round(self._rate_hz)
        frame.time_base = MICROSECONDS
        frame.pts = (at_ns - self._begin_ns) // 1000
        self._graph.push(frame)
        return self._pulled()

    def _pulled(self) -> list[CodedPacket]:
        packets = []
        while True:
            try:
                frame = self._graph.pull()
            except (av.BlockingIOError, av.EOFError):
                return packets
            frame.pts, frame.time_base = self._given, TIME_BASES["audio"]
            self._given += frame.samples
            packets += self._packets(frame)

    def _packets(self, frame: av.AudioFrame | None) -> list[CodedPacket]:
        return [
            CodedPacket("audio", bytes(packet), packet.pts, packet.dts, packet.duration or FRAME_SAMPLES)
            for packet in self._context.encode(frame)
        ]

    def _make_graph(self) -> Graph:
        """From the device's samples to the encoder's, without a gap from the sample given last on."""
        graph = Graph()
        chain = (
            graph.add_abuffer(sample_rate=round(self._rate_hz), format="flt", layout="stereo", time_base=MICROSECONDS),
            graph.add("aresample", f"{SOUND_HZ}:{STRETCH}:first_pts={self._given}"),
            graph.add("aformat", f"sample_fmts={self._form}:sample_rates={SOUND_HZ}:channel_layouts=stereo"),
            graph.add("asetnsamples", f"n={FRAME_SAMPLES}:p=0"),
            graph.add("abuffersink"),
        )
        graph.link_nodes(*chain).configure()
        return graph
