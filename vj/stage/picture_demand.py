"""Who wants the output's pictures: recorder, replay, each sender. The stage reads them back while anybody does.

Knows nothing of who they are, nor of how the stage is told.
"""

from __future__ import annotations

import threading
from collections.abc import Callable


class PictureDemand:
    """Any thread may call; nothing waits."""

    def __init__(self) -> None:
        """Nobody wants pictures yet, and nobody is told."""
        self._wanters: frozenset[str] = frozenset()
        self._order: Callable[[bool], None] = lambda is_wanted: None
        self._lock = threading.Lock()

    @property
    def wanters(self) -> frozenset[str]:
        """Who wants them now."""
        return self._wanters

    def tell(self, order: Callable[[bool], None]) -> None:
        """Have `order` called with whether pictures are wanted: now, and whenever that changes."""
        with self._lock:
            self._order = order
            order(bool(self._wanters))

    def want(self, who: str, is_wanted: bool) -> None:
        """Say whether `who` ("recording", "replay", "sender ndi") wants pictures; the same again changes nothing."""
        with self._lock:
            before = self._wanters
            self._wanters = before | {who} if is_wanted else before - {who}
            if bool(before) != bool(self._wanters):
                self._order(bool(self._wanters))
