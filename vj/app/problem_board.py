"""The last thing that went wrong, from whichever part of the program said so last.

Knows sentences and who says them; nothing of what they mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

Source = Callable[[], str]  # the newest sentence of one part; empty when it has none


class ProblemBoard:
    """Polls its sources for sentences that are new. Belongs to the GUI thread."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self._sources = dict(sources)
        self._seen = dict.fromkeys(sources, "")
        self.last = ""
        self.count = 0

    def note(self, sentence: str) -> None:
        """Take a sentence directly."""
        if sentence:
            self.last = sentence
            self.count += 1

    def poll(self) -> str:
        """Ask every source; return the newest sentence of all."""
        for name, source in self._sources.items():
            sentence = source()
            if sentence != self._seen[name]:
                self._seen[name] = sentence
                self.note(sentence)
        return self.last
