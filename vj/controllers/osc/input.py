"""OSC in: every address of the parameter table answers on a UDP port.

One thread reads datagrams and plays them; what cannot be read is counted, never raised.
"""

from __future__ import annotations

import contextlib
import select
import time
from dataclasses import dataclass

from vj.controllers.osc.batch import Sender
from vj.controllers.osc.endpoint import OscEndpoint, OscReach, find_reach, open_socket
from vj.controllers.osc.listener import STOP_CHECK_S, Listener
from vj.controllers.osc.player import OscPlayer, OscWords
from vj.controls import Controls

LARGEST_DATAGRAM_BYTES = 65536
BATCH_S = 0.003  # the first datagram plays at once, those that follow it so closely together
BATCH_DATAGRAMS = 512  # of a flood that would never end; the rest waits in the socket


@dataclass(frozen=True)
class OscStatus:
    """What the listener has seen so far."""

    messages: int  # readable messages, unknown addresses included
    malformed: int  # datagrams that are no OSC, wholly or from some point on
    unknown: int  # messages no address answers to
    refused: int  # messages whose argument has no sensible reading, NaN included
    last_message: str  # address and arguments, shortened
    last_problem: str  # one sentence, or nothing


class OscInput:
    """A UDP port and the thread that reads it. Started and stopped by one thread; any may read the properties.

    Opens the port when made, so that a port that is taken is told before anything else starts.
    """

    def __init__(self, controls: Controls, endpoint: OscEndpoint | None = None, words: OscWords | None = None) -> None:
        """Open the port: `endpoint`, or the default. Raises OscPortError."""
        asked = endpoint or OscEndpoint()
        words = words or OscWords()
        self._socket = open_socket(asked)
        self.host: str = self._socket.getsockname()[0]
        self.port: int = self._socket.getsockname()[1]  # the one really in use
        self.port_moved: bool = asked.is_default and self.port != asked.port  # to be shown unmissably
        self.reach: OscReach = find_reach(self._socket, self.port_moved)
        # written by the listening thread alone
        self._messages = self._malformed = 0
        self._batch = words.new_batch()
        self._player = OscPlayer(controls, words, self._answer)
        self._listener = Listener(self._socket, "osc in", self._listen)

    def status(self) -> OscStatus:
        """Tell what was received so far; polled by the status strip."""
        player = self._player
        return OscStatus(
            self._messages, self._malformed, player.unknown, player.refused, player.last_message, player.last_problem
        )

    def start(self) -> None:
        """Begin to listen."""
        self._listener.start()

    def stop(self) -> None:
        """Close the port; waits at most a second for the thread."""
        self._listener.stop()

    def _listen(self) -> None:
        while not self._listener.is_stopping:
            readable, _, _ = select.select([self._socket], [], [], STOP_CHECK_S)
            if not readable:
                continue
            began_s = time.monotonic()
            self._drain()
            self._play()
            spent_s = time.monotonic() - began_s
            # what arrives meanwhile waits in the socket: the picture's thread gets at least half of a flood's time
            time.sleep(max(BATCH_S - spent_s, spent_s))

    def _drain(self) -> None:
        """Take what is there, without waiting."""
        for _ in range(BATCH_DATAGRAMS):
            try:
                datagram, sender = self._socket.recvfrom(LARGEST_DATAGRAM_BYTES)
            except BlockingIOError:
                break
            except OSError:
                continue  # Windows reports here that something sent before has found a closed port
            self._batch.add(datagram, sender)

    def _play(self) -> None:
        self._player.play(self._batch.take())
        if self._batch.malformed != self._malformed:
            self._player.note_problem(self._batch.last_problem)
        # counted when played, so that whoever waits for a message finds its value
        self._messages, self._malformed = self._batch.messages, self._batch.malformed

    def _answer(self, packet: bytes, sender: Sender) -> None:
        with contextlib.suppress(OSError):  # who asked is gone, or its buffer is full: it may ask again
            self._socket.sendto(packet, sender)
