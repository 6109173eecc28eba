"""A timeline's hard cuts in the real command: when a witness at the display sees them, against the time asked for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.xvfb import XDisplay
from tests.vj.osc_desk import OscDesk
from tests.vj.tempo.beat_stage import FRAME_NS
from tests.vj.tempo.lamp import LampWitness

CUTS_S = (6.0, 8.0, 10.0)
POSITION = "/vj/state/timeline/position"


@pytest.fixture
def small_display(tmp_path: Path) -> Iterator[XDisplay]:
    with XDisplay(tmp_path, 640, 360) as display:
        yield display


def test_hard_cuts_are_seen_at_their_times(start_vj, small_display: XDisplay, tmp_path: Path):
    path = tmp_path / "cuts.toml"
    cues = "".join(f'[[cues]]\nat = {at}\ncut = "hard"\n' for at in CUTS_S)
    path.write_text(f'length = 60\n[[cues]]\nat = 0\nvalues = {{ "/vj/seed/value" = 1 }}\n{cues}')
    with OscDesk() as desk:
        arguments = ("run", "--fullscreen", "--model", "test-pattern@40", "--timeline", path, "--osc-out", desk.address)
        vj = start_vj(*arguments, display=small_display)
        vj.wait_for("OSC listens at")
        witness = LampWitness(small_display.framebuffer)
        try:
            starts_s: list[float] = []  # when position 0 was, by each report; the least late one is nearest

            def is_past(position_s: float) -> bool:
                told = desk.last(POSITION)
                if told:
                    starts_s.append(time.monotonic() - float(told))
                return bool(told) and float(told) > position_s

            desk.listen(lambda: is_past(CUTS_S[0] - 1.0), timeout_s=25.0)
            lit_before = len(witness.lights)  # the picture before the first frame is no light of a cut
            desk.listen(lambda: is_past(CUTS_S[-1] + 0.5) and len(witness.lights) >= lit_before + len(CUTS_S))
            seen_s = [at / 1e9 - min(starts_s) for at in witness.lights[lit_before:]]
        finally:
            witness.stop()
        late_ms = [(seen - asked) * 1e3 for seen, asked in zip(seen_s, CUTS_S, strict=True)]
        # a busy machine may miss a refresh at some of the lights; unled, each would be a chunk late
        assert min(map(abs, late_ms)) <= 4 * FRAME_NS / 1e6, late_ms
        assert vj.stop() == 0
