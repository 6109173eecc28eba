"""A kick in the null sink to the flash it makes on the captured screen, with and without a generator at full load.

The kick's moment is when a second listener on the sink's monitor hears it, with blocks of 5 ms; the flash's when the
display has been read back brighter. The output's level is played by the bass drum.
"""

from __future__ import annotations

import os
import random
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tests.servers.process import find_program
from tests.servers.pulse import PulseServer
from tests.servers.watched_show import WatchedShow, watched_show

KICKS = 120
SAMPLE_RATE_HZ = 48_000
BLOCK_S = 0.005
SHORTEST_S, LONGEST_S = 0.55, 0.75  # between two kicks: never in step with the display
SETTLE_S = 3.0
LOUD = 0.1
BRIGHTER = 12.0  # of 255
LATEST_MS = 500.0  # a flash that comes later belongs to no kick
LOST_SHARE = 0.05
MODELS = {"without_generator_load": "test-pattern", "with_generator_load": "ember"}
PLAYED = {
    "/vj/effect/contrast/raw": 0.0,  # an even middle grey: brightness is the level alone
    "/vj/audio/device": "pulse",
    "/vj/output/level/raw": 0.3,
    "/vj/mod/3/target": "/vj/output/level",
    "/vj/mod/3/source": "bass_onset",
    "/vj/mod/3/attack/raw": 0.0,
    "/vj/mod/3/release/raw": 300.0,
    "/vj/mod/3/depth/raw": 0.7,
    "/vj/mod/3/on": 1,
}


def kick_track(kicks: int) -> np.ndarray:
    """A drum that falls from 120 to 50 Hz within 150 ms, `kicks` times after some silence; int16."""
    draw = random.Random(1)
    starts_s = SETTLE_S + np.cumsum([draw.uniform(SHORTEST_S, LONGEST_S) for _ in range(kicks)])
    sound = np.zeros(int((starts_s[-1] + 1.0) * SAMPLE_RATE_HZ))
    t = np.arange(int(0.15 * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    drum = 0.8 * np.exp(-t * 25) * np.sin(2 * np.pi * np.cumsum(50 + 70 * np.exp(-t * 40)) / SAMPLE_RATE_HZ)
    for start_s in starts_s:
        start = int(start_s * SAMPLE_RATE_HZ)
        sound[start : start + len(drum)] = drum
    return (sound * 32767).astype("<i2")


class Listener(threading.Thread):
    """Notes when each kick comes out of the sink's monitor."""

    def __init__(self, env: Mapping[str, str]) -> None:
        super().__init__(name="listener", daemon=True)
        words = ["--raw", "--channels=1", "--format=s16le", f"--rate={SAMPLE_RATE_HZ}", "--latency-msec=5"]
        self._process = subprocess.Popen(
            [find_program("parec"), *words], env={**os.environ, **env}, stdout=subprocess.PIPE
        )
        self.heard_ns: list[int] = []

    def run(self) -> None:
        size = int(BLOCK_S * SAMPLE_RATE_HZ) * 2
        while len(block := self._process.stdout.read(size)) == size:
            at_ns = time.monotonic_ns()
            loud = np.flatnonzero(np.abs(np.frombuffer(block, "<i2")) > LOUD * 32767)
            is_new = not self.heard_ns or at_ns - self.heard_ns[-1] > SHORTEST_S / 2 * 1e9
            if len(loud) and is_new:
                # the block's last sample came last: the loud one so many samples before
                self.heard_ns.append(at_ns - round((size // 2 - int(loud[0])) / SAMPLE_RATE_HZ * 1e9))

    def stop(self) -> None:
        """End listening."""
        self._process.terminate()
        self._process.wait()


def brightness(show: WatchedShow) -> float:
    """Of the middle of the display, 0..255."""
    return float(show.display.grab()[170:190, 310:330].mean())


def flashes_ns(show: WatchedShow, until: subprocess.Popen[bytes]) -> list[int]:
    """Moments at which the display was seen to become brighter, while a sound is played."""
    found, before = [], None
    while until.poll() is None:
        bright = brightness(show)
        if before is not None and bright > before + BRIGHTER and (not found or _since_s(found[-1]) > SHORTEST_S / 2):
            found.append(time.monotonic_ns())
        before = bright
        time.sleep(0.001)
    return found


def _since_s(moment_ns: int) -> float:
    return (time.monotonic_ns() - moment_ns) / 1e9


def measure(show: WatchedShow, folder: Path, kicks: int, env: Mapping[str, str]) -> dict[str, float]:
    """Play the kicks and return what they took; raises AssertionError when too many are not seen."""
    for address, value in PLAYED.items():
        show.send(address, value)
    time.sleep(SETTLE_S)  # the sound input opens
    raw = folder / "kicks.raw"
    raw.write_bytes(kick_track(kicks).tobytes())
    listener = Listener(env)
    listener.start()
    words = ["--raw", "--channels=1", "--format=s16le", f"--rate={SAMPLE_RATE_HZ}", "--latency-msec=20", str(raw)]
    try:
        player = subprocess.Popen([find_program("pacat"), "--playback", *words], env={**os.environ, **env})
        seen_ns = flashes_ns(show, player)
    finally:
        listener.stop()
    taken_ms = []
    for heard_ns in listener.heard_ns:
        later = [(at_ns - heard_ns) / 1e6 for at_ns in seen_ns if 0 <= at_ns - heard_ns < LATEST_MS * 1e6]
        taken_ms += later[:1]
    heard = len(listener.heard_ns)
    assert heard >= 0.9 * kicks, f"the listener heard {heard} of {kicks} kicks"
    assert len(taken_ms) >= (1.0 - LOST_SHARE) * heard - 1, _lost(show, len(taken_ms), heard)
    p50, p95 = np.percentile(taken_ms, [50, 95])
    return {
        "kicks": heard,
        "seen": len(taken_ms),
        "p50_ms": round(float(p50), 1),
        "p95_ms": round(float(p95), 1),
        "largest_ms": round(max(taken_ms), 1),
        "display_fps": round(show.state().outputs[0].fps, 1),
    }


def _lost(show: WatchedShow, seen: int, heard: int) -> str:
    fps = show.state().outputs[0].fps
    return f"{seen} of {heard} kicks were seen, at {fps:.1f} refreshes a second"


def run(kicks: int = KICKS) -> dict[str, object]:
    """Measure with a picture that costs nothing and with ember; raises AssertionError."""
    figures: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as name, PulseServer(Path(name)) as server:
        for label, model in MODELS.items():
            folder = Path(name) / label
            folder.mkdir()
            with watched_show(folder, model, env=server.env, is_stamped=False) as (show, _):
                figures[label] = measure(show, folder, kicks, server.env)
    return figures
