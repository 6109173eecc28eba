"""NDI sources on the network, through cyndilib: `ndi:NAME`, by part of the name. Needs the extra `ndi`."""

from __future__ import annotations

import time

import av
import numpy as np

from vj.inputs.params import InputParams
from vj.inputs.sources.extras import import_extra
from vj.inputs.sources.source import Picture, SourceError, SourceFacts

INSTALL = "pip install 'vj[ndi]'"
FIND_S = 3.0  # sources announce themselves within about one
CONNECT_S = 3.0
ASK_S = 0.004  # how often the newest picture is asked for
LOST_S = 2.0  # without a connection
NAMED = 4


class NdiSource:
    """One NDI source, received without compression of our own. The frame sync gives the newest picture."""

    keeps = False
    is_held = False
    position_s = 0.0

    def __init__(self, wanted: str) -> None:
        """Find it and connect. Raises SourceError."""
        finder_module = import_extra("cyndilib.finder", "NDI", INSTALL)
        receiver_module = import_extra("cyndilib.receiver", "NDI", INSTALL)
        frames = import_extra("cyndilib.video_frame", "NDI", INSTALL)
        formats = import_extra("cyndilib.wrapper.ndi_recv", "NDI", INSTALL)
        self._finder = finder_module.Finder()
        self._finder.open()
        try:
            source = _find(self._finder, wanted)
            self._receiver = receiver_module.Receiver(
                color_format=formats.RecvColorFormat.RGBX_RGBA, bandwidth=formats.RecvBandwidth.highest
            )
            self._frame = frames.VideoFrameSync()
            self._receiver.frame_sync.set_video_frame(self._frame)
            self._receiver.set_source(source)
        except SourceError:
            self._finder.close()
            raise
        self.facts = SourceFacts(source.name)
        self._stamp = 0.0
        self._connected_s = time.monotonic() + CONNECT_S

    def read(self, settings: InputParams) -> Picture | None:
        """Ask for the newest picture; the same one again is none."""
        if self._receiver.is_connected():
            self._connected_s = max(self._connected_s, time.monotonic())
        elif time.monotonic() - self._connected_s > LOST_S:
            raise SourceError(f"NDI source {self.facts.name!r} is gone")
        self._receiver.frame_sync.capture_video()
        width, height = self._frame.get_resolution()
        stamp = self._frame.get_timestamp_posix()
        if min(width, height) <= 0 or not self._frame.get_data_size() or stamp == self._stamp:
            time.sleep(ASK_S)
            return None
        self._stamp = stamp
        lines = self._frame.get_array().reshape(height, -1)[:, : 4 * width]
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(lines).reshape(height, width, 4), "rgba")
        return Picture(frame, time.monotonic_ns())

    def close(self) -> None:
        """Disconnect."""
        self._receiver.set_source(None)
        self._finder.close()


def list_ndi(wait_s: float = FIND_S) -> tuple[str, ...]:
    """Names of the sources on the network, after so long. Raises SourceError without the extra."""
    finder = import_extra("cyndilib.finder", "NDI", INSTALL).Finder()
    finder.open()
    try:
        finder.wait_for_sources(wait_s)
        return tuple(finder.get_source_names())
    finally:
        finder.close()


def _find(finder: object, wanted: str) -> object:
    """The finder's source whose name holds `wanted`. Raises SourceError that names those there are."""
    until_s = time.monotonic() + FIND_S
    while time.monotonic() < until_s:
        for name in finder.get_source_names():
            if wanted.lower() in name.lower():
                return finder.get_source(name)
        finder.wait(0.2)
    there = ", ".join(map(repr, finder.get_source_names()[:NAMED])) or "none"
    raise SourceError(f"there is no NDI source whose name holds {wanted!r}; on this network: {there}")
