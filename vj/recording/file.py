"""One file that is being recorded: playable at any moment, whatever ends it, and never over another.

Belongs to one thread. Knows nothing of encoders but their streams, of which it makes tracks like them.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import shutil
import struct
from collections.abc import Mapping
from pathlib import Path

import av
from av.stream import Stream

from engine.mapped_file import is_at
from vj.recording.coders import FileKind
from vj.recording.packets import TIME_BASES, CodedPacket

ERRORS = (av.error.FFmpegError, OSError, ValueError)
BUFFER_BYTES = 1 << 16
LEAST_FREE_BYTES, MOST_FREE_BYTES = 1 << 20, 256 << 20  # a full disk takes the rest of the computer down
FREE_SHARE = 0.01  # of the disk
FREE_S = 3.0  # of what is written
MOST_NAMES = 1000
BOX = struct.Struct(">I4s")  # length, kind: the parts of an MP4 file
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class RecordingFileError(RuntimeError):
    """A file that cannot be begun or goes no further: a sentence."""


class RecordingFile:
    """Packets in, a file out. Its first video packet must be a key picture; its time is the file's zero."""

    def __init__(
        self, stem: Path, kind: FileKind, templates: Mapping[str, Stream], metadata: Mapping[str, str] | None = None
    ) -> None:
        """Make STEM.mp4 or the like, with a number where that is taken, and its folder. Raises RecordingFileError."""
        self.size_bytes = 0
        self.length_s = 0.0
        self.free_bytes = 0  # on its disk, when that was looked at last
        self._begin_s: float | None = None
        self._disk = _make_file(stem, kind.suffix)
        self.path = self._disk.path
        self._kind = kind
        try:
            self._container = av.open(
                self._disk, "w", format=kind.form, container_options=dict(kind.options), buffer_size=BUFFER_BYTES
            )
            self._container.metadata.update(metadata or {})
            self._tracks = {
                track: self._container.add_stream_from_template(stream, opaque=True)
                for track, stream in templates.items()
            }
            if kind.tag:
                self._tracks["video"].codec_context.codec_tag = kind.tag
            self._container.start_encoding()
        except ERRORS as error:
            self._disk.close()
            raise RecordingFileError(self._sentence("cannot be begun", error)) from None

    def write(self, packet: CodedPacket) -> None:
        """Append one packet; what lies before the first picture is left out. Raises RecordingFileError."""
        if self._begin_s is None:
            if packet.track != "video" or not packet.is_key:
                return
            self._begin_s = packet.at_s
        base = TIME_BASES[packet.track]
        begin = round(self._begin_s / base)
        if packet.track == "audio" and packet.pts < begin:
            return
        written = av.Packet(packet.data)
        written.time_base = base
        written.pts, written.dts = packet.pts - begin, packet.dts - begin
        written.duration = packet.duration
        written.is_keyframe = packet.is_key
        written.stream = self._tracks[packet.track]
        try:
            self._container.mux(written)
        except ERRORS as error:
            raise RecordingFileError(self._sentence("cannot be written any more", error)) from None
        self.size_bytes = self._disk.length
        if packet.track == "video":
            self.length_s = packet.end_s - self._begin_s

    def check(self, bytes_per_s: float) -> None:
        """Look whether the file is still there and the disk has room. Raises RecordingFileError; may take its time."""
        if not self._disk.is_there():
            raise RecordingFileError(f"{self.path} is gone: it was deleted or moved, or its disk was taken away")
        usage = shutil.disk_usage(self.path.parent)
        self.free_bytes = usage.free
        reserve = max(LEAST_FREE_BYTES, min(MOST_FREE_BYTES, FREE_SHARE * usage.total), FREE_S * bytes_per_s)
        if usage.free < reserve:
            raise RecordingFileError(
                f"the disk of {self.path} is full ({usage.free / 1e6:.0f} MB left): choose another with "
                "/vj/record/folder, or make room"
            )

    def close(self) -> None:
        """End the file in order; where the disk does not let that happen it ends with the last whole piece."""
        try:
            self._container.close()
        except ERRORS:
            self._disk.has_failed = True
        self.size_bytes = self._disk.length
        self._disk.close()
        if self._disk.has_failed:
            with contextlib.suppress(OSError):
                drop_broken_end(self.path)

    def _sentence(self, what: str, error: Exception) -> str:
        error = self._disk.error or error
        number = error.errno if isinstance(error, OSError) else None
        if number in FULL:
            return f"the disk of {self.path} is full: choose another with /vj/record/folder, or make room"
        return f"{self.path} {what} ({error.strerror if isinstance(error, OSError) else error})"


class _Disk(io.RawIOBase):
    """A file that muxers write to; remembers what the disk has said."""

    def __init__(self, path: Path, descriptor: int) -> None:
        super().__init__()
        self.path = path
        self.length = 0
        self.error: OSError | None = None
        self.has_failed = False
        self._descriptor = descriptor
        self._place = 0
        self._id = os.fstat(descriptor).st_ino

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
        except OSError as error:
            self.error, self.has_failed = error, True
            raise
        self._place += len(data)
        self.length = max(self.length, self._place)
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._place = os.lseek(self._descriptor, offset, whence)
        return self._place

    def tell(self) -> int:
        return self._place

    def is_there(self) -> bool:
        """Whether what is written is still to be found under its name."""
        return is_at(self.path, self._id)

    def close(self) -> None:
        if not self.closed:
            with contextlib.suppress(OSError):  # a disk that was taken away
                os.close(self._descriptor)
        super().close()


def _make_file(stem: Path, suffix: str) -> _Disk:
    """Make a new file; of the same name " 2" and so on. Raises RecordingFileError."""
    try:
        stem.parent.mkdir(parents=True, exist_ok=True)
        for number in range(1, MOST_NAMES):
            path = stem.with_name(stem.name + (f" {number}" if number > 1 else "") + suffix)
            with contextlib.suppress(FileExistsError):
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | (os.O_BINARY if os.name == "nt" else 0)
                return _Disk(path, os.open(path, flags, 0o644))
    except OSError as error:
        raise RecordingFileError(
            f"nothing can be recorded in {stem.parent} ({error.strerror}): choose another folder with /vj/record/folder"
        ) from None
    raise RecordingFileError(f"{stem}{suffix} and {MOST_NAMES} names like it are taken: choose another folder")


def drop_broken_end(path: Path) -> None:
    """Cut an MP4 or MOV file after its last whole piece, as some players take nothing else. Raises OSError."""
    if path.suffix not in (".mp4", ".mov"):
        return  # Matroska is read up to where it breaks off
    length, place, whole = path.stat().st_size, 0, 0
    with path.open("r+b") as file:
        while place + BOX.size <= length:
            file.seek(place)
            size, kind = BOX.unpack(file.read(BOX.size))
            if size == 1:
                size = int.from_bytes(file.read(8), "big")
            if size < BOX.size or place + size > length:
                break
            place += size
            if kind != b"moof":  # one without its pictures is none
                whole = place
        file.truncate(whole)
