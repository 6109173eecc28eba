"""The panels' side of sending: a process for each kind that is on, kept going, told of every change.

Has a thread of its own and waits for nobody. Knows nothing of Qt or of pixels.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

from engine.parameter import Value
from vj.inputs.listing import Listed
from vj.processes.kept import KeptProcess
from vj.processes.log import make_log
from vj.processes.talking import TalkingProcess
from vj.sharing.kinds import KINDS, Kind
from vj.sharing.messages import ShareState, ShareWishes, decode_state
from vj.sharing.params import ShareParams

LOOK_S = 0.02  # how soon a change is told
ABSENT_NS = 1_000_000_000  # a thread that did not look for so long was itself stopped
LOG_KIND, KEPT_LOGS = "share", 20
OWN_PROGRAM = "Python"  # what Syphon calls us


@dataclasses.dataclass
class _Share:
    """What is known of one kind, on the desk's thread."""

    kind: Kind
    kept: KeptProcess
    told: str = ""  # the sentence the performer was told last
    state: ShareState = dataclasses.field(default_factory=ShareState)


class SharingDesk:
    """Started and stopped by one thread; all else may be called by any and never waits."""

    def __init__(
        self,
        read_values: Callable[[], Mapping[str, Value]],
        ring: Path,
        want: Callable[[str, bool], None],
        tell: Callable[[str], None] = lambda sentence: None,
        log_folder: Path | None = None,
    ) -> None:
        """`ring` is where the stage writes its pictures; `want` tells who wants them. Nothing runs yet.

        `tell` takes sentences for the performer, on the desk's thread.
        """
        self._read_values = read_values
        self._want = want
        self._tell = tell
        self._rate_hz: Callable[[], float] = lambda: 0.0
        self._shares = tuple(
            _Share(kind, KeptProcess(kind.label, partial(_start, kind, ring, log_folder))) for kind in KINDS
        )
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sharing", daemon=True)

    @property
    def states(self) -> Mapping[str, ShareState]:
        """How every kind stands, by its word."""
        return {share.kind.word: share.state for share in self._shares}

    @property
    def problem(self) -> str:
        """What keeps pictures in, in one line; empty = nothing does."""
        return "; ".join(f"{one.kind.label}: {one.state.problem}" for one in self._shares if one.state.problem)

    def leave_out_own(self, listed: Iterable[Listed]) -> tuple[Listed, ...]:
        """Return what can be opened as an input but what this program itself sends."""
        own = {source for one in self._shares if (source := _source_of(one))}
        return tuple(one for one in listed if one.source not in own)

    def follow_display(self, rate_hz: Callable[[], float]) -> None:
        """Have receivers told the refreshes of the display, as `rate_hz` says; 0 = not known."""
        self._rate_hz = rate_hz

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End every process; waits at most a few seconds."""
        self._is_stopping.set()
        if self._thread.ident is not None:
            self._thread.join()
        for share in self._shares:
            share.kept.ask_to_end()
        for share in self._shares:
            share.kept.stop()
            self._want(share.kind.who, False)

    # -- its own thread ------------------------------------------------------------------------------------------

    def _run(self) -> None:
        looked_ns = time.monotonic_ns()
        while not self._is_stopping.wait(LOOK_S):
            now_ns, before_ns = time.monotonic_ns(), looked_ns
            looked_ns = now_ns
            values = self._read_values()
            for share in self._shares:
                self._look_after(share, values, was_absent=now_ns - before_ns > ABSENT_NS)

    def _look_after(self, share: _Share, values: Mapping[str, Value], *, was_absent: bool) -> None:
        params = ShareParams.from_values(values, share.kind)
        self._want(share.kind.who, params.is_on)
        share.kept.wish(ShareWishes(dict(vars(params)), self._rate_hz()) if params.is_on else None)
        share.kept.supervise(was_absent=was_absent)
        if not params.is_on:
            share.state, share.told = ShareState(), ""
            return
        self._take_state(share)

    def _take_state(self, share: _Share) -> None:
        process = share.kept.process
        state = process.state if process is not None else ShareState(state="lost")
        if state.state == "sending":
            share.kept.trouble = ""
        elif share.kept.trouble and not state.problem:
            state = dataclasses.replace(state, state="lost", problem=share.kept.trouble)
        share.state = state
        if state.problem and state.problem != share.told:
            self._tell(f"{share.kind.label}: {state.problem}")
        if state.problem or state.state == "sending":
            share.told = state.problem


def _start(kind: Kind, ring: Path, log_folder: Path | None) -> TalkingProcess[ShareState]:
    return TalkingProcess(
        "vj.sharing.process",
        ("--kind", kind.word, "--ring", str(ring)),
        make_log(LOG_KIND, ring.parent, KEPT_LOGS, log_folder),
        ShareWishes,
        decode_state,
        ShareState("opening", moved_ns=time.monotonic_ns()),
    )


def _source_of(share: _Share) -> str:
    """The text under which an input would open what this kind sends; empty while it sends nothing."""
    word, name = share.kind.word, share.state.name
    if not name:
        return ""
    if word == "camera":
        return name
    return f"{word}:{OWN_PROGRAM}: {name}" if word == "syphon" else f"{word}:{name}"
