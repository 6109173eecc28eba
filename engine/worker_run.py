"""One engine from loading to its end: the model, its ring, and the chunk loop between them.

The same runs in a process of its own (`worker.py`) and in the instrument's test mode. Knows nothing of pipes.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path

from engine.chunk_source import SourceChoice, SourceError, load_source
from engine.inbox import Inbox
from engine.live.failures import OutOfMemoryError
from engine.messages import Failure, GeneratorStatus, Ready
from engine.ring_place import make_ring
from engine.video_in.ring_input import ring_inputs
from engine.worker_loop import Send, WorkerLoop

_LOG = logging.getLogger(__name__)


def run_worker(choice: SourceChoice, ring_path: Path, inbox: Inbox, send: Send) -> int:
    """Load the model, make the ring, stream until the inbox closes or "stop" comes. Returns the exit code.

    The ring file is left to whoever asked for it.
    """

    def tell(detail: str) -> None:
        send(GeneratorStatus(state="loading", detail=detail, model=choice.model, moved_ns=time.monotonic_ns()))

    tell(f"loading {choice.model}")
    try:
        source = load_source(choice, tell)
    except SourceError as error:
        if error.details:
            _LOG.error("what does not fit:\n%s", error.details)
        return _fail(str(error), choice, send, cause="memory" if error.is_memory else "model")
    try:
        place = make_ring(ring_path, source)
    except OSError as error:
        source.close()
        return _fail(f"the frame ring {ring_path} cannot be made: {error.strerror or error}", choice, send)
    if place.problem:
        send(Failure(place.problem))
    source.connect_inputs(ring_inputs(ring_path.parent, source.rate_fps, (source.width, source.height)))
    try:
        send(Ready(source.model_name, source.width, source.height, source.rate_fps, source.device_name))
        WorkerLoop(source, place.ring, inbox, send).run()
    except OutOfMemoryError as error:
        return _fail(str(error), choice, send, cause="memory")
    finally:
        source.close()
        place.close()
    return 0


def _fail(sentence: str, choice: SourceChoice, send: Send, *, cause: str = "") -> int:
    send(GeneratorStatus(state="failed", detail=sentence, model=choice.model))
    send(Failure(sentence, fatal=True, cause=cause))
    return 1
