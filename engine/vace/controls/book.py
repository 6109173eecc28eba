"""Control makers by name; those that stand on a network are loaded on a thread, and the stream goes on without."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

import torch

from engine.vace.controls.maker import ControlMaker
from engine.vace.controls.registry import CONTROL_MAKERS

TRY_AGAIN_S = 5.0  # after a failure: the network may have been downloaded meanwhile


class ControlBook:
    """Makers for one device. Any thread may ask; a maker itself belongs to the thread that plays."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="controls")
        self._lock = threading.Lock()  # over the futures
        self._loading: dict[str, tuple[Future[ControlMaker], float]] = {}  # with when it was begun

    def maker(self, name: str, *, wait: bool = False) -> ControlMaker | None:
        """The maker of a control, which begins to load with this call; None while it is not there.

        With `wait` (offline) it is read to the end, and CheckpointError is raised when that fails.
        """
        control = CONTROL_MAKERS[name]
        if control.make is not None:
            return control.make
        future = self._request(name)
        if wait:
            return future.result()
        return future.result() if future.done() and not future.exception() else None

    def notice(self, name: str) -> str:
        """Why a control is not made: it is loading, or cannot be; empty when it is, or was never asked for."""
        with self._lock:
            future = self._loading[name][0] if name in self._loading else None
        if future is None:
            return ""
        if not future.done():
            return f"control {name!r} is being loaded; the picture is not guided by it until then"
        return str(future.exception() or "")

    def close(self) -> None:
        """End the loading thread."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _request(self, name: str) -> Future[ControlMaker]:
        now = time.monotonic()
        with self._lock:
            future, begun = self._loading.get(name, (None, 0.0))
            has_failed = future is not None and future.done() and future.exception() is not None
            if future is None or (has_failed and now - begun > TRY_AGAIN_S):
                future = self._pool.submit(CONTROL_MAKERS[name].load, self._device)
                self._loading[name] = (future, now)
            return future
