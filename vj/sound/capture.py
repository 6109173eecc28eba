"""A sound input of this computer, listened to in a process of its own by PortAudio: `python -m vj.sound.capture`.

When a sound or MIDI server dies, PortAudio ends the process that uses it, or hangs.
"""

from __future__ import annotations

import contextlib

from vj.processes.child import end_with_parent
from vj.sound.portaudio import GRACE_S, OpenInput, PortAudio
from vj.sound.sound_pipe import Answer, InputRefusedError, Request, Sender, SoundUnavailableError, read_request

REFUSED_WAIT_S = 5.0  # before an input that is there and does not open is asked again


def capture(request: Request, portaudio: PortAudio, sender: Sender) -> None:
    """Look for the input until it opens, then send what it hears until it is gone.

    Returns soon when the sender is stopped. Raises BrokenPipeError when nobody listens any more.
    """
    opened = _look(request, portaudio, sender)
    if opened is not None:
        sender.send_while(opened.is_alive)


def _look(request: Request, portaudio: PortAudio, sender: Sender) -> OpenInput | None:
    """Open the input as soon as it is there; every look that fails is told. None = nobody waits for it any more."""
    is_first = True
    while not sender.is_stopped.is_set():
        names: tuple[str, ...] | None = None
        try:
            if not is_first:
                portaudio.renew()
            names = portaudio.names()
            opened = portaudio.open(request.device, request.latency, sender.put)
        except SoundUnavailableError as error:
            wait_s = REFUSED_WAIT_S if isinstance(error, InputRefusedError) else request.look_every_s
            sender.say(Answer(problem=str(error), inputs=names, next_look_s=wait_s))
            sender.is_stopped.wait(wait_s)
            is_first = False
            continue
        sender.say(Answer(opened.name, opened.rate_hz, opened.channels, inputs=names))
        return opened
    return None


if __name__ == "__main__":
    asked, pipe = read_request(), Sender()
    end_with_parent(pipe.stop, GRACE_S)
    drivers = PortAudio()
    with contextlib.suppress(BrokenPipeError):
        capture(asked, drivers, pipe)
    drivers.leave()
