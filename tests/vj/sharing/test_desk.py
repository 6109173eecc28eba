"""Senders as the panels keep them: real processes, begun and ended by a switch, killed, hung, told of every change."""

from __future__ import annotations

import os
import signal

from vj.processes import kept
from vj.run_folder import is_running


def test_a_sender_is_switched_on_changed_killed_hung_and_switched_off(rig, stood_in_camera, monkeypatch):
    monkeypatch.setattr(kept, "HANGS_NS", 1_000_000_000)
    rig.wait(lambda: len(rig.wanted) == 4, "looked at")
    assert not any(rig.wanted.values())  # the stage reads nothing back for nobody
    rig.set("camera", on=True)
    state = rig.wait_sending("camera")
    assert rig.wanted == {"sender ndi": False, "sender spout": False, "sender syphon": False, "sender camera": True}
    assert (state.name, state.width, state.height, state.rate) == ("Fake Camera", 320, 180, "30")
    rig.set("camera", name="/dev/video9", every=2)
    rig.wait(lambda: rig.desk.states["camera"].name == "/dev/video9", "another device")
    assert rig.desk.states["camera"].process_id == state.process_id and rig.desk.states["camera"].rate == "15"

    os.kill(state.process_id, signal.SIGKILL)  # as a driver that crashes
    second = rig.wait_sending("camera", but_not=state.process_id)
    rig.wait(lambda: any("killed by signal 9" in sentence for sentence in rig.told), "told of the crash")
    os.kill(second.process_id, signal.SIGSTOP)  # as a driver that holds on
    third = rig.wait_sending("camera", but_not=second.process_id)
    assert any("Virtual camera hangs" in sentence for sentence in rig.told)
    assert rig.desk.problem == "" and third.sent > 0

    rig.set("camera", on=False)
    rig.wait(lambda: not is_running(third.process_id), "gone")
    assert rig.desk.states["camera"].state == "off" and not rig.wanted["sender camera"]
    assert not is_running(second.process_id)


def test_a_kind_of_another_system_is_told_once(rig, monkeypatch):
    word = "spout" if os.name != "nt" else "syphon"
    rig.set(word, on=True)
    rig.wait(lambda: bool(rig.told), "told")
    rig.wait(lambda: rig.desk.states[word].problem.endswith("only; use NDI here"), "shown")
    assert len(rig.told) == 1 and rig.desk.states[word].state == "lost"
