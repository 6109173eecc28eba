"""Learning a mapping: choose an address, move a control, done. Written into the user's own mapping files.

The model behind the map mode; knows nothing of widgets.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from engine.parameter import Parameter
from vj.controllers.events import ControlEvent
from vj.controllers.gesture import Gesture, GestureReader
from vj.controllers.learned_files import FileEdit, LearnedFiles
from vj.controllers.mapping import load_mapping
from vj.controllers.router import Router
from vj.parameters import ParameterStore, find_parameter
from vj.written_files import FileError

SETTLE_NS = 400_000_000  # after the last movement; until then a second look may recognise an encoder or a pair
UNDO_STEPS = 50


@dataclass(frozen=True)
class Proposal:
    """The control that was moved while an address was being learned."""

    address: str
    gesture: Gesture
    conflicts: tuple[str, ...]  # addresses this control plays now; accepting replaces them unless they are kept
    heard_ns: int

    @property
    def sentence(self) -> str:
        """One line for the performer."""
        says = f"{self.gesture.device} {self.gesture.control}"
        if self.gesture.relative:
            says += f" (endless encoder, {self.gesture.relative.replace('_', ' ')})"
        return says + (f" plays {', '.join(self.conflicts)} now" if self.conflicts else "")


@dataclass(frozen=True)
class Assignment:
    """One control that plays an address."""

    device: str  # as the mapping file names it
    control: str
    file: Path
    is_learned: bool  # stands in a file of the user's that learning wrote, so that it can be removed


@dataclass(frozen=True)
class LearnState:
    """Where learning stands; polled by the window."""

    address: str = ""  # what is being learned; empty = nothing, controls play as always
    proposal: Proposal | None = None
    said: str = ""  # what was last accepted, undone or refused, one sentence
    undo_steps: int = 0


class Learn:
    """Belongs to the performer's window: `begin`, `accept`, `cancel`, `undo`, `remove` from one thread.

    Events arrive on the drivers' threads; `state` may be read by any. While an address is being learned no control
    plays: a pad that is to become a blackout does not black out.
    """

    def __init__(self, router: Router, store: ParameterStore, folder: Path) -> None:
        """`folder` is the user's own mapping folder; made when it is needed."""
        self._router = router
        self._store = store
        self._files = LearnedFiles(folder)
        self._lock = threading.Lock()  # guards gestures and state
        self._gestures = GestureReader()
        self._state = LearnState()
        self._done: list[FileEdit] = []

    @property
    def state(self) -> LearnState:
        """Where learning stands. Any thread; never waits."""
        return self._state

    def begin(self, address: str) -> None:
        """Listen for the control that is to play `address` (a value or a trigger). Raises UnknownAddressError.

        Calling it again chooses another address.
        """
        find_parameter(address)
        with self._lock:
            self._gestures = GestureReader()
            self._state = replace(self._state, address=address, proposal=None, said="")
        self._router.intercept(self._hear)

    def cancel(self) -> None:
        """Stop learning; controls play again."""
        self._router.intercept(None)
        with self._lock:
            self._state = replace(self._state, address="", proposal=None)

    def poll(self, now_ns: int | None = None) -> LearnState:
        """Accept a proposal without conflicts once the control rests; return the state. Call it at 30 Hz."""
        proposal = self._state.proposal
        now_ns = time.monotonic_ns() if now_ns is None else now_ns
        if proposal and not proposal.conflicts and now_ns - proposal.heard_ns >= SETTLE_NS:
            self.accept()
        return self._state

    def accept(self, keep_conflicts: bool = False) -> None:
        """Write the proposal into the user's file for that device and play it at once; learning ends.

        The control's line replaces what it played before, or with `keep_conflicts` plays that too. Without a
        proposal nothing happens. A file that cannot be written is told in `state.said`.
        """
        proposal = self._state.proposal
        if proposal is None:
            return
        self.cancel()
        gesture = proposal.gesture
        kept = self._router.bindings_of(gesture.device, gesture.control) if keep_conflicts else ()
        parameter = find_parameter(proposal.address)
        line = line_for(parameter, gesture)
        if parameter.kind == "text":
            line["value"] = self._store.get(parameter.address)
        self._change(
            lambda: self._files.write(gesture.device, gesture.control, [line], kept),
            f"{gesture.device} {gesture.control} plays {proposal.address}",
        )

    def remove(self, assignment: Assignment) -> None:
        """Let a control play an address no longer; also one that a shipped file gave it."""
        self._change(
            lambda: self._files.silence(assignment.device, assignment.control),
            f"{assignment.device} {assignment.control} plays nothing",
        )

    def undo(self) -> None:
        """Take back the last change to a file, step by step. A file changed by hand since then is left alone."""
        if not self._done:
            self._say("there is nothing to undo")
            return
        edit = self._done.pop()
        try:
            self._files.take_back(edit)
        except FileError as error:
            self._say(str(error))
            return
        self._use(edit.path)
        self._say(f"undone: {edit.what}")

    def assignments(self, address: str) -> tuple[Assignment, ...]:
        """List the controls that play an address, in the files' order."""
        found = [
            Assignment(mapping.devices[0], control, mapping.path, self._files.owns(mapping.path))
            for mapping in self._router.mappings
            for control, bindings in mapping.controls.items()
            if any(binding.parameter.address == address for binding in bindings)
        ]
        return tuple(found)

    def _hear(self, event: ControlEvent) -> bool:
        with self._lock:
            address = self._state.address
            if not address:
                return False
            gesture = self._gestures.hear(event)
            if gesture is not None:
                playing = self._router.bindings_of(gesture.device, gesture.control)
                others = tuple(b.parameter.address for b in playing if b.parameter.address != address)
                proposal = Proposal(address, gesture, others, event.time_ns)
                self._state = replace(self._state, proposal=proposal)
        return True

    def _change(self, write: Callable[[], FileEdit], sentence: str) -> None:
        try:
            edit = replace(write(), what=sentence)
        except FileError as error:
            self._say(str(error))
            return
        self._done = [*self._done, edit][-UNDO_STEPS:]
        self._use(edit.path)
        self._say(sentence)

    def _use(self, path: Path) -> None:
        """Read a file again and play it; a file that is gone plays no more."""
        mappings = [mapping for mapping in self._router.mappings if mapping.path != path]
        if path.exists():
            mappings.append(load_mapping(path)[0])
        self._router.use(mappings)

    def _say(self, sentence: str) -> None:
        with self._lock:
            self._state = replace(self._state, said=sentence, undo_steps=len(self._done))


def line_for(parameter: Parameter, gesture: Gesture) -> dict[str, object]:
    """Write the mapping line that lets a control play a parameter; that of a text still needs its value."""
    line: dict[str, object] = {"command" if parameter.kind == "trigger" else "parameter": parameter.address}
    if gesture.relative:
        line["relative"] = gesture.relative
    if gesture.is_press and parameter.kind in ("choice", "int"):
        line["mode"] = "cycle"
    elif gesture.is_press and parameter.kind == "float":
        line["mode"] = "momentary"
    return line
