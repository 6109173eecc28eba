"""The engine's only partner in the instrument: sends it values and commands, keeps what it answers.

Knows nothing of frames (the output reads the ring itself), of Qt, or of tensors.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.chunk_source import SourceChoice
from engine.messages import ArmedDeck, Command, Done, Failure, GeneratorStatus, Message, Ready, Values
from engine.parameter import Value
from engine.params import ENGINE_PARAMETERS
from vj.commands import CommandQueue
from vj.controls import is_engine_text, text_command
from vj.engine_link import EngineProcess
from vj.engine_params import MODEL_ADDRESS
from vj.engine_run import EngineRun
from vj.engine_supervisor import EngineSupervisor
from vj.parameters import ParameterStore
from vj.presets.decks import Armed
from vj.run_folder import make_run_folder, remove_run_folder
from vj.texts_ahead import TextsAhead

LOOK_AT_STORE_S = 0.01  # a hand that moves a fader is heard within this; chunks take far longer
MODULATE_S = 0.05  # how often values that move by themselves are sent: chunks follow each other more slowly
STOP_TIMEOUT_S = 3.0
KEPT_FAILURES = 20
ASSUMED_SIZE = (832, 480)  # of a model that chooses its own size: the largest that ships
ASSUMED_RING_FRAMES = 60
RGBA_BYTES = 4
NO_DEVICE = "none"  # what a test pattern is made on
ENGINE_SOURCE = "engine"  # who moved a value
INITIAL_COMMAND_ID = 0  # the queue's ids start at 1: nobody waits for the answer to these
VALUE_ADDRESSES = tuple(parameter.address for parameter in ENGINE_PARAMETERS if parameter.kind != "text")
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class EngineFacts:
    """What is to be said of the engine."""

    model: str = ""  # that plays
    playing: str = ""  # its size, rate and device; empty before it has loaded
    loading: str = ""  # what loads beside it and how far it is; empty = nothing does
    reduced: str = ""  # how less is played than was asked for, since memory was full; empty = it is all


Modulate = Callable[[Mapping[str, Value], GeneratorStatus], Mapping[str, Value]]
"""From the store's values and the engine's status to the values the next chunk is made with."""


def _as_set(values: Mapping[str, Value], status: GeneratorStatus) -> Mapping[str, Value]:
    return values


class GeneratorThread:
    """Starts an engine and talks to it. Owned by the GUI thread; no method but `stop` waits, properties never do.

    An engine that dies or hangs is started again and given the state of the performance; until then its last frames
    stay in the ring, and commands wait.
    """

    def __init__(
        self,
        store: ParameterStore,
        commands: CommandQueue,
        choice: SourceChoice,
        *,
        is_in_process: bool = False,
        log_folder: Path | None = None,
        modulate: Modulate = _as_set,
        folder: Path | None = None,
        armed: Callable[[], Armed | None] = lambda: None,
    ) -> None:
        """`log_folder` is where the engine's log is written; None = the platform's log folder.

        `folder` is the run's, made with room for `ring_bytes`; None = make one.

        `armed` says what the free deck is to be filled with. `modulate` is asked on this thread: at once when a hand
        has moved something, else 20 times a second.
        """
        self._store = store
        self._commands = commands
        self._choice = choice
        self._modulate = modulate
        self._armed = armed
        self._folder = folder or make_run_folder(ring_bytes(choice))
        self._supervisor = EngineSupervisor(
            choice, self.ring_path, log_folder, self._receive, self._note, is_in_process=is_in_process
        )
        self._restore_wanted = threading.Event()
        self.ahead = TextsAhead()
        self._status = GeneratorStatus(state="starting", model=choice.model)
        self._ready: Ready | None = None
        self._given: dict[int, Command] = {}  # commands an engine was given and has not answered
        self._model_asked = str(store.get(MODEL_ADDRESS))
        self._news = ""  # the last sentence about the engine
        self._failures: deque[str] = deque(maxlen=KEPT_FAILURES)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="generator", daemon=True)

    @property
    def ring_path(self) -> Path:
        """Where the engine makes its ring; nothing is there until the engine is ready."""
        return self._folder / "frames.ring"

    @property
    def deck_ring_path(self) -> Path:
        """Where the ring of the free deck comes and goes."""
        return self._folder / "deck.ring"

    @property
    def status(self) -> GeneratorStatus:
        """What the engine said last, or how it ended. Any thread; never waits."""
        return self._status

    @property
    def ready(self) -> Ready | None:
        """Model, size and rate once the engine has loaded; None before. Any thread."""
        return self._ready

    @property
    def facts(self) -> EngineFacts:
        """What plays, what loads beside it and what is reduced, for the panels. Any thread; never waits."""
        ready, supervisor = self._ready, self._supervisor
        playing = f"{ready.width}x{ready.height} at {ready.rate_fps:g} fps" if ready else ""
        if ready and ready.device != NO_DEVICE:
            playing += f" on {ready.device}"
        return EngineFacts(self._status.model, playing, supervisor.loading, supervisor.reduced)

    @property
    def failures(self) -> tuple[str, ...]:
        """The latest sentences about what went wrong, oldest first. Any thread."""
        return tuple(self._failures)

    @property
    def process_id(self) -> int | None:
        """Process id of the engine; None before it started and in-process."""
        run = self._supervisor.run
        return run.link.process_id if run is not None and isinstance(run.link, EngineProcess) else None

    @property
    def restarts(self) -> int:
        """How often an engine was started again. Any thread."""
        return self._supervisor.restarts

    @property
    def spare_process_id(self) -> int | None:
        """Process id of the engine that waits with everything imported; None without one. Any thread."""
        return self._supervisor.spare_process_id

    def restore_size(self) -> None:
        """Go back to the full picture size after memory was full. Any thread; returns at once."""
        self._restore_wanted.set()

    def start(self) -> None:
        """Begin; returns at once, the engine loads beside."""
        self._thread.start()

    def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """End the engine, by force after `timeout_s`, and delete the run's folder. May be called twice."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_s / 4)  # longer only when a write to a hung engine waits
        self._supervisor.close(timeout_s * 3 / 4)
        self._status = dataclasses.replace(self._status, state="stopped")
        remove_run_folder(self._folder)

    # -- this thread: to the engine --------------------------------------------------------------------------------

    def _run(self) -> None:
        supervisor = self._supervisor
        sent: Values | None = None
        looked_s = time.monotonic()
        while not self._stop.is_set():
            begun = [*supervisor.tick(), *self._follow_wishes()]
            self._show_supervisor()
            for run in begun:
                self._give_back(run)
                sent = None
            self.ahead.tick((supervisor.run, supervisor.candidate))
            armed = self._armed()  # before the commands: texts that come with a deck's landing go ahead of it
            for command in self._commands.take(LOOK_AT_STORE_S):
                self._forward(command)
            now_s = time.monotonic()
            is_moved = sent is None or self._store.version != sent.version or _serial(armed) != _serial(sent.deck)
            if is_moved or now_s - looked_s >= MODULATE_S:
                looked_s = now_s
                wanted = self._values_to_send(armed)
                if wanted != sent:
                    sent = wanted
                    if supervisor.run is not None:
                        supervisor.run.link.send(wanted)
                    if supervisor.candidate is not None:  # it has no free deck before it is on air itself
                        supervisor.candidate.link.send(dataclasses.replace(wanted, deck=None))

    def _follow_wishes(self) -> Iterator[EngineRun]:
        """Change the model or its size as asked; the engines this begins."""
        if self._restore_wanted.is_set():
            self._restore_wanted.clear()
            yield from self._supervisor.restore_size()
        model = str(self._store.get(MODEL_ADDRESS))
        if model != self._model_asked:
            self._model_asked = model
            if model and model != self._supervisor.model:
                yield from self._supervisor.change_model(dataclasses.replace(self._choice, model=model))
        elif model and model != self._supervisor.model:  # it could not be played: say which one is
            self._model_asked = str(self._store.set(MODEL_ADDRESS, self._supervisor.model, ENGINE_SOURCE))

    def _give_back(self, run: EngineRun) -> None:
        """Tell an engine that has just begun what is played: it knows only the defaults. Values follow."""
        values = self._store.snapshot()
        for address in filter(is_engine_text, values):
            run.link.send(Command(INITIAL_COMMAND_ID, *text_command(address, values[address])))
        if run is self._supervisor.run:
            for command in tuple(self._given.values()):  # answers come on another thread
                self._send_or_refuse(run, command)

    def _show_supervisor(self) -> None:
        supervisor, status = self._supervisor, self._status
        if supervisor.failed and status.state != "failed":
            self._note(supervisor.failed)
            self._status = dataclasses.replace(status, state="failed", detail=supervisor.failed, generator_fps=0.0)
        elif status.restarts != supervisor.restarts:  # what it says is the engine's that ended
            self._status = dataclasses.replace(
                status,
                state="starting",
                detail=supervisor.trouble,
                generator_fps=0.0,
                restarts=supervisor.restarts,
                making_since_ns=0,
            )

    def _values_to_send(self, armed: Armed | None) -> Values:
        version, values = self._store.versioned_snapshot()
        heard = self._modulate(values, self._status)
        deck = None
        if armed is not None:
            played = self._modulate({**values, **armed.values}, self._status)
            whole = {parameter.address: played[parameter.address] for parameter in ENGINE_PARAMETERS}
            deck = ArmedDeck(armed.serial, whole, str(self.deck_ring_path), armed.preroll_s)
        return Values(version, {address: heard[address] for address in VALUE_ADDRESSES}, deck)

    def _forward(self, command: Command) -> None:
        if self._supervisor.failed:
            self._commands.acknowledge(command.id, "the engine is not running")
            return
        self._given[command.id] = command
        if self._supervisor.run is not None:
            self._supervisor.run.link.send(command)

    def _send_or_refuse(self, run: EngineRun, command: Command) -> None:
        """Hand over a command again that an engine took along; what was due meanwhile is not made up for."""
        if command.at_ns is not None and command.at_ns <= time.monotonic_ns():
            self._given.pop(command.id, None)
            self._commands.acknowledge(command.id, "its time passed while the engine was started again")
        else:
            run.link.send(command)

    # -- the link's thread: from the engine --------------------------------------------------------------------------

    def _receive(self, run: EngineRun, message: Message) -> None:
        if isinstance(message, GeneratorStatus):
            if message.state != "failed":  # whether it has failed for good is the supervisor's to say
                ready = self._ready
                self._status = dataclasses.replace(
                    message,
                    restarts=self._supervisor.restarts,
                    width=ready.width if ready is not None else 0,
                    height=ready.height if ready is not None else 0,
                    detail=self._supervisor.trouble or message.detail or self._news,
                )
        elif isinstance(message, Done):
            self._given.pop(message.id, None)
            self._commands.acknowledge(message.id, message.error)
        elif isinstance(message, Ready):
            self._ready = message
        elif isinstance(message, Failure) and not message.fatal:
            self._note(message.sentence)

    def _note(self, sentence: str) -> None:
        self._failures.append(sentence)
        self._news = sentence
        _LOG.error("%s", sentence)


def _serial(deck: Armed | ArmedDeck | None) -> int:
    return deck.serial if deck is not None else 0


def ring_bytes(choice: SourceChoice) -> int:
    """Say how much room in memory the frames of such an engine want, on both decks."""
    width, height = choice.size or ASSUMED_SIZE
    return width * height * RGBA_BYTES * ASSUMED_RING_FRAMES * 2
