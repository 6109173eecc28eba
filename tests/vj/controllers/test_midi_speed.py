"""A hand's message moves its parameter within one display frame; a storm of messages starves nobody."""

from __future__ import annotations

import pytest

from bench.midi_latency import FRAME_HZ, play

FRAME_MS = 1000.0 / FRAME_HZ


@pytest.fixture(autouse=True)
def on_jack(jack, monkeypatch) -> None:
    for name, value in jack.env.items():
        monkeypatch.setenv(name, value)


def test_a_fader_moves_its_parameter_within_one_display_frame():
    figures = play(300, 200.0)
    assert figures["played"] == 300
    assert figures["arrival_to_parameter_ms"]["p99"] < FRAME_MS
    assert figures["holds_last_value"]


def test_ten_thousand_messages_a_second_starve_nobody():
    figures = play(20_000, 10_000.0)
    assert figures["played"] > 19_000  # the sender's own buffer drops some when its processor is taken away
    assert figures["holds_last_value"]
    assert figures["arrival_to_parameter_ms"]["p99"] < FRAME_MS
    assert figures["frame_late_ms"]["p50"] < FRAME_MS / 2
