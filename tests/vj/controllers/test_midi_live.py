"""The whole instrument with a controller plugged in: lights show the show, buttons play it, at the end all is dark."""

from __future__ import annotations

from tests.servers.midi_box import wait_until

MUTE_1, BANK_RIGHT = 1, 26


def test_a_midimix_blacks_the_output_out_and_its_lights_follow(start_vj, display, plug, jack):
    box = plug("MIDI Mix")
    vj = start_vj("run", "--model", "test-pattern", "--fullscreen", display=display, env=jack.env)
    vj.wait_for("OSC listens at")

    def shows(note: int, level: int) -> bool:
        sent = [message for message in box.received() if message[:2] == bytes([0x90, note])]
        return sent[-1:] == [bytes([0x90, note, level])]

    wait_until(lambda: shows(MUTE_1, 127) and shows(BANK_RIGHT, 0), 30.0)  # pad 1 is heard
    wait_until(lambda: bool(display.grab().any()), 30.0)
    box.send(0x90, BANK_RIGHT, 127)
    box.send(0x80, BANK_RIGHT, 0)
    wait_until(lambda: shows(BANK_RIGHT, 127))
    wait_until(lambda: not display.grab().any())
    box.send(0x90, BANK_RIGHT, 127)
    box.send(0x80, BANK_RIGHT, 0)
    wait_until(lambda: bool(display.grab().any()))
    assert vj.stop() == 0
    wait_until(lambda: shows(MUTE_1, 0) and shows(BANK_RIGHT, 0))
