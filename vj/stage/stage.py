"""The stage: output windows, the source of what they draw, and the panic row by its own keys. Waits for nobody.

Reads the panels' latest wishes at every refresh and tells its state 30 times a second. Needs a Qt application.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path

from PyQt6.QtCore import QObject, Qt, QTimer
from PyQt6.QtGui import QKeyEvent

from engine.parameter import Value
from vj.output.continuity import Continuity
from vj.output.decks import DeckReader
from vj.output.layer_params import LayerParams
from vj.output.layered_scenes import LayeredScenes
from vj.output.params import OUTPUT_PARAMETERS, OutputParams
from vj.output.shared_scenes import SharedScenes
from vj.output.tap import OutputTap
from vj.run_folder import keep_run_folder
from vj.stage.block import BLOCK_NAME, DECK_RING_NAME, PICTURES_NAME, RING_NAME, StageBlock
from vj.stage.messages import (
    KEPT_EVENTS,
    EventKind,
    StageEvent,
    StageState,
    Wishes,
    decode_wishes,
    encode,
)
from vj.stage.outputs import Outputs
from vj.stage.panic import PanicRow
from vj.stage.seen import BESIDE_THE_STREAM, encode_seen

LOOK_MS = 20  # between two looks at where the output is to be
TELL_NS = 30_000_000
PANELS_GONE_NS = 3_000_000_000  # panels that did nothing for so long do not answer a key
TWICE_NS = 3_000_000_000
TAPPED_NS = 30_000_000_000  # for so long pictures are read back for panels that do nothing
OTHER_KEYS = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
_PARAMETERS = {parameter.address: parameter for parameter in OUTPUT_PARAMETERS}
_LOG = logging.getLogger(__name__)


class Stage(QObject):
    """Belongs to the GUI thread of its process."""

    def __init__(self, folder: Path, end: Callable[[], None]) -> None:
        """`end` is called once, when the show is over or a hand on the output ends it without panels.

        Raises OSError or ValueError when the run's folder holds no block.
        """
        super().__init__()
        self._block = StageBlock.attach(folder / BLOCK_NAME)
        keep_run_folder(folder)
        self._end = end
        self.has_ended = False
        self._row = PanicRow()
        self._wishes = Wishes()
        self._values: dict[str, Value] = {address: p.default for address, p in _PARAMETERS.items()}
        self._wished: Mapping[str, Value] = {}  # the panels' values as they came, to see what has changed
        self._params: dict[int, OutputParams] = {}  # by number of the output; made when asked for
        self._layers = LayerParams()
        self._events: deque[StageEvent] = deque(maxlen=KEPT_EVENTS)
        self._event_count = 0
        self._told_ns = 0
        self._asked_to_end_ns = 0
        self._reader = DeckReader(folder / RING_NAME, folder / DECK_RING_NAME)
        self.continuity = Continuity(self._reader)  # the source of the scene
        self._layered = LayeredScenes(self.continuity, folder, self.read_layers)
        self._tap = OutputTap(folder / PICTURES_NAME)
        self.outputs = Outputs(SharedScenes(self._layered), self.read_params, self._tap)
        self.outputs.key_pressed.connect(self._press)
        self.outputs.key_released.connect(lambda number, event: self._note_key("release", event, number))
        self.outputs.panels_pressed.connect(lambda number: self._note("press", Qt.Key.Key_Tab.value, output=number))
        self.outputs.close_refused.connect(lambda number: self._note("close", output=number))
        self.outputs.display_lost.connect(lambda number, name: self._note("lost", text=name, output=number))
        self.outputs.display_found.connect(lambda number, name: self._note("found", text=name, output=number))
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.look)
        self.look()
        self._timer.start(LOOK_MS)

    @property
    def are_panels_there(self) -> bool:
        """Whether the panels' window has done anything lately."""
        return time.monotonic_ns() - self._wishes.panels_ns < PANELS_GONE_NS

    def read_params(self, output: int) -> OutputParams:
        """Take in the panels' latest wishes, if there are new ones, and say what to draw an output with."""
        if self._block.wishes.is_new:
            self._read_wishes()
        params = self._params.get(output)
        if params is None:
            params = self._params[output] = OutputParams.from_values(self._values, output)
        return params

    def read_layers(self) -> LayerParams:
        """Say which inputs lie under and over the picture, as the wishes taken in last have it."""
        return self._layers

    def look(self) -> None:
        """Do what the panels ask of the windows, and tell them how things are."""
        if self._block.wishes.is_new:
            self._read_wishes()
        silent_ns = time.monotonic_ns() - self._wishes.panels_ns
        self._tap.is_wanted = self._wishes.tap and silent_ns < TAPPED_NS
        if self._wishes.is_ending and not self.has_ended:
            self._finish("the show is over")
            return
        if self.outputs.place(self._wishes.placements):
            self.tell()
        if time.monotonic_ns() - self._told_ns >= TELL_NS:
            self.tell()

    def tell(self) -> None:
        """Write the state now."""
        self._told_ns = time.monotonic_ns()
        status = dataclasses.replace(self._reader.status, state=self.continuity.state)
        if status.state != "live":
            status = dataclasses.replace(status, input_latency_s=0.0)  # what is seen is none of the stream's frames
        state = StageState(
            process_id=os.getpid(),
            time_ns=self._told_ns,
            status=status,
            outputs=self.outputs.facts(),
            warnings=tuple(self.outputs.warnings()),
            notes=tuple(self.outputs.notes(self._reader.status.rate_fps)),
            panic=self._row.settings,
            events=tuple(self._events),
            effects=self.outputs.first.effect_notes,
            gl_name=self.outputs.first.gl_name,
            bad_chunks=self.continuity.bad_chunks,
            tap_missed=self._tap.missed,
            tap_problem=self._tap.problem,
            fault=self.continuity.fault,
        )
        if state.status.state in BESIDE_THE_STREAM:  # first: whoever reads the state looks for it
            self._block.seen.write(encode_seen(self.continuity.drawn))
        self._block.state.write(encode(state))

    def close(self) -> None:
        """Close the windows and let go of the files."""
        self._timer.stop()
        self.has_ended = True
        self.outputs.close()
        self._reader.close()
        self._layered.close()

    # -- what the panels wish --------------------------------------------------------------------------------------

    def _read_wishes(self) -> None:
        data = self._block.wishes.read()
        try:
            self._wishes = decode_wishes(data)
        except (ValueError, TypeError) as error:
            _LOG.warning("from the panels: %s", error)
            return
        self._reader.order(self._wishes.take)
        self._row.merge(self._wishes.panic)
        self._make_params()

    def _make_params(self) -> None:
        wished, asked = self._wishes.values, self._wishes.panic
        for address, value in wished.items():
            is_moved = value != self._wished.get(address) or address in self._row.settings
            if is_moved and address in _PARAMETERS:
                with contextlib.suppress(ValueError):  # of another version: the value stays as it was
                    self._values[address] = _PARAMETERS[address].coerce(value)
        self._wished = wished
        for address, (value, time_ns) in self._row.settings.items():
            # what the panels set themselves comes with their modulation; a key of ours that is newer does not
            if time_ns > asked.get(address, (None, 0))[1]:
                self._values[address] = value
        self._params.clear()
        self._layers = LayerParams.from_values(self._values)

    # -- keys --------------------------------------------------------------------------------------------------------

    def _press(self, number: int, event: QKeyEvent) -> None:
        is_plain = not event.modifiers() & OTHER_KEYS
        key, now_ns = event.text().upper(), time.monotonic_ns()
        if is_plain and (not event.isAutoRepeat() or key in "+-=") and self._row.press(key, now_ns, self._values):
            self._make_params()
            self.outputs.update()
            self.tell()
            return
        if event.key() == Qt.Key.Key_Q and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._ask_to_end(now_ns)
        self._note_key("press", event, number)

    def _ask_to_end(self, now_ns: int) -> None:
        """End by Ctrl+Q, pressed twice, when there are no panels that could."""
        if self.are_panels_there:
            return
        if now_ns - self._asked_to_end_ns < TWICE_NS:
            self._finish("Ctrl+Q was pressed twice and there are no panels")
        self._asked_to_end_ns = now_ns

    def _finish(self, why: str) -> None:
        _LOG.info("%s: the stage ends", why)
        self.has_ended = True
        self._end()

    def _note_key(self, kind: EventKind, event: QKeyEvent, output: int) -> None:
        self._keep(kind, event.key(), event.modifiers().value, event.text(), event.isAutoRepeat(), output)

    def _note(self, kind: EventKind, key: int = 0, text: str = "", output: int = 1) -> None:
        self._keep(kind, key, 0, text, False, output)

    def _keep(self, kind: EventKind, key: int, modifiers: int, text: str, is_repeat: bool, output: int) -> None:
        self._event_count += 1
        self._events.append(StageEvent(self._event_count, kind, key, modifiers, text, is_repeat, output))
        self.tell()
