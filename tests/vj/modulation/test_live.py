"""Modulators as the audience sees them: the real command, played by OSC and by sound, and what is on the display."""

from __future__ import annotations

import os
import re
import subprocess
import time
import wave
from pathlib import Path

import numpy as np
import pytest
from pythonosc.udp_client import SimpleUDPClient

from tests.servers.instrument import RunningVj
from tests.servers.xvfb import XDisplay

BPM = 60.0  # a bar of four seconds: a busy machine's late frames do not blur it
PERIOD_S = 4.0
MEASURED_S = 4.5
MIDDLE_GREY = 127.5
SAMPLE_RATE_HZ = 48_000
KICKS, KICK_EVERY_S = 6, 0.6


def brightness(display: XDisplay) -> float:
    return float(display.grab()[300:420, 500:780].mean())


def osc_port(vj: RunningVj) -> int:
    vj.wait_for("OSC listens at")
    return int(re.search(r"OSC listens at \S+:(\d+)", vj.output())[1])


def play_slot(hand: SimpleUDPClient, depth: float, words: dict[str, str]) -> None:
    """Set modulator 3 going over the output's level, over an even middle grey: brightness is the level."""
    hand.send_message("/vj/effect/contrast/raw", 0.0)
    for name, value in ({"target": "/vj/output/level"} | words).items():
        hand.send_message(f"/vj/mod/3/{name}", value)
    hand.send_message("/vj/mod/3/depth/raw", depth)
    hand.send_message("/vj/mod/3/on", 1)


def kicks(path: Path) -> None:
    """Write a drum that falls from 120 to 50 Hz within 150 ms, every KICK_EVERY_S, after a second of silence."""
    length_s = 1.0 + KICKS * KICK_EVERY_S
    sound = np.zeros(int(length_s * SAMPLE_RATE_HZ))
    t = np.arange(int(0.15 * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    drum = 0.8 * np.exp(-t * 25) * np.sin(2 * np.pi * np.cumsum(50 + 70 * np.exp(-t * 40)) / SAMPLE_RATE_HZ)
    for k in range(KICKS):
        start = int((1.0 + k * KICK_EVERY_S) * SAMPLE_RATE_HZ)
        sound[start : start + len(drum)] = drum
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes((sound * 32767).astype("<i2").tobytes())


def test_a_wave_over_the_level_follows_the_beat(start_vj, display: XDisplay):
    vj = start_vj("run", "--model", "test-pattern", "--fullscreen", "--osc", "127.0.0.1:0", display=display)
    with SimpleUDPClient("127.0.0.1", osc_port(vj)) as hand:
        hand.send_message("/vj/clock/bpm/raw", BPM)
        play_slot(hand, -0.8, {"source": "lfo", "shape": "triangle", "period": "1 bar"})
        time.sleep(1.5)
        hand.send_message("/vj/clock/resync", 1)
        bar_s = time.monotonic()
        seen = []
        while time.monotonic() < bar_s + MEASURED_S:
            seen.append((time.monotonic() - bar_s, brightness(display)))
            time.sleep(0.02)
        measured = np.array(seen)[10:]
        lags_s = np.arange(-1.0, 1.0, 0.01)
        waves = 1 - np.abs(2 * ((measured[:, :1] - lags_s) / PERIOD_S % 1) - 1)
        errors = np.abs(MIDDLE_GREY * (1 - 0.8 * waves) - measured[:, 1:]).mean(axis=0)
        assert abs(lags_s[errors.argmin()]) < 0.25
        assert errors.min() < 10.0
        hand.send_message("/vj/mod/3/on", 0)
        deadline_s = time.monotonic() + 10.0
        while abs(brightness(display) - MIDDLE_GREY) > 1.5:
            assert time.monotonic() < deadline_s, "the base is where it was"
            time.sleep(0.02)
    assert vj.stop() == 0


def test_every_kick_of_the_drum_pumps_the_picture(start_vj, display: XDisplay, pulse, tmp_path: Path):
    kicks(tmp_path / "kicks.wav")
    vj = start_vj(
        "run", "--model", "test-pattern", "--fullscreen", "--osc", "127.0.0.1:0", display=display, env=pulse.env
    )
    with SimpleUDPClient("127.0.0.1", osc_port(vj)) as hand:
        hand.send_message("/vj/audio/device", "pulse")
        play_slot(hand, -0.9, {"source": "bass_onset"})
        hand.send_message("/vj/mod/3/attack/raw", 0.0)
        hand.send_message("/vj/mod/3/release/raw", 250.0)
        time.sleep(2.5)
        player = subprocess.Popen(["paplay", str(tmp_path / "kicks.wav")], env=os.environ | pulse.env)
        seen = []
        end_s = time.monotonic() + 1.5 + KICKS * KICK_EVERY_S
        while time.monotonic() < end_s:
            seen.append((time.monotonic(), brightness(display)))
            time.sleep(0.01)
        assert player.wait(10.0) == 0
    times_s, levels = np.array(seen).T
    is_dark = levels < 0.6 * MIDDLE_GREY
    hits_s = times_s[1:][is_dark[1:] & ~is_dark[:-1]]
    assert abs(len(hits_s) - KICKS) <= 1
    assert np.median(np.diff(hits_s)) == pytest.approx(KICK_EVERY_S, abs=0.05)
    assert levels[-1] == pytest.approx(MIDDLE_GREY, abs=8.0)  # the last release dies away
    assert vj.stop() == 0
