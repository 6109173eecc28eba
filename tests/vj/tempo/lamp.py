"""The test pattern's lamp on an X display, and a witness of its light in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

LAMP = (6, 6)  # a pixel of it when the picture begins in the display's corner


class LampWitness:
    """Notes when the lamp's light changed. Any thread may read `lights`."""

    def __init__(self, framebuffer: Path) -> None:
        """`framebuffer` is the X display's memory as a file."""
        self.lights: list[int] = []  # time.monotonic_ns() of each change
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("lamp_watch.py"), framebuffer, *map(str, LAMP)],
            stdout=subprocess.PIPE,
            text=True,
        )
        self._thread = threading.Thread(target=self._note, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        self._thread.join(5.0)
        self._process.stdout.close()

    def _note(self) -> None:
        for line in self._process.stdout:
            self.lights.append(int(line.split()[0]))
