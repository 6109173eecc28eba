"""Looks, cues and shows in the real program, played over OSC."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator

import pytest
from pythonosc.udp_client import SimpleUDPClient

from tests.servers.instrument import RunningVj
from tests.vj.osc_desk import OscDesk
from vj.presets.cue_list import ListedCue
from vj.presets.recall import Duration
from vj.presets.show_file import ShowState, show_text
from vj.written_files import write_text

HUE, TEXT = "/vj/effect/hue", "/vj/prompt/1/text"


@pytest.fixture
def desk() -> Iterator[OscDesk]:
    with OscDesk() as desk:
        yield desk


def port_of(vj: RunningVj) -> int:
    vj.wait_for("OSC listens at")
    return int(re.search(r"OSC listens at \S+:(\d+)", vj.output())[1])


def test_a_show_is_played_saved_and_comes_back_after_a_crash(start_vj, display, desk, tmp_path):
    cues = (
        ListedCue("glow", look="deep_sea", values={HUE: 90.0}),
        ListedCue("turn", values={HUE: 30.0}, fade=Duration(1.0)),
    )
    show = tmp_path / "tour"
    write_text(show / "show.toml", show_text(ShowState(name="tour", cues=cues, slots=("furnace", "mine"))))
    write_text(show / "looks" / "mine.toml", f'[values]\n"{TEXT}" = "my own words"\n"{HUE}" = -60.0\n')
    run = ("run", "--model", "test-pattern", "--osc", "0", "--osc-out", desk.address)
    vj = start_vj(*run, "--show", show, display=display)
    with SimpleUDPClient("127.0.0.1", port_of(vj)) as hand:
        hand.send_message("/vj/transition/time", 0.3)  # square curve: 5.8 s
        hand.send_message("/vj/look/2/recall", 1)
        desk.listen(lambda: -59.0 < _hue(desk) < -1.0 and len(desk.heard[HUE]) > 5)
        hand.send_message("/vj/transition/time", 0.0)
        hand.send_message("/vj/look/2/recall", 1)
        desk.listen(lambda: _hue(desk) == pytest.approx(-60.0))
        hand.send_message("/vj/cue/go", 1)
        desk.listen(lambda: _hue(desk) == pytest.approx(90.0) and desk.last("/vj/cue/next") == 2)
        hand.send_message("/vj/cue/go", 1)
        desk.listen(lambda: _hue(desk) == pytest.approx(30.0))
        hand.send_message("/vj/cue/back", 1)
        desk.listen(lambda: _hue(desk) == pytest.approx(90.0) and desk.last("/vj/cue/current") == 1)
        hand.send_message("/vj/look/3/save", 1)
        hand.send_message("/vj/show/save", 1)
        vj.wait_for("the show is saved in")
    assert "/vj/effect/hue" in (show / "show.toml").read_text()
    assert (show / "looks" / "slot_3.toml").is_file()

    # the autosave comes twice a minute, and at once at the start: begin again with the show, then break off
    vj.stop()
    vj = start_vj(*run, "--show", show, display=display)
    port_of(vj)
    states = tmp_path / "vj" / "autosave"
    saved = states / f"{vj.process.pid}.toml"
    desk.listen(lambda: saved.is_file())
    assert vj.stop(signal.SIGKILL) != 0
    desk.heard.clear()
    vj = start_vj(*run, display=display)
    vj.wait_for("the last run did not end properly")
    with SimpleUDPClient("127.0.0.1", port_of(vj)) as hand:
        hand.send_message("/vj/cue/go", 1)
        desk.listen(lambda: _hue(desk) == pytest.approx(30.0))
    assert vj.stop() == 0
    assert [path.name for path in states.iterdir()] == ["last.toml"]


def _hue(desk: OscDesk) -> float:
    """Hue in degrees: it is told as a fader's position."""
    position = desk.last(HUE)
    return 0.0 if position is None else float(position) * 360.0 - 180.0
