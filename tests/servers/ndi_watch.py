"""A program of its own that receives an NDI source whole: every picture's number, moment and how well it came.

`python -m tests.servers.ndi_watch NAME SECONDS` writes one JSON object. `loopback_ndi` keeps a test on this computer.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np

from tests.servers.given_output import draw, number_of, psnr_db
from tests.servers.ndi_library import NdiPicture, NdiReceiver
from vj.processes.child import end_with_parent

FIND_S = 20.0
JUDGED, MOST_JUDGED = 6, 40  # one of so many pictures is compared to what was sent
# sources are asked for on this computer alone, by address: no daemon is needed and nothing goes out
CONFIG = {"ndi": {"networks": {"ips": "127.0.0.1", "discovery": ""}, "adapters": {"allowed": ["127.0.0.1"]}}}


def loopback_ndi(folder: Path) -> dict[str, str]:
    """Return an environment in which NDI stays on this computer; `folder` is where its settings are written."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ndi-config.v1.json").write_text(json.dumps(CONFIG), "utf-8")
    return {"NDI_CONFIG_DIR": str(folder)}


class NdiWatch:
    """The program, started by a test. A context manager."""

    def __init__(self, name: str, seconds: float, env: dict[str, str]) -> None:
        command = [sys.executable, "-m", "tests.servers.ndi_watch", name, str(seconds)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        self._process = subprocess.Popen(command, env=env, text=True, **pipes)

    def result(self, timeout_s: float) -> dict[str, Any]:
        """Wait for its end; return what it saw."""
        late = threading.Timer(timeout_s, self._process.kill)
        late.start()
        said = self._process.stdout.read()
        late.cancel()
        assert self._process.wait() == 0, said
        return json.loads(said.splitlines()[-1])

    def __enter__(self) -> NdiWatch:
        return self

    def __exit__(self, *about: object) -> None:
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()


def watch(name: str, seconds: float) -> dict[str, Any]:
    """Find the source whose name holds `name`, receive for so long. Pictures are judged when all have come."""
    receiver = NdiReceiver(name, FIND_S)
    kept: list[NdiPicture] = []
    seen = []
    for place, one in enumerate(receiver.pictures(seconds)):
        height, width = one.pixels.shape[:2]
        number = number_of(one.pixels)
        about = {"number": number, "moment_ns": one.moment_ns, "alpha": int(one.pixels[height // 2, width // 2, 3])}
        seen.append(about | {"timecode_s": one.timecode_s, "rate": str(one.rate), "width": width, "height": height})
        if place % JUDGED == 0 and number is not None and len(kept) < MOST_JUDGED:
            kept.append(one)
    receiver.close()
    psnrs = [psnr_db(one.pixels[..., :3], _sent(one)) for one in kept]
    return {"source": receiver.source, "pictures": seen, "psnr_db": [round(one, 2) for one in psnrs]}


def _sent(picture: NdiPicture) -> np.ndarray:
    height, width = picture.pixels.shape[:2]
    return draw(number_of(picture.pixels), width, height)[..., :3]


if __name__ == "__main__":
    end_with_parent()
    sys.stdout.write(json.dumps(watch(sys.argv[1], float(sys.argv[2]))) + "\n")
