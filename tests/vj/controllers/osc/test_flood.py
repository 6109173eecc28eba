"""The short form of tests/long/osc_flood.py: the real program goes on, holds the last value, and still tells it."""

import json
import re
import urllib.request

from tests.long.osc_flood import LAST_VALUES, flooded_show
from tests.vj.controllers.osc.rig import Ear, wait_until
from vj.controllers.osc.packet import encode_message

SENDING_SHARE = 0.5  # of the rate asked for that a crowded machine must still reach, else nothing was tested
LONGEST_MS = 1000.0  # a crowded test machine stutters by itself; what is looked for here is a picture that stands


def test_a_flood_moves_the_picture_on_and_the_last_value_holds(display, tmp_path):
    ear = Ear()
    with flooded_show(display, tmp_path, settle_s=3.0) as show:
        ear.send(encode_message("/vj/subscribe"), show.port)
        moved, rate_hz = show.flood("moves", 20_000, 40_000)
        show.hold_last_values()
        assert rate_hz > 20_000 * SENDING_SHARE
        attacked, rate_hz = show.flood("malformed", 10_000, 20_000)
        show.hold_last_values()
        assert rate_hz > 10_000 * SENDING_SHARE
        assert max(moved.longest_ms, attacked.longest_ms) < LONGEST_MS, (moved, attacked)
        for address, value in LAST_VALUES.items():
            wait_until(lambda a=address, v=value: ear.value(a) == v, what=f"the report of {address}")
        (port,) = re.findall(r"OSCQuery answers at port (\d+)", show.vj.output())
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/vj/output/level?VALUE", timeout=5) as answer:
            assert json.load(answer) == {"VALUE": [LAST_VALUES["/vj/output/level"]]}
    ear.close()
