"""What records work on the device: CUDA graphs, by PyTorch's rules for them, and nothing elsewhere.

Knows nothing of what is recorded.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable
from typing import Protocol

import torch

Work = Callable[[], None]
_LOG = logging.getLogger(__name__)


class Recorder(Protocol):
    """Records what a function does on the device. Used by one thread."""

    def warm_up(self, work: Work) -> None:
        """Do the work as it will be recorded, so that what is made at a first use is there."""
        ...

    def record(self, work: Work) -> Work:
        """What the work does, to be repeated with whatever is in its buffers then; it is not done now.

        Raises RuntimeError for work that cannot be recorded.
        """
        ...


class CudaRecorder:
    """Graphs of one device that take turns: they share the memory of what they write in between.

    Work is warmed up and recorded on a stream of its own. Calls of other threads (texts being encoded, LoRAs being
    read) do not break a recording.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)
        self._pool = torch.cuda.graph_pool_handle()

    def warm_up(self, work: Work) -> None:
        """As `Recorder.warm_up`."""
        playing = torch.cuda.current_stream(self._device)
        self._stream.wait_stream(playing)
        with torch.cuda.stream(self._stream):
            work()
        playing.wait_stream(self._stream)

    def record(self, work: Work) -> Work:
        """As `Recorder.record`."""
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool, stream=self._stream, capture_error_mode="thread_local"):
            work()
        return graph.replay


class RecordedWork:
    """Does work by key: the first time as written, the second time recorded, from then on repeated.

    The same key must mean the same work on the same buffers. Where recording fails all is done as written from then
    on, with a line in the log. Used by one thread.
    """

    def __init__(self, recorder: Recorder, name: str) -> None:
        """`name` is for the log."""
        self._recorder = recorder
        self._name = name
        self._warm: set[Hashable] = set()
        self._recorded: dict[Hashable, Work] = {}
        self.is_off = False  # whether recording has failed

    @property
    def recorded(self) -> int:
        """How many works are recorded."""
        return len(self._recorded)

    def run(self, key: Hashable, work: Work) -> None:
        """Do the work of this key."""
        if key in self._recorded:
            self._recorded[key]()
        elif self.is_off:
            work()
        elif key not in self._warm:
            self._recorder.warm_up(work)
            self._warm.add(key)
        else:
            self._record(key, work)

    def forget(self) -> None:
        """Record everything anew: buffers or weights are others now."""
        self._recorded.clear()
        self._warm.clear()

    def _record(self, key: Hashable, work: Work) -> None:
        try:
            repeat = self._recorder.record(work)
        except RuntimeError as error:  # what torch raises for calls that cannot be recorded, and for a full device
            self.is_off = True
            self.forget()
            _LOG.warning("%s is not recorded and plays as written: %s", self._name, str(error).partition("\n")[0])
            work()
            return
        self._recorded[key] = repeat
        repeat()


def recorder_for(device: torch.device, *, is_wanted: bool) -> Recorder | None:
    """What records on a device; None where nothing can, or nobody wants it."""
    return CudaRecorder(device) if is_wanted and device.type == "cuda" else None
