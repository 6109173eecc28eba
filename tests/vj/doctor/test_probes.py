"""Displays, MIDI, sound and cameras: there, and really absent."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.vj.doctor.absence import ask, named, without
from vj.doctor.command_line import Check, _ask
from vj.doctor.report import stoppers
from vj.processes.child import python_command


def test_displays_and_their_opengl_are_found(display) -> None:
    findings = ask("vj.doctor.probe", "displays", env=display.env)
    assert "1280x720" in named(findings, "display 1").detail
    assert "llvmpipe" in named(findings, "OpenGL").detail
    assert "the processor draws" in named(findings, "graphics card").detail
    assert stoppers(findings) == []


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"DISPLAY": ":3971", "QT_QPA_PLATFORM": "xcb"}, "nothing answers at DISPLAY=:3971"),
        ({"QT_XCB_GL_INTEGRATION": "none"}, "OpenGL 3.3"),
    ],
)
def test_a_display_that_cannot_be_used_stops_the_show(display, env, words) -> None:
    (stopping,) = stoppers(ask("vj.doctor.probe", "displays", env=display.env | env))
    assert words in f"{stopping.detail} {stopping.fix}"
    assert stopping.fix


def test_a_display_that_is_asked_for_and_not_there_stops_the_show(display) -> None:
    (stopping,) = stoppers(ask("vj.doctor.probe", "displays", "--wanted", "projector", env=display.env))
    assert stopping.detail == "--display projector"
    assert "there are 1: screen" in stopping.fix


@pytest.mark.parametrize("module", ["PyQt6", "OpenGL", "numpy", "platformdirs"])
def test_a_window_that_cannot_be_loaded_stops_the_show(display, tmp_path: Path, module: str) -> None:
    findings = ask("vj.doctor.probe", "displays", env=display.env | without(tmp_path, module))
    assert module in named(findings, "window").detail
    assert named(findings, "window").stops_show


def test_midi_ports_are_found(jack, monkeypatch) -> None:
    import rtmidi

    for name, value in jack.env.items():
        monkeypatch.setenv(name, value)
    box = rtmidi.MidiOut(rtmidi.API_UNIX_JACK, name="stage box")
    box.open_virtual_port("out")
    try:
        findings = ask("vj.doctor.probe", "midi")
    finally:
        box.close_port()
        box.delete()
    assert named(findings, "driver").detail == "UNIX_JACK"
    assert any("stage box" in finding.detail for finding in findings if finding.name == "port in")
    assert named(findings, "ports out").state == "missing"


def test_no_midi_driver_is_told(tmp_path: Path) -> None:
    nobody = {"MIDO_BACKEND": "mido.backends.rtmidi/UNIX_JACK", "JACK_DEFAULT_SERVER": "nobody"}
    (driver,) = ask("vj.doctor.probe", "midi", env=nobody)
    assert (driver.state, driver.stops_show) == ("missing", False)
    assert "JACK" in driver.detail
    assert driver.fix


def test_midi_without_its_package_is_told(jack, tmp_path: Path) -> None:
    (driver,) = ask("vj.doctor.probe", "midi", env=jack.env | without(tmp_path, "rtmidi"))
    assert "rtmidi" in driver.detail
    assert driver.fix == "python3 start.py"


def test_sound_inputs_are_found(pulse) -> None:
    findings = ask("vj.doctor.probe", "sound", env=pulse.env)
    assert "channels" in named(findings, "pulse").detail


def test_no_sound_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (package,) = ask("vj.doctor.probe", "sound", env=without(tmp_path, "sounddevice"))
    assert "sounddevice" in package.detail
    # a computer whose sound is not set up: PortAudio may end the process that asks
    silent = {"ALSA_CONFIG_PATH": str(tmp_path / "none"), "JACK_NO_START_SERVER": "1", "JACK_DEFAULT_SERVER": "nobody"}
    for name, value in silent.items():
        monkeypatch.setenv(name, value)
    (inputs,) = _ask(Check("sound", (*python_command("vj.doctor.probe"), "sound"), 20.0))
    assert (inputs.state, inputs.stops_show) == ("missing", False)
    assert inputs.fix


def test_cameras_are_looked_for(tmp_path: Path) -> None:
    assert {finding.part for finding in ask("vj.doctor.probe", "cameras")} == {"cameras"}
    (package,) = ask("vj.doctor.probe", "cameras", env=without(tmp_path, "av"))
    assert (package.state, package.stops_show) == ("missing", False)


def test_what_sharing_needs_is_looked_for_and_stops_no_show(tmp_path: Path) -> None:
    findings = ask("vj.doctor.probe", "sharing")
    assert {finding.part for finding in findings} <= {"sharing"}
    assert all(finding.is_extra and (finding.fix or finding.state == "found") for finding in findings)
    assert ask("vj.doctor.probe", "sharing", env=without(tmp_path, "cyndilib", "pyvirtualcam")) == []


def test_a_check_that_crashes_or_hangs_is_a_finding() -> None:
    crashing = Check("sound", (sys.executable, "-c", "import os; os.abort()"), 20.0)
    (finding,) = _ask(crashing)
    assert "the check ended with -6" in finding.detail
    said = "print('driver noise', flush=True); import time; time.sleep(60)"
    (finding,) = _ask(Check("displays", (sys.executable, "-c", said), 1.0, stops_show=True))
    assert "did not end within 1 s" in finding.detail
    assert finding.stops_show
