"""A sound input of this computer, listened to in a process of its own by PortAudio: `python -m vj.sound.capture`.

When a sound or MIDI server dies, PortAudio ends the process that uses it, or hangs.
"""

from __future__ import annotations

import contextlib
import os
import time

from vj.child_process import end_with_parent
from vj.sound.portaudio import OpenInput, PortAudio
from vj.sound.sound_pipe import Answer, InputRefusedError, Request, Sender, SoundUnavailableError, read_request

REFUSED_WAIT_S = 5.0  # before an input that is there and does not open is asked again


def capture(request: Request, sender: Sender) -> None:
    """Look for the input until it opens, then send what it hears until it is gone."""
    opened = _look(request, sender)
    sender.send_while(opened.is_alive)


def _look(request: Request, sender: Sender) -> OpenInput:
    """Open the input as soon as it is there; every look that fails is told."""
    portaudio, is_first = PortAudio(), True
    while True:
        names: tuple[str, ...] | None = None
        try:
            if not is_first:
                portaudio.renew()
            names = portaudio.names()
            opened = portaudio.open(request.device, request.latency, sender.put)
        except SoundUnavailableError as error:
            wait_s = REFUSED_WAIT_S if isinstance(error, InputRefusedError) else request.look_every_s
            sender.say(Answer(problem=str(error), inputs=names, next_look_s=wait_s))
            time.sleep(wait_s)
            is_first = False
            continue
        sender.say(Answer(opened.name, opened.rate_hz, opened.channels, inputs=names))
        return opened


if __name__ == "__main__":
    asked = read_request()
    end_with_parent()
    with contextlib.suppress(BrokenPipeError):  # the listener is gone
        capture(asked, Sender())
    os._exit(0)  # PortAudio's own way out may hang
