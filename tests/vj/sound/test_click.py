"""The click of the flash test: on whole seconds, through a real sound server, and quiet when the switch goes off."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import numpy as np
import pytest

from vj.output.placing_params import FLASH_TEST_ADDRESS
from vj.sound.click import AGAIN_NS, RATE_HZ, SECOND_NS, FlashClick, click_samples


def test_blocks_of_any_length_join_into_one_click_a_second():
    whole = click_samples(5 * SECOND_NS - SECOND_NS // 10, RATE_HZ)
    began = np.flatnonzero(np.abs(whole) > 1e-6)[0]
    assert began == pytest.approx(RATE_HZ / 10, abs=2)
    assert (whole[: began - 1] == 0).all()
    assert (whole[began + int(0.02 * RATE_HZ) + 2 :] == 0).all()
    halves = [click_samples(5 * SECOND_NS - SECOND_NS // 10 + k * SECOND_NS // 2, RATE_HZ // 2) for k in range(2)]
    assert np.abs(np.concatenate(halves) - whole).max() < 1e-4


def test_it_is_heard_once_a_second(pulse):
    env = os.environ | pulse.env
    child = subprocess.Popen([sys.executable, "-m", "vj.sound.click"], stdin=subprocess.PIPE, env=env)
    time.sleep(1.5)
    command = ["parec", "-d", "stage.monitor", "--rate=48000", "--channels=1", "--format=float32le", "--raw"]
    listener = subprocess.Popen(command, stdout=subprocess.PIPE, env=env)
    heard = np.frombuffer(listener.stdout.read(4 * RATE_HZ * 4), np.float32)
    listener.kill()
    listener.communicate()
    child.communicate(b"")
    assert child.returncode == 0
    starts = np.flatnonzero(np.abs(heard) > 0.1)
    clicks = starts[np.flatnonzero(np.diff(starts, prepend=-RATE_HZ) > RATE_HZ // 2)]
    assert 3 <= len(clicks) <= 5
    assert np.median(np.diff(clicks)) / RATE_HZ == pytest.approx(1.0, abs=0.05)  # one may wait for a core


def test_a_driver_that_ends_it_is_told_and_it_clicks_again(tmp_path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "sounddevice.py").write_text("import os\nos.abort()\n", "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    told = []
    click = FlashClick(lambda: {FLASH_TEST_ADDRESS: True}, told.append)
    click.tick(0)
    click._child.wait(20.0)
    click.tick(1)
    assert "the sound driver ended it (status -6)" in told[0]
    assert click._child is None
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')\n", "utf-8")
    click.tick(2 + AGAIN_NS)
    click._child.wait(20.0)
    click.tick(3 + AGAIN_NS)
    assert "PortAudio library not found" in told[1]
    click.stop()


def test_the_switch_starts_and_ends_it(pulse, monkeypatch: pytest.MonkeyPatch):
    for name, value in pulse.env.items():
        monkeypatch.setenv(name, value)
    values = {FLASH_TEST_ADDRESS: True}
    click = FlashClick(lambda: values)
    click.tick(0)
    child = click._child
    assert child is not None
    click.tick(0)
    assert click._child is child
    values[FLASH_TEST_ADDRESS] = False
    began_s = time.monotonic()
    click.tick(0)
    assert time.monotonic() - began_s < 0.5, "the conductor waits for nobody"
    click.stop()
    assert child.poll() is not None
