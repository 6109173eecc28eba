"""Opening and decoding through FFmpeg's libraries: their errors as sentences, bad packets left out.

Knows nothing of when a picture is to be seen.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import av
from av.codec.context import Flags
from av.container import InputContainer

from vj.inputs.sources.source import SourceError

OPEN_S = 10.0  # an address that does not answer is given up after this
READ_S = 3.0  # and one that sends nothing any more after this; devices hang on: they are ended from outside
LEAST_ASPECT = 0.4  # of a pixel; narrower ones do not exist
BAD_PACKETS = 50  # in a row that give no picture: the source is corrupt


@dataclass(frozen=True)
class Opening:
    """What FFmpeg is asked to open, and how."""

    where: str
    format: str | None = None
    options: dict[str, str] = field(default_factory=dict)


class Decoder:
    """The first video stream of one container. Used by one thread."""

    def __init__(self, opening: Opening, name: str, *, is_low_latency: bool = False) -> None:
        """Open it. Raises SourceError; `name` is what sentences call it."""
        self.name = name
        self.container = _open(opening, name)
        streams = self.container.streams.video
        if not streams:
            self.container.close()
            raise SourceError(f"{name} has no picture in it")
        self.stream = streams[0]
        self.stream.thread_type = "SLICE" if is_low_latency else "AUTO"  # threads by frame hold frames back
        if is_low_latency:
            self.stream.codec_context.flags |= Flags.low_delay
        self._packets: Iterator[av.Packet] | None = None
        self._bad = 0

    @property
    def rate_fps(self) -> float:
        """Frames a second as the container says; 0 = it does not."""
        return float(self.stream.average_rate or self.stream.base_rate or 0.0)

    @property
    def pixel_aspect(self) -> float:
        """Width of a pixel over its height as the stream says; 1 where it does not, or says nonsense."""
        aspect = float(self.stream.sample_aspect_ratio or 1.0)
        return aspect if LEAST_ASPECT <= aspect <= 1.0 / LEAST_ASPECT else 1.0

    def next_frames(self) -> list[av.VideoFrame] | None:
        """Decode the next packet; none for a bad one. None = the end. Raises SourceError."""
        if self._packets is None:
            self._packets = self.container.demux(self.stream)
        try:
            packet = next(self._packets)
            frames = packet.decode()
        except (StopIteration, av.EOFError):
            self._packets = None
            return None
        except av.ExitError:
            raise SourceError(f"{self.name} is gone: nothing came for {READ_S:g} s") from None
        except (av.InvalidDataError, av.BlockingIOError) as error:
            return self._note_bad(error)
        except (av.FFmpegError, OSError) as error:
            raise SourceError(f"{self.name} is gone: {reason(error)}") from None
        if frames:
            self._bad = 0
        return list(frames)

    def seek(self, to_s: float) -> None:
        """Go to the last whole picture before `to_s` of the container's own time. Raises SourceError."""
        self._packets = None
        try:
            self.container.seek(max(0, round(to_s * av.time_base)), backward=True)
        except (av.FFmpegError, OSError) as error:
            raise SourceError(f"{self.name} cannot be played from {to_s:.1f} s: {reason(error)}") from None

    def close(self) -> None:
        """Let go of it."""
        self._packets = None
        self.container.close()

    def _note_bad(self, error: av.FFmpegError) -> list[av.VideoFrame]:
        self._packets = None  # the generator ended with the error
        self._bad += 1
        if self._bad > BAD_PACKETS:
            raise SourceError(f"{self.name} is corrupt: {reason(error)}") from None
        time.sleep(0.001)
        return []


def reason(error: OSError | av.FFmpegError) -> str:
    """Say what an error means, without numbers and names of functions."""
    return (error.strerror or str(error)).strip().rstrip(".").lower()


def _open(opening: Opening, name: str) -> InputContainer:
    try:
        return av.open(opening.where, format=opening.format, options=dict(opening.options), timeout=(OPEN_S, READ_S))
    except av.ExitError:
        raise SourceError(f"{name} did not answer within {OPEN_S:.0f} s") from None
    except (av.FFmpegError, OSError, ValueError) as error:
        said = reason(error) if isinstance(error, OSError | av.FFmpegError) else str(error)
        raise SourceError(f"{name} cannot be opened: {said}") from None
