"""Effects in the real program: how soon a hand is seen, and a user's file that is damaged while it plays."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import numpy as np

from tests.servers.process import wait_until
from tests.servers.timed_vj import WRITE_EVERY, read_swaps
from tests.servers.watched_show import WatchedShow, watched_show

OWN = """/*{ "INPUTS": [ { "NAME": "inputImage", "TYPE": "image" } ] }*/
void main() {
    gl_FragColor = vec4(%s, 1.0);
}
"""
MOVES = 6
PAUSE_S = 0.15


def middle(show: WatchedShow) -> np.ndarray:
    return show.display.grab()[160:200, 300:340].reshape(-1, 3).mean(axis=0)


def swaps_until_seen(show: WatchedShow, swaps: Path, mix: float, is_seen: float) -> int:
    """Move the effect's mix; return how many swaps there were until it was on the captured screen."""
    began_ns = time.monotonic_ns()
    show.send("/vj/effect/user/1/mix", mix)
    while (middle(show)[0] > 200.0) != bool(is_seen):
        assert time.monotonic_ns() - began_ns < 5_000_000_000, "the mix was never seen"
        seen_ns = time.monotonic_ns()  # before the picture that shows it is grabbed: no swap after it counts
    wait_until(lambda: (read_swaps(swaps) > seen_ns).any(), "the swaps' file", 5.0)
    moments = read_swaps(swaps)
    return int(((moments > began_ns) & (moments <= seen_ns)).sum())


def test_a_hand_on_an_effect_is_seen_in_the_next_frame_and_a_damaged_file_plays_on(tmp_path: Path):
    assert WRITE_EVERY <= 16
    own, swaps = tmp_path / "own.fs", tmp_path / "swaps"
    own.write_text(OWN % "1.0, 0.0, 0.0")
    with watched_show(tmp_path, "test-pattern", timed=swaps, is_stamped=False) as (show, _):
        show.send("/vj/effect/user/1/file", str(own))
        show.send("/vj/effect/user/1/mix", 1.0)
        wait_until(lambda: np.abs(middle(show) - (255, 0, 0)).max() < 3, "the user's effect", 20.0)
        taken = []
        for number in range(MOVES):
            time.sleep(PAUSE_S)
            is_seen = float(number % 2)
            taken.append(swaps_until_seen(show, swaps, is_seen, is_seen))
        assert statistics.median(taken) <= 2, f"swaps from the hand to the screen: {taken}"
        own.write_text(OWN % "nobody")
        wait_until(lambda: any(note.problem for note in show.state().effects), "the complaint", 20.0)
        (note,) = show.state().effects
        assert note.name == "user/1" and note.problem.startswith("own.fs: line 3: ") and "nobody" in note.problem
        assert np.abs(middle(show) - (255, 0, 0)).max() < 3, "the old one stays"
        own.write_text(OWN % "0.0, 0.0, 1.0")
        wait_until(lambda: np.abs(middle(show) - (0, 0, 255)).max() < 3, "the mended file", 20.0)
        assert not any(note.problem for note in show.state().effects)
