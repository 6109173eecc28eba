"""Pictures that other programs on macOS share through Syphon: `syphon:NAME`. Needs the extra `syphon`."""

from __future__ import annotations

import sys
import time

import av
import numpy as np

from vj.inputs.params import InputParams
from vj.inputs.sources.extras import import_extra
from vj.inputs.sources.source import Picture, SourceError, SourceFacts

INSTALL = "pip install 'vj[syphon]'"
TURN_S = 0.002  # of the run loop: how long a picture may wait here
NAMED = 4


class SyphonSource:
    """One server, read through Metal."""

    keeps = False
    is_held = False
    position_s = 0.0

    def __init__(self, wanted: str) -> None:
        """Connect to the server whose name or program holds `wanted`. Raises SourceError."""
        if sys.platform != "darwin":
            raise SourceError("Syphon is there on macOS only; use ndi:NAME here")
        syphon = import_extra("syphon", "Syphon", INSTALL)
        self._copy = import_extra("syphon.utils.numpy", "Syphon", INSTALL).copy_mtl_texture_to_image
        self._directory = syphon.SyphonServerDirectory()
        self._directory.run_loop_interval = TURN_S
        servers = self._directory.servers
        names = [_name(server) for server in servers]
        found = [server for server, name in zip(servers, names, strict=True) if wanted.lower() in name.lower()]
        if not found:
            there = ", ".join(map(repr, names[:NAMED])) or "none"
            raise SourceError(f"there is no Syphon server whose name holds {wanted!r}; here: {there}")
        self.facts = SourceFacts(_name(found[0]))
        self._client = syphon.SyphonMetalClient(found[0])

    def read(self, settings: InputParams) -> Picture | None:
        """Let the system deliver, then take the newest picture."""
        self._directory.update_run_loop()
        if not self._client.is_valid:
            raise SourceError(f"Syphon server {self.facts.name!r} is gone")
        if not self._client.has_new_frame:
            time.sleep(TURN_S)
            return None
        arrived_ns, texture = time.monotonic_ns(), self._client.new_frame_image
        if texture is None:
            return None
        bgra = np.ascontiguousarray(self._copy(texture))
        return Picture(av.VideoFrame.from_ndarray(bgra, "bgra"), arrived_ns)

    def close(self) -> None:
        """Disconnect."""
        self._client.stop()


def list_syphon() -> tuple[str, ...]:
    """Names of the servers, each with its program. Raises SourceError without the extra."""
    return tuple(_name(server) for server in import_extra("syphon", "Syphon", INSTALL).SyphonServerDirectory().servers)


def _name(server: object) -> str:
    return f"{server.app_name}: {server.name}" if server.name else str(server.app_name)
