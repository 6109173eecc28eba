"""From encoder to disk on a thread of its own: a disk that hesitates holds up neither encoder nor pictures.

Knows nothing of encoders.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable

from vj.recording.file import RecordingFile, RecordingFileError
from vj.recording.packets import CodedPacket

WAITING_BYTES = 128 << 20  # what a disk that stands still may owe; more is dropped up to the next key picture
LOOK_S = 0.25  # between two looks at the disk


class FileWriting:
    """One file on its way to the disk. Fed and closed by one thread; the rest may be read by any."""

    def __init__(self, open_file: Callable[[], RecordingFile], room_bytes: float = WAITING_BYTES) -> None:
        """Begin; `open_file` makes the file, on the writing thread, or raises RecordingFileError."""
        self.problem = ""  # why it goes no further: a sentence; the file is closed then
        self.dropped = 0  # pictures the disk was too slow for
        self._open_file = open_file
        self._room_bytes = room_bytes
        self._file: RecordingFile | None = None
        self._waiting: queue.SimpleQueue[CodedPacket | None] = queue.SimpleQueue()
        self._owed_bytes = 0
        self._is_dropping = False
        self._lock = threading.Lock()
        self._began_s = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="writing", daemon=True)
        self._thread.start()

    @property
    def path(self) -> str:
        """The file; empty until it is made."""
        return str(self._file.path) if self._file is not None else ""

    @property
    def size_bytes(self) -> int:
        """What is written."""
        return self._file.size_bytes if self._file is not None else 0

    @property
    def length_s(self) -> float:
        """How long the file plays by now."""
        return self._file.length_s if self._file is not None else 0.0

    @property
    def free_bytes(self) -> int:
        """What its disk has left; 0 = not known yet."""
        return self._file.free_bytes if self._file is not None else 0

    @property
    def is_done(self) -> bool:
        """Whether the file is closed."""
        return not self._thread.is_alive()

    def put(self, packets: Iterable[CodedPacket]) -> None:
        """Take packets in order; never waits."""
        for packet in packets:
            if self._is_too_much(packet):
                self.dropped += packet.track == "video"
                continue
            with self._lock:
                self._owed_bytes += len(packet.data)
            self._waiting.put(packet)

    def close(self, timeout_s: float = 0.0) -> None:
        """Have the rest written and the file ended; waits so long at most."""
        self._waiting.put(None)
        self._thread.join(timeout_s)

    def _is_too_much(self, packet: CodedPacket) -> bool:
        if self._owed_bytes > self._room_bytes:
            self._is_dropping = True
        elif self._is_dropping and packet.track == "video" and packet.is_key:
            self._is_dropping = False
        return self._is_dropping

    def _run(self) -> None:
        try:
            self._file = self._open_file()
            self._write(self._file)
        except (RecordingFileError, OSError) as error:
            self.problem = str(error)
        if self._file is not None:
            self._file.close()

    def _write(self, file: RecordingFile) -> None:
        looked_s = 0.0
        while True:
            now_s = time.monotonic()
            if now_s - looked_s >= LOOK_S:
                looked_s = now_s
                file.check(file.size_bytes / max(1.0, now_s - self._began_s))
            try:
                packet = self._waiting.get(timeout=LOOK_S)
            except queue.Empty:
                continue
            if packet is None:
                return
            file.write(packet)
            with self._lock:
                self._owed_bytes -= len(packet.data)
