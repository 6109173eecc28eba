"""What the tests talk to, started for real: an X display, a JACK server, a PulseAudio server."""

from tests.servers.jack import JackServer
from tests.servers.process import ServerMissingError
from tests.servers.pulse import PulseServer
from tests.servers.xvfb import XDisplay

__all__ = ["JackServer", "PulseServer", "ServerMissingError", "XDisplay"]
