"""NDI for real: our sending process, a second process that receives every picture, and our own input."""

from __future__ import annotations

import itertools
import os
import time
from fractions import Fraction

import pytest

from tests.servers.given_output import draw, number_of, psnr_db
from tests.servers.ndi_library import find_library
from tests.servers.ndi_watch import NdiWatch, loopback_ndi
from vj.inputs.listing import Listed
from vj.inputs.params import InputParams
from vj.inputs.sources.ndi import NdiSource
from vj.sharing.senders.ndi import NdiSender
from vj.sharing.senders.sender import Opening

pytestmark = pytest.mark.skipif(find_library() is None, reason="needs the extra ndi: pip install 'vj[ndi]'")

NAME = f"VJ Test {os.getpid()}"
SEEN_S = 4.0
WHOLE_S = 1.5  # of that without a picture lost: a noisy machine may hold up a receiver, never mix up the order
LEAST_PSNR_DB = 38.0


@pytest.fixture(autouse=True)
def loopback(tmp_path, monkeypatch):
    for name, value in loopback_ndi(tmp_path / "ndi").items():
        monkeypatch.setenv(name, value)


def test_a_second_process_receives_every_picture_in_order_at_the_full_rate(rig):
    rig.set("ndi", on=True, name=NAME)
    state = rig.wait_sending("ndi")
    assert state.name.endswith(f"({NAME})")
    with NdiWatch(NAME, SEEN_S, dict(os.environ)) as watch:
        rig.wait(lambda: rig.desk.states["ndi"].receivers == 1, "a receiver")
        seen = watch.result(30.0)
    pictures = seen["pictures"]
    numbers = [one["number"] for one in pictures]
    assert None not in numbers and numbers == sorted(set(numbers))
    runs = [list(run) for _, run in itertools.groupby(enumerate(numbers), lambda pair: pair[1] - pair[0])]
    run = max(runs, key=len)
    assert len(run) >= WHOLE_S * rig.output.rate_fps, numbers
    first, last = pictures[run[0][0]], pictures[run[-1][0]]
    written_s = (rig.output.moments_ns[last["number"]] - rig.output.moments_ns[first["number"]]) / 1e9
    assert abs((last["moment_ns"] - first["moment_ns"]) / 1e9 - written_s) < 1.0
    assert min(seen["psnr_db"]) >= LEAST_PSNR_DB
    assert {(one["rate"], one["width"], one["height"]) for one in pictures} == {("30", 320, 180)}
    codes = [one["timecode_s"] for one in pictures]
    assert all(early < late for early, late in itertools.pairwise(codes)) and abs(codes[-1] - time.time()) < 60.0


def test_another_instance_takes_it_as_an_input_with_its_alpha_and_a_taken_name_is_counted_up(rig):
    rig.set("ndi", on=True, name=NAME, **{"alpha/mode": "straight", "alpha/low": 0.4, "alpha/high": 0.6})
    rig.wait_sending("ndi")
    source = NdiSource(NAME)
    picture = None
    until_s = time.monotonic() + 10.0
    while picture is None and time.monotonic() < until_s:
        picture = source.read(InputParams(source=f"ndi:{NAME}"))
    source.close()
    rgba = picture.frame.to_ndarray()
    wanted = draw(number_of(rgba), 320, 180)
    assert psnr_db(rgba[..., :3], wanted[..., :3]) >= LEAST_PSNR_DB
    luma = wanted[..., :3].astype(float) @ (0.2126, 0.7152, 0.0722) / 255.0
    assert rgba[..., 3][luma < 0.35].max() < 24 and rgba[..., 3][luma > 0.65].min() > 231

    listed = f"ndi:{source.facts.name}"
    assert rig.desk.leave_out_own([Listed("ndi", listed, listed)]) == ()
    second = NdiSender(Opening(NAME, 320, 180, Fraction(30)))
    assert second.name.endswith(f"({NAME} 2)")
    second.close()
