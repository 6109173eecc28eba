"""Inputs in a real show on a real display: the short forms of the long runs of video in."""

from __future__ import annotations

import shutil
import time

import pytest

from tests.long import input_latency, video_in

needs_display = pytest.mark.skipif(shutil.which("Xvfb") is None, reason="needs Xvfb")
PATIENCE_S = 60.0  # a test machine with all cores taken makes few chunks


@needs_display
def test_a_flash_in_a_captured_graph_is_soon_on_the_display() -> None:
    # a machine with all cores taken may leave the frames of one out
    figures = input_latency.run(1, ("layer",), ("graph",), most_missed=0.7)["layer"]["graph"]
    assert figures["flashes"] >= 1
    assert figures["median_ms"] < 1000


@needs_display
def test_the_picture_follows_the_input_it_is_painted_over_and_not_another() -> None:
    with video_in.opened(10.0, has_camera=False) as (eyes, _):
        eyes.send(video_in.MODES["v2v"](video_in.FILM))
        end, since_ns = time.monotonic() + PATIENCE_S, time.monotonic_ns()
        difference = 0.0
        while difference < video_in.OWN_LESS_OTHER:
            assert time.monotonic() < end, f"it follows its own by {difference:.2f} more than the other"
            time.sleep(1.0)
            since_ns = max(since_ns, time.monotonic_ns() - 10_000_000_000)
            difference = eyes.alike(video_in.FILM, since_ns) - eyes.alike(video_in.GRAPH, since_ns)
        assert eyes.show.state().status.input_latency_s > 0.0
