"""The recorder's work on one thread: encoders, the recording that is written, the replay that is kept.

Does what the latest wishes ask for and waits for nothing: neither pictures nor disks. Knows nothing of pipes.
"""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path

from vj.recording.coders import HARDWARE
from vj.recording.encoding import Encoding, Pictures
from vj.recording.file import RecordingFile
from vj.recording.messages import RecorderState, RecorderWishes
from vj.recording.packets import CodedPacket
from vj.recording.replay import Replay
from vj.recording.video_encoder import EncoderError, working_coders
from vj.recording.writing import FileWriting

LOOK_S = 0.004
END_S = 5.0  # for what is written to come to its end
_LOG = logging.getLogger(__name__)


class Recorder:
    """Started and stopped by one thread; `wish` and `state` are for any."""

    def __init__(self, folder: Path) -> None:
        """`folder` is the run's, with the rings of pictures and sound."""
        self._folder = folder
        self._pictures = Pictures(folder)
        self._wishes = RecorderWishes()
        self._encoding: Encoding | None = None
        self._settings: tuple[str, int | None, bool] | None = None  # what the encoding was made with
        self._refused: RecorderWishes | None = None  # wishes no encoder was to be had for
        self._avoided: frozenset[str] = frozenset()
        self._take, self._ended = "", ""
        self._writing: FileWriting | None = None
        self._closing: list[FileWriting] = []  # files that are being ended
        self._dropped_before = 0  # by the encoding, when the take began
        self._replay: Replay | None = None
        self._saving: FileWriting | None = None
        self._saved, self._saved_file = "", ""
        self._problem, self._problems = "", 0
        self._moved_ns = 0
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="encoding")

    @property
    def state(self) -> RecorderState:
        """How it stands."""
        encoding, writing, replay = self._encoding, self._writing, self._replay
        last = writing or (self._closing[-1] if self._closing else None)
        is_wanted = bool(self._wishes.replay_s or self._wishes.take)
        coder = encoding.video.coder if encoding is not None else None
        width, height = encoding.video.size if encoding is not None else (0, 0)
        return RecorderState(
            state="live" if encoding is not None else "opening" if is_wanted else "idle",
            take=self._take,
            ended=self._ended,
            file=last.path if last is not None else "",
            length_s=last.length_s if last is not None else 0.0,
            size_bytes=last.size_bytes if last is not None else 0,
            dropped=self._dropped(encoding, writing),
            coder=coder.words if coder is not None else "",
            is_hardware=coder is not None and coder.is_hardware,
            width=width,
            height=height,
            replay_s=replay.held_s if replay is not None else 0.0,
            saved=self._saved,
            saved_file=self._saved_file,
            problem=self._problem,
            problems=self._problems,
            is_heard=encoding is not None and encoding.sound is not None and encoding.sound.is_heard,
            free_bytes=last.free_bytes if last is not None else 0,
            moved_ns=self._moved_ns,
        )

    def wish(self, wishes: RecorderWishes) -> None:
        """Take new wishes. Never waits."""
        self._wishes = wishes

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self) -> None:
        """End what is written in order; waits some seconds at most for disks."""
        self._is_stopping.set()
        self._thread.join()
        until_s = time.monotonic() + END_S
        for writing in (*self._closing, self._saving):
            if writing is not None:
                writing.close(max(0.0, until_s - time.monotonic()))

    def _run(self) -> None:
        while not self._is_stopping.is_set():
            has_worked = self._step(self._wishes)
            self._moved_ns = time.monotonic_ns()
            if not has_worked:
                time.sleep(LOOK_S)
        self._end_take(goes_on=False)

    def _step(self, wishes: RecorderWishes) -> bool:
        """Do what is due; say whether there was anything."""
        self._look_after_files()
        take = wishes.take if wishes.take != self._ended else ""
        if take != self._take and self._take:
            self._end_take(goes_on=bool(take or wishes.replay_s))
        if not take and not wishes.replay_s:
            self._encoding = self._replay = None
            self._pictures.close()
            working_coders(
                wishes.codec, not wishes.avoids_hardware
            )  # tried now, the first time, so that a recording begins at once
            return False
        is_new_ring = self._pictures.look()
        if not self._have_encoding(wishes):
            return False
        if is_new_ring:
            self._encoding.change_ring()
        if take and not self._take:
            self._begin_take(take, wishes)
        self._keep_replay(wishes)
        return self._encode()

    # -- encoding ------------------------------------------------------------------------------------------------------

    def _have_encoding(self, wishes: RecorderWishes) -> bool:
        """Have encoders for these wishes; those of a recording stay to its end."""
        settings = (wishes.codec, wishes.rate_fps, wishes.with_sound)
        if self._encoding is not None and (settings == self._settings or self._take):
            return True
        self._encoding = self._replay = None
        ring = self._pictures.ring
        if ring is None or not ring.written or wishes == self._refused:
            return False
        avoided = self._avoided | (HARDWARE if wishes.avoids_hardware else frozenset())
        try:
            self._encoding = Encoding(self._folder, ring, wishes.codec, wishes.rate_fps, avoided, wishes.with_sound)
        except EncoderError as error:
            self._refused, self._ended = wishes, wishes.take
            self._note(str(error))
            return False
        self._settings = settings
        if self._encoding.said:
            self._note(self._encoding.said)
        return True

    def _encode(self) -> bool:
        try:
            packets = self._encoding.due(self._pictures.ring)
        except EncoderError as error:
            # the take goes on in another file, with the next best encoder
            self._avoided |= {self._encoding.video.coder.name}
            self._note(f"{error}; another encoder goes on")
            self._close_file()
            self._take, self._encoding, self._replay = "", None, None
            return False
        self._hand_on(packets)
        return bool(packets)

    def _hand_on(self, packets: list[CodedPacket]) -> None:
        if self._writing is not None:
            self._writing.put(packets)
        if self._replay is not None:
            for packet in packets:
                self._replay.put(packet)

    # -- the recording -------------------------------------------------------------------------------------------------

    def _begin_take(self, take: str, wishes: RecorderWishes) -> None:
        self._take = take
        self._writing = self._new_file(take, wishes)
        self._dropped_before = self._encoding.dropped
        self._encoding.video.begin_with_next()

    def _end_take(self, *, goes_on: bool) -> None:
        """End the file; encoders that are not needed any more give what they hold."""
        if self._encoding is not None and not goes_on:
            try:
                self._hand_on(self._encoding.finish())
            except EncoderError as error:
                _LOG.warning("%s", error)
            self._encoding = self._replay = None
        self._close_file()
        self._take = ""

    def _close_file(self) -> None:
        if self._writing is not None:
            self._writing.close()
            self._closing.append(self._writing)
            self._writing = None

    def _new_file(self, stem: str, wishes: RecorderWishes) -> FileWriting:
        kind, templates = self._encoding.video.kind, self._encoding.templates
        return FileWriting(lambda: RecordingFile(Path(stem), kind, templates, wishes.metadata))

    def _dropped(self, encoding: Encoding | None, writing: FileWriting | None) -> int:
        if writing is None or encoding is None:
            return 0
        return encoding.dropped - self._dropped_before + writing.dropped

    # -- the replay ----------------------------------------------------------------------------------------------------

    def _keep_replay(self, wishes: RecorderWishes) -> None:
        if not wishes.replay_s:
            self._replay = None
        elif self._replay is None:
            self._replay = Replay(wishes.replay_s)
            self._encoding.video.begin_with_next()
        else:
            self._replay.length_s = wishes.replay_s
        if wishes.save and wishes.save != self._saved and self._saving is None and self._replay is not None:
            self._save(wishes)

    def _save(self, wishes: RecorderWishes) -> None:
        kind, templates, packets = self._encoding.video.kind, self._encoding.templates, self._replay.packets()
        self._saved, self._saved_file = wishes.save, ""
        self._saving = FileWriting(
            lambda: RecordingFile(Path(wishes.save), kind, templates, wishes.metadata), room_bytes=float("inf")
        )
        self._saving.put(packets)
        self._saving.close()

    # -- files that end ------------------------------------------------------------------------------------------------

    def _look_after_files(self) -> None:
        writing, saving = self._writing, self._saving
        if writing is not None and writing.problem:
            self._note(f"{writing.problem}; the recording has ended")
            self._ended = self._take
        if saving is not None and saving.is_done:
            if saving.problem:
                self._note(f"{saving.problem}; the replay is not saved")
            self._saved_file, self._saving = saving.path, None
        for closing in [one for one in self._closing[:-1] if one.is_done]:
            self._closing.remove(closing)  # the last one is shown on

    def _note(self, sentence: str) -> None:
        _LOG.warning("%s", sentence)
        self._problem, self._problems = sentence, self._problems + 1
