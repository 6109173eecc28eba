"""Sentences about rates that do not go together, and silence where they do."""

from __future__ import annotations

from vj.output.refresh_notes import refresh_notes, refresh_warnings


def test_rates_that_go_together_are_not_mentioned():
    assert refresh_notes({"HDMI-1": 59.94, "DP-1": 60.0}, 30.0) == []
    assert refresh_warnings({"HDMI-1": 59.94, "DP-1": 60.0}) == []
    assert refresh_notes({"HDMI-1": 48.0}, 16.0) == []
    assert refresh_notes({"VNC": 0.0}, 16.0) == []
    assert refresh_notes({"HDMI-1": 60.0}, 0.0) == []


def test_each_trouble_has_its_sentence():
    rates_hz = {"HDMI-1": 60.0, "DP-1": 75.0}
    unwaited, unequal = refresh_warnings(rates_hz, ("DP-1",))
    assert unwaited.startswith("DP-1 does not wait for its refresh")
    assert "HDMI-1 60 Hz, DP-1 75 Hz" in unequal
    (blended,) = refresh_notes(rates_hz, 25.0)
    assert blended.startswith("HDMI-1 refreshes at 60 Hz, no multiple of 25")
