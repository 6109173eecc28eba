"""The panels' side of all inputs: a capture process for each that is used, kept going, told of every change.

Has a thread of its own and waits for nobody. Knows nothing of Qt or of pixels.
"""

from __future__ import annotations

import contextlib
import dataclasses
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from engine.parameter import Value
from engine.video_in.input_ring import ring_name
from engine.video_in.params import INPUTS
from vj.inputs.capture_process import CaptureProcess
from vj.inputs.listing import Listed, Listing
from vj.inputs.messages import InputState, InputWishes
from vj.inputs.params import InputParams, source_address
from vj.modulation.params import MODULATORS
from vj.output.layer_params import LAYERS
from vj.processes.kept import END_S, KeptProcess

LOOK_S = 0.005  # how soon a change is told
SUPERVISE_NS = 100_000_000
ABSENT_NS = 1_000_000_000  # a thread that did not look for so long was itself stopped
USES = ("engine", "layer")

Snapshot = tuple[int, Mapping[str, Value]]  # version and values, as ParameterStore.versioned_snapshot() returns them


@dataclass
class _Input:
    """What is known of one input, on the desk's thread."""

    number: int
    kept: KeptProcess
    sent: InputWishes | None = None
    told: str = ""  # the sentence the performer was told last
    has_rings: bool = False  # files may be there
    state: InputState = dataclasses.field(default_factory=InputState)


class InputDesk:
    """Inputs 1 to INPUTS. Started and stopped by one thread; all else may be called by any and never waits."""

    def __init__(
        self,
        read_values: Callable[[], Snapshot],
        stream_size: Callable[[], tuple[int, int] | None],
        folder: Path,
        tell: Callable[[str], None] = lambda sentence: None,
        log_folder: Path | None = None,
    ) -> None:
        """`stream_size` gives width and height of the generated picture once they are known. Nothing runs yet.

        `folder` is the run's; `tell` takes sentences for the performer, on the desk's thread.
        """
        self._read_values = read_values
        self._stream_size = stream_size
        self._folder = folder
        self._tell = tell
        self._inputs = tuple(
            _Input(number, KeptProcess("its source", partial(CaptureProcess, folder, number, log_folder)))
            for number in range(1, INPUTS + 1)
        )
        self._restarts = [0] * INPUTS
        self._listing = Listing()
        self._is_asked_for_listing = threading.Event()
        self._seen: tuple[object, ...] = ()
        self._supervised_ns = 0
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="inputs", daemon=True)

    # -- what the panels read ------------------------------------------------------------------------------------

    @property
    def states(self) -> tuple[InputState, ...]:
        """How every input stands, input 1 first."""
        return tuple(one.state for one in self._inputs)

    def state(self, number: int) -> InputState:
        """How input `number` (1..) stands."""
        return self._inputs[number - 1].state

    @property
    def problem(self) -> str:
        """What keeps inputs away, in one line; empty = nothing does."""
        return "; ".join(f"input {one.number}: {one.state.problem}" for one in self._inputs if one.state.problem)

    def listed(self) -> tuple[Listed, ...]:
        """What can be opened, as found so far; has it looked for anew: a later call knows more."""
        self._is_asked_for_listing.set()
        return self._listing.found

    # -- what the panels do --------------------------------------------------------------------------------------

    def restart(self, number: int) -> None:
        """Open input `number` (1..) anew."""
        self._restarts[number - 1] += 1

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End every capture process; waits at most a few seconds."""
        self._is_stopping.set()
        if self._thread.ident is not None:
            self._thread.join(END_S)
        for one in self._inputs:
            one.kept.ask_to_end()
        for one in self._inputs:
            one.kept.stop()
        for one in self._inputs:
            self._remove_rings(one)
        self._listing.stop()

    # -- its own thread ------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._is_stopping.wait(LOOK_S):
            version, values = self._read_values()
            seen = (version, self._stream_size(), *self._restarts)
            now_ns = time.monotonic_ns()
            is_due = now_ns - self._supervised_ns >= SUPERVISE_NS
            if seen == self._seen and not is_due:
                continue
            was_absent = now_ns - self._supervised_ns > ABSENT_NS
            for one in self._inputs:
                if seen != self._seen:
                    self._wish(one, values)
                if is_due:
                    self._supervise(one, was_absent=was_absent)
            self._seen = seen
            if is_due:
                self._supervised_ns = now_ns
                self._look_after_listing()

    def _wish(self, one: _Input, values: Mapping[str, Value]) -> None:
        """Tell a process what is wanted now; begin or end it."""
        if one.sent is None and not values[source_address(one.number)]:
            return  # not used, as most are most of the time
        params = InputParams.from_values(values, one.number)
        wishes = InputWishes(
            dict(vars(params)),
            self._stream_size(),
            self._restarts[one.number - 1],
            one.number in layer_inputs(values),
        )
        if wishes == one.sent:
            return
        before, one.sent = one.sent, wishes
        if not params.source:
            one.state, one.told, one.sent = InputState(), "", None
            one.kept.wish(None)
            return
        if before is None or _opens(before) != _opens(wishes):
            one.kept.begin_afresh()
        one.has_rings = True
        one.kept.wish(wishes)

    def _supervise(self, one: _Input, *, was_absent: bool) -> None:
        """Start again what has ended or hangs, and keep its state for the panels."""
        if one.sent is not None:
            one.kept.what = one.state.name or one.sent.params.source
        one.kept.supervise(was_absent=was_absent)
        if one.sent is not None:
            self._take_state(one)
        elif one.has_rings and one.kept.is_gone:
            self._remove_rings(one)
            one.has_rings = False

    def _take_state(self, one: _Input) -> None:
        process = one.kept.process
        state = process.state if process is not None else InputState(state="lost")
        if state.state in ("live", "held"):
            one.kept.trouble = ""
        elif one.kept.trouble and not state.problem:
            state = dataclasses.replace(state, state="lost", problem=one.kept.trouble)
        one.state = state
        if state.problem and state.problem != one.told:
            self._tell(f"input {one.number}: {state.problem}")
        if state.problem or state.state in ("live", "held"):
            one.told = state.problem

    def _remove_rings(self, one: _Input) -> None:
        """Take its pictures away."""
        for use in USES:
            with contextlib.suppress(OSError):
                (self._folder / ring_name(one.number, use)).unlink(missing_ok=True)

    def _look_after_listing(self) -> None:
        if self._is_asked_for_listing.is_set():
            self._is_asked_for_listing.clear()
            self._listing.ask()
        self._listing.take()


def layer_inputs(values: Mapping[str, Value]) -> frozenset[int]:
    """Numbers of the inputs that layers show; all of them while a modulator chooses."""
    targets = {values[f"/vj/mod/{slot}/target"] for slot in range(1, MODULATORS + 1) if values[f"/vj/mod/{slot}/on"]}
    choices = [f"/vj/layer/{layer}/input" for layer in range(1, LAYERS + 1)]
    if not targets.isdisjoint(choices):
        return frozenset(range(1, INPUTS + 1))
    return frozenset(int(values[choice]) for choice in choices)


def _opens(wishes: InputWishes) -> tuple[str, str, int]:
    return wishes.params.source, wishes.params.format, wishes.opening
