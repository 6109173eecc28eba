"""The panels' side of recording: one recorder's process, kept going, told what is wanted, its news told on.

Has a thread of its own and waits for nobody. Knows nothing of Qt or of encoders.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vj.controls import Controls
from vj.processes.log import make_log
from vj.processes.talking import TalkingProcess
from vj.recording.messages import RecorderState, RecorderWishes, decode_state
from vj.recording.names import SAVED_FILE, file_stem, recording_folder
from vj.recording.params import ON_ADDRESS, OWN_MOMENTS, SAVE_REPLAY_ADDRESS, RecordParams
from vj.sound.shared_samples import SAMPLES_NAME, SoundTap
from vj.stage.picture_demand import PictureDemand

LOOK_S = 0.02  # how soon a change is told
OPENING_HANGS_NS = 30_000_000_000  # some drivers of encoders take as long
HANGS_NS = 8_000_000_000
READY_S = 15.0  # so long after the start a recorder stands ready: the key is not to wait for a process
AGAIN_NS = 2_000_000_000  # between two starts, when they fail
END_S = 8.0  # for files to be ended
LOG_KIND, KEPT_LOGS = "record", 20
RECORDER = "recorder"  # who moved a value, in the store's words
RECORDING, REPLAY = "recording", "replay"  # who wants pictures


@dataclass(frozen=True)
class RecordStatus:
    """What the panels show of it."""

    is_on: bool = False  # a recording is written, or about to be
    recorder: RecorderState = RecorderState()
    missed: int = 0  # pictures of the recording that were not to be had from the card in time
    problem: str = ""  # of the process


class RecordingDesk:
    """Started and stopped by one thread; all else may be called by any and never waits."""

    def __init__(
        self,
        controls: Controls,
        pictures: PictureDemand,
        folder: Path,
        look_name: Callable[[], str],
        tell: Callable[[str], None],
    ) -> None:
        """`folder` is the run's; `look_name` names what plays; `tell` takes sentences, on the desk's thread."""
        self.sound = SoundTap(folder / SAMPLES_NAME)
        self._controls = controls
        self._pictures = pictures
        self._folder = folder
        self._look_name = look_name
        self._tell = tell
        self._missed: Callable[[], int] = lambda: 0
        self._missed_before = 0
        self._process: TalkingProcess[RecorderState] | None = None
        self._leaving: list[TalkingProcess[RecorderState]] = []
        self._sent: RecorderWishes | None = None
        self._start_ns = 0  # when the next start is due
        self._take, self._save = "", ""  # files as they were wished, without suffix
        self._saves = 0  # presses that wait to be told
        self._avoids_hardware = False
        self._heard = RecorderState()  # the state whose news were told
        self._problem = ""
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recording", daemon=True)
        controls.answer(SAVE_REPLAY_ADDRESS, lambda press: self._ask_to_save())

    @property
    def status(self) -> RecordStatus:
        """How it stands."""
        process = self._process
        recorder = process.state if process is not None else RecorderState()
        missed = self._missed() - self._missed_before if self._take else 0
        return RecordStatus(bool(self._take), recorder, missed, self._problem)

    def follow_stage(self, missed: Callable[[], int]) -> None:
        """Have the refreshes counted of which the stage could give no picture."""
        self._missed = missed

    def start(self) -> None:
        """Begin; a recording that a run before was at is not gone on with: only a hand begins one."""
        self._controls.set(ON_ADDRESS, False, RECORDER)
        self._thread.start()

    def stop(self) -> None:
        """End the recorder, files whole; waits some seconds at most."""
        self._is_stopping.set()
        if self._thread.ident is not None:
            self._thread.join()
        for process in (self._process, *self._leaving):
            if process is not None:
                process.end(END_S)
        self._pictures.want(RECORDING, False)
        self._pictures.want(REPLAY, False)

    def _ask_to_save(self) -> None:
        self._saves += 1

    # -- its own thread ------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        ready_s = time.monotonic() + READY_S
        while not self._is_stopping.wait(LOOK_S):
            values = self._controls.store.snapshot()
            params = RecordParams.from_values(values)
            wishes = self._wishes(params)
            self._pictures.want(RECORDING, bool(wishes.take))
            self._pictures.want(REPLAY, bool(wishes.replay_s))
            is_wanted = bool(wishes.take or wishes.replay_s)
            self.sound.is_wanted = is_wanted and params.with_sound
            if is_wanted or self._process is not None or time.monotonic() > ready_s:
                self._have_process()
                self._send(wishes)
            if self._process is not None:
                self._hear(self._process.state)

    def _wishes(self, params: RecordParams) -> RecorderWishes:
        folder, look = recording_folder(params.folder), self._look_name()
        if params.on and not self._take:
            self._take = str(file_stem(folder, look))
            self._missed_before = self._missed()
        elif not params.on:
            self._take = ""
        if self._saves:
            self._saves = 0
            if params.is_replay_armed:
                self._save = str(file_stem(folder, look, "replay"))
            else:
                self._tell("there is no replay to save: arm it first with /vj/record/replay/on")
        return RecorderWishes(
            take=self._take,
            replay_s=params.replay_s if params.is_replay_armed else 0.0,
            save=self._save,
            codec=params.codec,
            rate_fps=None if params.rate == OWN_MOMENTS else int(params.rate),
            with_sound=params.with_sound,
            avoids_hardware=self._avoids_hardware,
            metadata={"title": look, "encoder": "vj"} if look else {"encoder": "vj"},
        )

    def _send(self, wishes: RecorderWishes) -> None:
        before = self._sent
        if self._process is None or wishes == before:
            return
        if before is not None and wishes.take == before.take:
            wishes = dataclasses.replace(wishes, metadata=before.metadata)  # a file is called what it was begun as
            if wishes == before:
                return
        self._sent = wishes
        self._process.send(wishes)

    def _have_process(self) -> None:
        """Start the recorder; start it again when it has ended or hangs."""
        process, now_ns = self._process, time.monotonic_ns()
        self._leaving = [one for one in self._leaving if not one.ending]
        if process is None:
            self._start(now_ns)
            return
        trouble = ""
        if process.ending:
            trouble = f"the recorder stopped ({process.ending})"
        elif still_s := _stood_still_s(process, now_ns):
            trouble = f"the recorder hangs ({still_s:.0f} s without a word)"
            process.kill()
        if not trouble:
            return
        kept = f"; {process.state.file} plays up to there" if process.state.take else ""
        self._tell(f"{trouble}{kept}; it is begun anew")
        # in the driver of a card, or while they were tried: the next one does without
        self._avoids_hardware |= process.state.is_hardware or process.state.state != "live"
        self._leaving.append(process)
        self._process, self._heard = None, RecorderState()
        self._start_ns = now_ns + (AGAIN_NS if now_ns - process.started_ns < AGAIN_NS else 0)

    def _start(self, now_ns: int) -> None:
        if now_ns < self._start_ns:
            return
        try:
            self._process = TalkingProcess(
                "vj.recording",
                (str(self._folder),),
                make_log(LOG_KIND, self._folder, KEPT_LOGS),
                RecorderWishes,
                decode_state,
                RecorderState(state="opening", moved_ns=now_ns),
            )
        except OSError as error:
            self._start_ns = now_ns + AGAIN_NS
            self._note_trouble(f"the recorder cannot be started: {error.strerror or error}")
            return
        self._problem, self._sent = "", None

    def _note_trouble(self, sentence: str) -> None:
        if sentence != self._problem:
            self._problem = sentence
            self._tell(sentence)

    def _hear(self, state: RecorderState) -> None:
        """Tell what is new; let go of a recording that has ended by itself."""
        before, self._heard = self._heard, state
        if state.problems != before.problems and state.problem:
            self._tell(f"recording: {state.problem}")
        if state.saved_file and state.saved_file != before.saved_file:
            self._tell(f"{SAVED_FILE} {state.saved_file}")
        if state.ended and state.ended == self._take:
            self._controls.set(ON_ADDRESS, False, RECORDER)


def _stood_still_s(process: TalkingProcess[RecorderState], now_ns: int) -> float:
    """Seconds without progress when that is too long, else 0."""
    state = process.state
    still_ns = now_ns - max(state.moved_ns, process.started_ns)
    limit_ns = OPENING_HANGS_NS if state.state == "opening" else HANGS_NS
    return still_ns / 1e9 if still_ns > limit_ns else 0.0
