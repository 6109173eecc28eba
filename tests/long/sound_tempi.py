"""Clicks, drums, silence and clipping through a real sound server: tempo within 1 % in 8 s, F1 of beginnings."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from tests.servers import PulseServer
from tests.servers.process import find_program
from tests.vj.sound.signals import beginnings_s, clicks, drums, f1_score, noise, write_wave
from vj.parameters import ParameterStore
from vj.sound.features import SoundFeatures
from vj.sound.input import SoundInput

TEMPI = (80, 120, 128, 174)
DRUMS = (("house", 124), ("rock", 90), ("swing", 140), ("hip hop", 90), ("drum and bass", 174))
SETTLED_NS = 60_000_000
SECONDS = 8.0
FORGET_S = 17.0  # silence between two runs: the tempo before is forgotten


def play(ear: SoundInput, path: Path, sound: np.ndarray) -> list[SoundFeatures]:
    """Play a sound into the sink and return every block's features until it ends."""
    write_wave(path, sound)
    seen = [ear.features]
    player = subprocess.Popen([find_program("paplay"), str(path)])
    while player.poll() is None:
        if ear.features is not seen[-1]:
            seen.append(ear.features)
        time.sleep(0.003)
    return seen


def play_clicks(ear: SoundInput, path: Path, bpm: float) -> dict[str, float]:
    """Return what was made of a click track."""
    sound, times = clicks(bpm, SECONDS)
    seen = play(ear, path, sound)
    found = [time_s for time_s in beginnings_s(seen, start_ns=0) if time_s * 1e9 > seen[0].time_ns]
    aligned = [time_s - found[0] + times[0] for time_s in found]
    figures = {
        "bpm": round(seen[-1].bpm, 2),
        "error_percent": round(100 * abs(seen[-1].bpm / bpm - 1.0), 3),
        "confidence": round(seen[-1].bpm_confidence, 2),
        "f1": round(f1_score(aligned, times), 3),
    }
    assert figures["error_percent"] < 1.0, f"{bpm} BPM was heard as {figures['bpm']}"
    assert figures["f1"] >= 0.95, f"beginnings at {bpm} BPM: F1 {figures['f1']}"
    return figures


def play_drums(ear: SoundInput, path: Path, style: str, bpm: float) -> dict[str, float]:
    """Return what was made of a drum machine: half and double count as heard, and are told."""
    seen = play(ear, path, drums(style, bpm, SECONDS + 2.0)[0])
    heard = seen[-1].bpm
    factor = min((0.5, 1.0, 2.0), key=lambda factor: abs(heard / bpm - factor))
    assert abs(heard / bpm / factor - 1.0) < 0.01, f"{style} at {bpm} BPM was heard as {heard}"
    return {"bpm": round(heard, 2), "confidence": round(seen[-1].bpm_confidence, 2), "octave": factor}


def run() -> dict[str, object]:
    """Play everything and return the figures; raises AssertionError."""
    figures: dict[str, object] = {"clicks": {}, "drums": {}}
    with tempfile.TemporaryDirectory() as folder, PulseServer(Path(folder)) as server:
        os.environ.update(server.env)
        path, ear = Path(folder) / "played.wav", SoundInput(ParameterStore().versioned_snapshot)
        ear.start()
        try:
            while time.monotonic_ns() - ear.features.time_ns > SETTLED_NS:
                time.sleep(0.05)
            for bpm in TEMPI:
                figures["clicks"][str(bpm)] = play_clicks(ear, path, bpm)
                before = ear.features.onset_times_ns
                time.sleep(FORGET_S)
                after = ear.features
                assert after.onset_times_ns == before and after.level == 0.0, "something began in silence"
                assert (after.bpm, after.has_signal) == (0.0, False), "the tempo outlived the music"
            for style, bpm in DRUMS:
                figures["drums"][f"{style} {bpm}"] = play_drums(ear, path, style, bpm)
                time.sleep(FORGET_S)
            clipped = play(ear, path, np.clip(5.0 * noise(SECONDS, 1.0), -1.0, 1.0))
            figures["beginnings_in_clipped_noise"] = len(beginnings_s(clipped[90:])) - 1  # the last one before counts
            assert ear.features.is_clipping
            assert figures["beginnings_in_clipped_noise"] <= 5
            figures["overflows"] = ear.status.overflows
        finally:
            ear.stop()
    return figures
