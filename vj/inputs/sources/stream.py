"""What comes over a network: rtsp://, rtmp://, http://, udp://, srt://."""

from __future__ import annotations

from urllib.parse import urlsplit

from vj.inputs.sources.container import Opening
from vj.inputs.sources.live import LOW_LATENCY, LiveSource

PROBE_BYTES = 500_000  # looked at before the first picture
PROBE_US = 500_000


def stream_source(address: str) -> LiveSource:
    """Open an address. Raises SourceError."""
    return LiveSource(stream_opening(address), shown_address(address))


def stream_opening(address: str) -> Opening:
    """Say how FFmpeg is to open an address with little delay."""
    options = LOW_LATENCY | {"probesize": str(PROBE_BYTES), "analyzeduration": str(PROBE_US)}
    if urlsplit(address).scheme in ("rtsp", "rtsps"):
        options |= {"rtsp_transport": "tcp", "max_delay": "0"}  # UDP loses packets, and pictures with them
    return Opening(address, None, options)


def shown_address(address: str) -> str:
    """An address without the user's name and password."""
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"
