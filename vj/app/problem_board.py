"""The last thing that went wrong, from whichever part of the program said so last.

Knows sentences and who says them; nothing of what they mean.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping

KEPT_SENTENCES = 50

Source = Callable[[], str]  # the newest sentence of one part; empty when it has none


class ProblemBoard:
    """Polls its sources for sentences that are new. Belongs to the GUI thread."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self._sources = dict(sources)
        self._seen = dict.fromkeys(sources, "")
        self.last = ""
        self.count = 0
        self.news = ""  # the newest sentence that is no problem
        self.recent: deque[str] = deque(maxlen=KEPT_SENTENCES)  # newest first, with the time of day

    def note(self, sentence: str) -> None:
        """Take a sentence directly."""
        if sentence:
            self.last = sentence
            self.count += 1
            self.recent.appendleft(f"{time.strftime('%H:%M:%S')}  {sentence}")

    def poll(self) -> str:
        """Ask every source; return the newest sentence of all."""
        for name, source in self._sources.items():
            sentence = source()
            if sentence != self._seen[name]:
                self._seen[name] = sentence
                self.note(sentence)
        return self.last
