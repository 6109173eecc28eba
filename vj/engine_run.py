"""One engine from its start to its end, as the supervisor sees it; and the spare that waits to become one.

Knows nothing of when engines are started or ended.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

from engine.chunk_source import SourceChoice
from engine.memory import free_memory
from engine.messages import SPARE_READY, Done, Failure, GeneratorStatus, Message, Ready
from engine.pattern_name import is_test_pattern
from vj.engine_link import SPARE_WORDS, EngineLink, EngineOnThread, EngineProcess, engine_words
from vj.engine_watch import HangWatch
from vj.processes.log import make_log

SPARE_AFTER_NS = 5_000_000_000  # after the first chunk: the show has begun and the caches are warm
SPARE_NEEDS_BYTES = 2_000_000_000  # free, so that the spare takes nothing from anyone
SPARE_CLOSE_S = 0.5
WRONG_USE = 2  # exit code
LOG_KIND, KEPT_LOGS = "engine", 20
MOST_ENDINGS = 3  # spares that die while they wait; after these none is kept
_LOG = logging.getLogger(__name__)


class EngineRun:
    """One engine. Its messages come on the link's thread; everything else belongs to the supervisor's."""

    def __init__(self, choice: SourceChoice, ring_path: Path, on_message: Callable[[EngineRun, Message], None]) -> None:
        """Nothing is started yet. `on_message` is called on the link's thread."""
        self.choice = choice
        self.ring_path = ring_path
        self.link: EngineLink | None = None
        self.status: GeneratorStatus | None = None
        self.ready: Ready | None = None
        self.fatal: Failure | None = None  # what it said before it ended
        self.ended = ""  # how; empty while it runs
        self._exit_code = 0
        self.started_ns = time.monotonic_ns()
        self.watch = HangWatch(self.started_ns)
        self.was_seen_streaming = False
        self._on_message = on_message

    @property
    def chunks(self) -> int:
        """Chunks it has delivered."""
        return self.status.chunks if self.status is not None else 0

    @property
    def reason(self) -> str:
        """Why it ended, in its own words if it had any."""
        return self.fatal.sentence if self.fatal is not None else self.ended

    @property
    def is_hopeless(self) -> bool:
        """Whether another start would end the same way: a model or words that are no good."""
        return self._exit_code == WRONG_USE or (self.fatal is not None and self.fatal.cause == "model")

    def open(
        self, log_folder: Path | None, spare: SpareEngine | None, *, is_in_process: bool, known_chunk_s: float
    ) -> None:
        """Start it, out of the spare if there is one. Raises OSError."""
        self.started_ns = time.monotonic_ns()
        self.watch = HangWatch(self.started_ns, known_chunk_s)
        if is_in_process:
            self.link = EngineOnThread(self.choice, self.ring_path, self._receive, self._end)
        elif spare is not None and (link := spare.take()) is not None:
            link.begin(self.choice, self.ring_path, self._receive, self._end)
            self.link = link
        else:
            log_path = make_log(LOG_KIND, self.ring_path.parent, KEPT_LOGS, log_folder)
            _LOG.info("the engine logs to %s", log_path)
            words = engine_words(self.choice, self.ring_path)
            self.link = EngineProcess(words, log_path, self._receive, self._end)

    def close(self, timeout_s: float) -> None:
        """End it and wait."""
        if self.link is not None:
            self.link.close(timeout_s)

    def _receive(self, message: Message) -> None:
        if isinstance(message, GeneratorStatus):
            self.status = message
        elif isinstance(message, Ready):
            self.ready = message
        elif isinstance(message, Failure) and message.fatal:
            self.fatal = message
        self._on_message(self, message)

    def _end(self, sentence: str, code: int) -> None:
        self._exit_code = code
        self.ended = self.ended or sentence  # one that was killed for hanging did not just stop


class SpareEngine:
    """A process with everything imported that waits for its start. Used by the supervisor's thread, one at a time."""

    def __init__(self, log_folder: Path | None, run_folder: Path) -> None:
        self._log_folder = log_folder
        self._run_folder = run_folder
        self._link: EngineProcess | None = None
        self._is_ready = False
        self._endings: list[tuple[str, int]] = []

    @property
    def process_id(self) -> int | None:
        """Of the process that waits; None without one."""
        return self._link.process_id if self._link is not None else None

    def keep(self, choice: SourceChoice, streaming_since_ns: int, now_ns: int) -> None:
        """Start one when it is time and there is room; what the test pattern needs is imported in no time."""
        if self._link is not None or is_test_pattern(choice.model) or now_ns - streaming_since_ns < SPARE_AFTER_NS:
            return
        if len(self._endings) >= MOST_ENDINGS or 0 < free_memory() < SPARE_NEEDS_BYTES:
            return
        try:
            log_path = make_log(LOG_KIND, self._run_folder, KEPT_LOGS, self._log_folder)
            self._link = EngineProcess(SPARE_WORDS, log_path, self._note_ready, self._note_end)
        except OSError as error:
            _LOG.warning("no spare engine can be started: %s", error)
            self._note_end(str(error), 1)

    @property
    def is_ready(self) -> bool:
        """Whether it has imported everything and only waits."""
        return self._is_ready

    def _note_ready(self, message: Message) -> None:
        self._is_ready = self._is_ready or message == Done(SPARE_READY)

    def _note_end(self, sentence: str, code: int) -> None:
        self._is_ready = False
        self._endings.append((sentence, code))

    def take(self) -> EngineProcess | None:
        """Hand over the process; None when there is none that is ready: at its low priority it would take longer."""
        if not self._is_ready:
            self.close()
            return None
        link, self._link, self._is_ready = self._link, None, False
        return link

    def close(self) -> None:
        """End it."""
        link, self._link, self._is_ready = self._link, None, False
        if link is not None:
            link.kill()
            link.close(SPARE_CLOSE_S)
