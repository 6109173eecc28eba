"""The engine's only partner in the instrument: sends it values and commands, keeps what it answers.

Knows nothing of frames (the output reads the ring itself), of Qt, or of tensors.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path

from engine.chunk_source import SourceChoice
from engine.messages import Command, Done, Failure, GeneratorStatus, Message, Ready, Values
from engine.parameter import Value
from engine.params import ENGINE_PARAMETERS
from vj.commands import CommandQueue
from vj.controls import is_engine_text, text_command
from vj.engine_link import EngineLink, EngineOnThread, EngineProcess
from vj.parameters import ParameterStore
from vj.run_folder import make_run_folder, remove_run_folder

LOOK_AT_STORE_S = 0.01  # a hand that moves a fader is heard within this; chunks take far longer
MODULATE_S = 0.05  # how often values that move by themselves are sent: chunks follow each other more slowly
STOP_TIMEOUT_S = 3.0
KEPT_FAILURES = 20
KEPT_LOGS = 10
ASSUMED_SIZE = (832, 480)  # of a model that chooses its own size: the largest that ships
ASSUMED_RING_FRAMES = 60
RGBA_BYTES = 4
INITIAL_COMMAND_ID = 0  # the queue's ids start at 1: nobody waits for the answer to these
VALUE_ADDRESSES = tuple(parameter.address for parameter in ENGINE_PARAMETERS if parameter.kind != "text")
_LOG = logging.getLogger(__name__)

Modulate = Callable[[Mapping[str, Value], GeneratorStatus], Mapping[str, Value]]
"""From the store's values and the engine's status to the values the next chunk is made with."""


def _as_set(values: Mapping[str, Value], status: GeneratorStatus) -> Mapping[str, Value]:
    return values


class GeneratorThread:
    """Starts an engine and talks to it. Owned by the GUI thread; no method but `stop` waits, properties never do.

    A dead engine is reported in `status`; its last frames stay in the ring, and commands are answered with an error.
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
    ) -> None:
        """`log_folder` is where the engine's log is written; None = the platform's log folder.

        `folder` is the run's, made with room for `ring_bytes`; None = make one.

        `modulate` is asked on this thread: at once when a hand has moved something, else 20 times a second.
        """
        self._store = store
        self._commands = commands
        self._choice = choice
        self._is_in_process = is_in_process
        self._log_folder = log_folder
        self._modulate = modulate
        self._folder = folder or make_run_folder(ring_bytes(choice))
        self._link: EngineLink | None = None
        self._status = GeneratorStatus(state="starting", model=choice.model)
        self._ready: Ready | None = None
        self._failures: deque[str] = deque(maxlen=KEPT_FAILURES)
        self._fatal_sentence = ""
        self._has_ended = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="generator", daemon=True)

    @property
    def ring_path(self) -> Path:
        """Where the engine makes its ring; nothing is there until the engine is ready."""
        return self._folder / "frames.ring"

    @property
    def status(self) -> GeneratorStatus:
        """What the engine said last, or how it ended. Any thread; never waits."""
        return self._status

    @property
    def ready(self) -> Ready | None:
        """Model, size and rate once the engine has loaded; None before. Any thread."""
        return self._ready

    @property
    def failures(self) -> tuple[str, ...]:
        """The latest sentences about what went wrong, oldest first. Any thread."""
        return tuple(self._failures)

    @property
    def process_id(self) -> int | None:
        """Process id of the engine; None before it started and in-process."""
        return self._link.process_id if isinstance(self._link, EngineProcess) else None

    def start(self) -> None:
        """Begin; returns at once, the engine loads beside."""
        self._thread.start()

    def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """End the engine, by force after `timeout_s`, and delete the run's folder. May be called twice."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_s / 4)  # longer only when a write to a hung engine waits
        if self._link is not None:
            self._link.close(timeout_s * 3 / 4)
        self._status = dataclasses.replace(self._status, state="stopped")
        remove_run_folder(self._folder)

    # -- this thread: to the engine --------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            link = self._open_link()
        except OSError as error:
            self._end(f"the engine cannot be started: {error.strerror or error}")
            link = None
        self._link = link
        if link is not None:
            self._send_texts(link)
        sent: Values | None = None
        looked_s = time.monotonic()
        while not self._stop.is_set():
            for command in self._commands.take(LOOK_AT_STORE_S):
                self._forward(link, command)
            if link is None:
                continue
            now_s = time.monotonic()
            if sent is None or self._store.version != sent.version or now_s - looked_s >= MODULATE_S:
                looked_s = now_s
                wanted = self._values_to_send()
                if wanted != sent:
                    link.send(wanted)
                    sent = wanted

    def _open_link(self) -> EngineLink:
        if self._is_in_process:
            return EngineOnThread(self._choice, self.ring_path, self._receive, self._end)
        log_path = _make_log(self._log_folder, self._folder)
        _LOG.info("the engine logs to %s", log_path)
        return EngineProcess(self._choice, self.ring_path, log_path, self._receive, self._end)

    def _send_texts(self, link: EngineLink) -> None:
        """Say what the pads and slots hold: an engine that has just begun knows only the defaults."""
        values = self._store.snapshot()
        for address in filter(is_engine_text, values):
            link.send(Command(INITIAL_COMMAND_ID, *text_command(address, values[address])))

    def _values_to_send(self) -> Values:
        version, values = self._store.versioned_snapshot()
        heard = self._modulate(values, self._status)
        return Values(version, {address: heard[address] for address in VALUE_ADDRESSES})

    def _forward(self, link: EngineLink | None, command: Command) -> None:
        if link is None or self._has_ended:
            self._commands.acknowledge(command.id, "the engine is not running")
        else:
            link.send(command)

    # -- the link's thread: from the engine --------------------------------------------------------------------------

    def _receive(self, message: Message) -> None:
        if isinstance(message, GeneratorStatus):
            self._status = message
        elif isinstance(message, Done):
            self._commands.acknowledge(message.id, message.error)
        elif isinstance(message, Ready):
            self._ready = message
        elif isinstance(message, Failure):
            self._note(message.sentence)
            if message.fatal:
                self._fatal_sentence = message.sentence

    def _end(self, sentence: str) -> None:
        """The engine is gone: say so, and answer what it can no longer answer."""
        self._has_ended = True
        if self._stop.is_set():
            return
        if not self._fatal_sentence:
            self._note(sentence)
        detail = self._fatal_sentence or sentence
        self._status = dataclasses.replace(self._status, state="failed", detail=detail, generator_fps=0.0)
        for command in self._commands.pending():
            self._commands.acknowledge(command.id, "the engine is not running")

    def _note(self, sentence: str) -> None:
        self._failures.append(sentence)
        _LOG.error("%s", sentence)


def ring_bytes(choice: SourceChoice) -> int:
    """Say how much room in memory the frames of such an engine want."""
    width, height = choice.size or ASSUMED_SIZE
    return width * height * RGBA_BYTES * ASSUMED_RING_FRAMES


def _make_log(wanted: Path | None, run_folder: Path) -> Path:
    """Path of a new log; in the run's own folder when the platform's cannot be written."""
    name = f"engine-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    folder = wanted or _platform_log_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for old in sorted(folder.glob("engine-*.log"))[: -(KEPT_LOGS - 1)]:
            with contextlib.suppress(OSError):
                old.unlink()
        (folder / name).touch()
    except OSError:
        return run_folder / name
    return folder / name


def _platform_log_folder() -> Path:
    import platformdirs

    return platformdirs.user_log_path("vj", appauthor=False)
