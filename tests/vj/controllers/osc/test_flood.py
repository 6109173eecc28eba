"""The short form of tests/long/osc_flood.py: the real program goes on, and holds the last value."""

from tests.long.osc_flood import flooded_show

SENDING_SHARE = 0.5  # of the rate asked for that a crowded machine must still reach, else nothing was tested
LONGEST_MS = 1000.0  # a crowded test machine stutters by itself; what is looked for here is a picture that stands


def test_a_flood_moves_the_picture_on_and_the_last_value_holds(display, tmp_path):
    with flooded_show(display, tmp_path, settle_s=3.0) as show:
        moved, rate_hz = show.flood("moves", 20_000, 40_000)
        show.hold_last_values()
        assert rate_hz > 20_000 * SENDING_SHARE
        attacked, rate_hz = show.flood("malformed", 10_000, 20_000)
        show.hold_last_values()
        assert rate_hz > 10_000 * SENDING_SHARE
        assert max(moved.longest_ms, attacked.longest_ms) < LONGEST_MS, (moved, attacked)
