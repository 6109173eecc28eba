"""Output delay: picture and effects as they were some milliseconds ago; the performer's emergency row stays immediate.

Works on numbers alone. Owned by the thread that draws.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from vj.output.params import OutputParams

NS_PER_MS = 1_000_000
LONGEST_NS = 500 * NS_PER_MS


class DelayLine:
    """Remembers what was wished, as long as the longest delay."""

    def __init__(self) -> None:
        self._wished: deque[tuple[int, OutputParams]] = deque()
        self._shown_ns = 0

    def at(self, now_ns: int, params: OutputParams) -> tuple[int, OutputParams]:
        """Take in the wishes of now; return the moment to play and what to draw it with.

        The moment never runs backwards: while a delay grows the picture waits for it.
        """
        if params.delay <= 0.0:
            self._wished.clear()
            self._shown_ns = max(self._shown_ns, now_ns)
            return now_ns, params
        self._wished.append((now_ns, params))
        wanted_ns = now_ns - round(params.delay * NS_PER_MS)
        self._shown_ns = max(self._shown_ns, wanted_ns)
        while len(self._wished) > 1 and self._wished[1][0] <= now_ns - LONGEST_NS:
            self._wished.popleft()
        past = next((then for at_ns, then in reversed(self._wished) if at_ns <= self._shown_ns), self._wished[0][1])
        return self._shown_ns, replace(
            params,
            hue=past.hue,
            saturation=past.saturation,
            contrast=past.contrast,
            zoom=past.zoom,
            crossfade=past.crossfade,
            effects=past.effects,
        )
