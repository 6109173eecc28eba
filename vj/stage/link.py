"""The panels' side of the stage: starts it or finds it running, tells it what to show, hears what it does.

Has a thread of its own and waits for nobody. Knows nothing of Qt; `start` is where the panels decide how a stage runs.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from engine.frame_ring import Frame
from engine.parameter import Value
from vj.output.decks import Take
from vj.output.playback import PlaybackStatus
from vj.run_folder import keep_run_folder, remove_run_folder
from vj.stage.block import BLOCK_NAME, DECK_RING_NAME, RING_NAME, StageBlock
from vj.stage.messages import (
    OutputFacts,
    Placement,
    StageEvent,
    StageState,
    Wishes,
    decode_state,
    decode_wishes,
    encode,
)
from vj.stage.panic import Settings
from vj.stage.picture_faults import FaultTeller
from vj.stage.preview import DeckPreview, RingPreview
from vj.stage.process import StageProcess, end_hung
from vj.stage.record import StageRecord, display_server, is_ours, process_start, running_stages
from vj.stage.seen import BESIDE_THE_STREAM, SeenPicture

LOOK_S = 0.004  # a quarter of a display frame: how long a hand waits here
EVALUATE_NS = 10_000_000  # what moves by itself is evaluated so often
TELL_NS = 100_000_000  # and what stands still is told so often
SUPERVISE_NS = 100_000_000
RESTART_NS = 1_000_000_000  # no oftener is a stage started
HUNG_NS = 4_000_000_000  # panels that did nothing for so long may be replaced
SILENT_NS = 5_000_000_000  # a stage that said nothing for so long is ended and started anew
BEGIN_NS = 20_000_000_000  # the same before its first word: a cold disk is slow
END_S = 2.0
_LOG = logging.getLogger(__name__)


class RunningStage(Protocol):
    """A stage in whatever process."""

    process_id: int

    @property
    def is_alive(self) -> bool:
        """Whether it runs. Any thread."""
        ...

    def end(self, timeout_s: float) -> bool:
        """Wait for a stage that was told to end; False when it had to be ended the hard way."""
        ...

    def kill(self) -> None:
        """End it the hard way."""
        ...


@dataclass(frozen=True)
class ShowFacts:
    """What the link asks the show for and tells it, all on the link's own thread."""

    version: Callable[[], int]  # moves when a hand has moved something
    values: Callable[[], Mapping[str, Value]]  # of output parameters, modulated for now
    panic: Callable[[], Settings]
    adopt: Callable[[Settings], None]  # the stage's panic row, as far as it knows; what is older is left
    on_event: Callable[[StageEvent], None]
    tell: Callable[[str], None]  # sentences for the performer


def find_stage_left_alone() -> StageRecord | None:
    """Find a stage of this user on this display whose panels are gone or hung; hung ones are ended."""
    for record in running_stages():
        if record.display != display_server():
            continue
        try:
            block = StageBlock.attach(Path(record.folder) / BLOCK_NAME)
            wishes = decode_wishes(block.wishes.read() or b"{}")
        except (OSError, ValueError, TypeError):
            continue
        panels_id = block.panels_id
        block.close()
        is_there = is_ours(panels_id) and process_start(panels_id) == wishes.panels_started
        if is_there and time.monotonic_ns() - wishes.panels_ns < HUNG_NS:
            continue  # another show, and it is well
        if is_there:
            _LOG.warning("the panels before (process %d) do not answer and are ended", panels_id)
            end_hung(panels_id, wishes.panels_started)
        return record
    return None


class StageLink:
    """One show's stage. Made, started and ended by the GUI thread; what is read may be read anywhere."""

    def __init__(self, folder: Path, start: Callable[[Path], RunningStage], found: StageRecord | None = None) -> None:
        """`start` starts a stage on a folder; `found` is one that runs there already.

        Raises OSError or ValueError when the folder cannot be used.
        """
        self.folder = folder
        self.was_found = found is not None
        self._start_stage = start
        path = folder / BLOCK_NAME
        keep_run_folder(folder)
        self._block = StageBlock.attach(path) if found is not None else StageBlock.create(path)
        self._wishes = Wishes(panels_started=process_start(os.getpid()), panels_ns=time.monotonic_ns())
        self._state = StageState()
        self._heard = 0  # number of the last event handed on
        self._stage: RunningStage | None = None
        self._started_ns = 0
        if found is not None:
            before = decode_wishes(self._block.wishes.read() or b"{}")
            self._wishes = dataclasses.replace(
                self._wishes, values=before.values, panic=before.panic, placements=before.placements
            )
            self._stage = StageProcess.found(found)
            self._read_state()
            self._heard = self._state.events[-1].number if self._state.events else 0
        self._block.take(os.getpid())
        self._preview = RingPreview(folder / RING_NAME)
        self._seen = SeenPicture(self._block.seen)
        self._deck_preview = DeckPreview(folder / DECK_RING_NAME)
        self._show: ShowFacts | None = None
        self._faults = FaultTeller()
        self._written_ns = self._evaluated_ns = self._supervised_ns = 0
        self._version = -1
        self._lock = threading.Lock()  # of the wishes: the GUI thread places, the link's thread tells
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stage link", daemon=True)

    # -- what the panels read ------------------------------------------------------------------------------------

    @property
    def status(self) -> PlaybackStatus:
        """What the output is doing."""
        return self._state.status

    @property
    def state(self) -> StageState:
        """All that the stage said last."""
        return self._state

    @property
    def output(self) -> OutputFacts:
        """Where the first output is."""
        return next((one for one in self._state.outputs if one.output == 1), OutputFacts())

    @property
    def outputs(self) -> tuple[OutputFacts, ...]:
        """Where every open output is."""
        return self._state.outputs

    @property
    def placements(self) -> tuple[Placement, ...]:
        """Where they are to be."""
        return self._wishes.placements

    @property
    def gl_name(self) -> str:
        """What draws: a card, or a software rasteriser; empty until it is known."""
        return self._state.gl_name

    @property
    def process_id(self) -> int:
        """Of the stage; this process's own where it runs here."""
        return self._stage.process_id if self._stage is not None else 0

    @property
    def is_alive(self) -> bool:
        """Whether there is a stage."""
        return self._stage is not None and self._stage.is_alive

    @property
    def frame_on_screen(self) -> Frame | None:
        """About what the audience sees, for the preview; the frame is never changed. GUI thread."""
        status = self._state.status
        seen = self._seen.frame() if status.state in BESIDE_THE_STREAM else None
        return seen or (self._preview.frame() if status.is_streaming else None)

    @property
    def frame_on_deck(self) -> Frame | None:
        """What lies ready on the free deck, in motion, for its preview; None when nothing does. GUI thread."""
        return self._deck_preview.frame(time.monotonic_ns())

    # -- what the panels do --------------------------------------------------------------------------------------

    def begin(self, placements: Sequence[Placement]) -> None:
        """Start a stage with outputs placed so, the first one among them. Raises OSError."""
        for placement in placements:
            self.place(placement)
        self._write()
        self._started_ns = time.monotonic_ns()
        self._stage = self._start_stage(self.folder)

    def follow(self, show: ShowFacts) -> None:
        """Tell the stage what the show wishes from now on, and the show what the stage does."""
        self._show = show
        self._thread.start()

    def place(self, placement: Placement) -> None:
        """Order an output to a place, opening it where it is not; the serial is given here. Never waits."""
        with self._lock:
            serial = max((one.serial for one in self._wishes.placements), default=0) + 1
            placed = dataclasses.replace(placement, serial=serial)
            self._order([*(one for one in self._wishes.placements if one.output != placement.output), placed])

    def close_output(self, output: int) -> None:
        """Order an output closed; the first one stays. Never waits."""
        with self._lock:
            self._order([one for one in self._wishes.placements if one.output == 1 or one.output != output])

    def _order(self, placements: Sequence[Placement]) -> None:
        self._wishes = dataclasses.replace(self._wishes, placements=tuple(placements))
        self._written_ns = 0  # told at the next look

    def take(self, take: Take) -> None:
        """Order the free deck on air at a moment. Any thread; never waits."""
        with self._lock:
            self._wishes = dataclasses.replace(self._wishes, take=take)
        self._write()

    def want_pictures(self, is_wanted: bool) -> None:
        """Order the first output's pictures read back, or no more: within 0.1 s. Any thread; never waits."""
        with self._lock:
            self._wishes = dataclasses.replace(self._wishes, tap=is_wanted)

    def beat(self) -> None:
        """Say that the panels' window is alive. Called by the GUI thread, a few times a second."""
        with self._lock:
            self._wishes = dataclasses.replace(self._wishes, panels_ns=time.monotonic_ns())

    def end(self) -> None:
        """End the stage with the show."""
        self._stop_thread()
        with self._lock:
            self._wishes = dataclasses.replace(self._wishes, is_ending=True, panels_ns=time.monotonic_ns())
        self._write()
        if self._stage is not None and not self._stage.end(END_S):
            _LOG.warning("the stage did not end within %.0f s and was killed", END_S)
        self._preview.close()
        self._deck_preview.close()

    def leave(self) -> None:
        """Give a show up that has not begun: a stage that was found stays, a new one ends."""
        if self.was_found:
            self._block.take(0)
            return
        self._stage.kill()  # it has shown nothing yet, and is not waited for
        remove_run_folder(self.folder)

    def abandon(self) -> None:
        """End the stage without asking: the display is gone. Any thread."""
        self._stop_thread()
        if self._stage is not None:
            self._stage.kill()

    def _stop_thread(self) -> None:
        self._stop.set()
        if self._thread.ident is not None and self._thread is not threading.current_thread():
            self._thread.join(1.0)

    # -- the link's own thread -----------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stop.wait(LOOK_S):
            if self._block.panels_id != os.getpid():
                self._show.tell("another vj has taken over the output; this one shows nothing any more")
                return
            now_ns = time.monotonic_ns()
            self._tell_stage(now_ns)
            self._hear_stage()
            if now_ns - self._supervised_ns >= SUPERVISE_NS:
                self._supervised_ns = now_ns
                self._supervise(now_ns)

    def _tell_stage(self, now_ns: int) -> None:
        version = self._show.version()
        has_changed = False
        if version != self._version or now_ns - self._evaluated_ns >= EVALUATE_NS:
            self._version, self._evaluated_ns = version, now_ns
            values, panic = dict(self._show.values()), self._show.panic()
            has_changed = values != self._wishes.values or panic != self._wishes.panic
            if has_changed:
                with self._lock:
                    self._wishes = dataclasses.replace(self._wishes, values=values, panic=panic)
        if has_changed or now_ns - self._written_ns >= TELL_NS:
            self._write()

    def _write(self) -> None:
        with self._lock:
            self._block.wishes.write(encode(self._wishes))
            self._written_ns = time.monotonic_ns()

    def _hear_stage(self) -> None:
        if not self._block.state.is_new:
            return
        if not self._read_state():
            return
        self._show.adopt(self._state.panic)
        if sentence := self._faults.news(self._state, time.monotonic_ns()):
            self._show.tell(sentence)
        for event in self._state.events:
            if event.number > self._heard:
                self._heard = event.number
                self._show.on_event(event)

    def _read_state(self) -> bool:
        try:
            state = decode_state(self._block.state.read())
        except (ValueError, TypeError) as error:
            _LOG.warning("from the stage: %s", error)
            return False
        if self._stage is not None and state.process_id != self._stage.process_id:
            return False  # the last words of one that has died
        self._state = state
        return True

    def _supervise(self, now_ns: int) -> None:
        if self._stage.is_alive and not self._is_silent(now_ns):
            return
        if self._stage.process_id == os.getpid() or now_ns - self._started_ns < RESTART_NS:
            return  # in the panels' own process it goes on, or ends, with them
        what = "does not answer" if self._stage.is_alive else "has died"
        self._show.tell(f"the output's process {what}; it is started anew")
        self._stage.kill()
        self._started_ns, self._heard = now_ns, 0
        self._state = dataclasses.replace(self._state, time_ns=0, events=())
        try:
            self._stage = self._start_stage(self.folder)
        except OSError as error:
            self._show.tell(f"the output's process cannot be started: {error.strerror or error}")

    def _is_silent(self, now_ns: int) -> bool:
        if self._state.time_ns > self._started_ns:
            return now_ns - self._state.time_ns > SILENT_NS
        return self._started_ns > 0 and now_ns - self._started_ns > BEGIN_NS
