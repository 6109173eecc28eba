"""What the performer is told when something else plays in the stream's place: once, however long it lasts.

Knows nothing of why a stream is black, still or late.
"""

from __future__ import annotations

from vj.stage.messages import StageState

AGAIN_NS = 10_000_000_000  # a fault that comes and goes is not told at every coming
SENTENCES = {
    "black": "the model makes black pictures: they are not shown, what was good last plays until others come",
    "frozen": "the model's picture stands still: what was good last plays until it moves",
    "late": "the stream is late: what was good last plays until it is back",
}


class FaultTeller:
    """Used by one thread."""

    def __init__(self) -> None:
        self._fault = ""
        self._told_ns: dict[str, int] = {}

    def news(self, state: StageState, now_ns: int) -> str:
        """Return the sentence that is due for what the stage says now; empty as a rule.

        A late stream is told of once the output has fallen back: moments of waiting are nobody's business.
        """
        fault = state.fault if state.fault != "late" or state.status.state == "fallback" else ""
        if fault == self._fault:
            return ""
        self._fault = fault
        if fault not in SENTENCES or now_ns - self._told_ns.get(fault, -AGAIN_NS) < AGAIN_NS:
            return ""
        self._told_ns[fault] = now_ns
        return SENTENCES[fault]
