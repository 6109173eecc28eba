"""A picture that is not shown is told of in a sentence, once."""

from __future__ import annotations

from vj.output.playback import PlaybackStatus
from vj.stage.messages import StageState
from vj.stage.picture_faults import AGAIN_NS, FaultTeller

START_NS = 5_000_000_000


def state(fault: str, word: str = "waiting") -> StageState:
    return StageState(fault=fault, status=PlaybackStatus(state=word))


def test_each_fault_is_told_once_however_long_it_lasts():
    teller = FaultTeller()
    assert teller.news(state(""), START_NS) == ""
    assert "black" in teller.news(state("black"), START_NS)
    assert teller.news(state("black"), START_NS + 2 * AGAIN_NS) == ""
    assert "stands still" in teller.news(state("frozen"), START_NS)


def test_a_fault_that_comes_and_goes_is_not_told_at_every_coming():
    teller = FaultTeller()
    assert teller.news(state("black"), START_NS)
    assert teller.news(state("", "live"), START_NS + 1) == ""
    assert teller.news(state("black"), START_NS + 2) == ""
    assert teller.news(state("", "live"), START_NS + 3) == ""
    assert teller.news(state("black"), START_NS + AGAIN_NS)


def test_a_late_stream_is_told_of_when_the_output_has_fallen_back():
    teller = FaultTeller()
    assert teller.news(state("late"), START_NS) == ""
    assert "late" in teller.news(state("late", "fallback"), START_NS)
    assert teller.news(state("late", "fallback"), START_NS + 1) == ""
