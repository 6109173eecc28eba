"""`vj doctor` with everything there, and with each part absent: what is found, what stops the show, what mends it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import engine
from engine.finding import Finding, decode_finding, found, missing
from vj.child_process import python_command
from vj.controllers.osc.endpoint import DEFAULT_PORT, LOOPBACK, OscEndpoint
from vj.doctor import computer, packages
from vj.doctor.command_line import Check, _ask
from vj.doctor.report import as_json, as_text, stoppers, wants_colour

ROOT = Path(__file__).resolve().parents[2]
Run = Callable[..., subprocess.CompletedProcess[str]]
BLOCKER = """
import importlib.machinery, os, sys
class Blocked:
    def find_spec(name, path=None, target=None):
        is_blocked = name.partition(".")[0] in os.environ["BLOCKED"].split()
        return None if is_blocked else importlib.machinery.PathFinder.find_spec(name, path, target)
    invalidate_caches = importlib.machinery.PathFinder.invalidate_caches
    find_distributions = importlib.machinery.PathFinder.find_distributions
sys.meta_path[sys.meta_path.index(importlib.machinery.PathFinder)] = Blocked
"""
# what python-osc and the others are imported as
MODULES = ("PyQt6", "OpenGL", "numpy", "torch", "pythonosc", "mido", "rtmidi", "sounddevice", "av", "huggingface_hub")
MODULES += ("safetensors", "transformers", "pydantic", "tomlkit", "platformdirs")


def without(folder: Path, *modules: str) -> dict[str, str]:
    """Return an environment in which these modules cannot be imported."""
    (folder / "sitecustomize.py").write_text(BLOCKER, "utf-8")
    return {"PYTHONPATH": os.pathsep.join((str(folder), str(ROOT))), "BLOCKED": " ".join(modules)}


def ask(*words: str, env: dict[str, str] | None = None) -> list[Finding]:
    """Run one check in its process."""
    command = [sys.executable, "-m", *words]
    done = subprocess.run(command, env=dict(os.environ) | (env or {}), cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [decode_finding(line) for line in done.stdout.splitlines()]


def named(findings: list[Finding], name: str) -> Finding:
    (finding,) = [finding for finding in findings if finding.name == name]
    return finding


# -- the command ----------------------------------------------------------------------------------------------------


def test_a_whole_computer_can_start(run_vj: Run, display, jack, pulse) -> None:
    done = run_vj("doctor", "--json", display=display, env={**jack.env, **pulse.env})
    assert done.returncode == 0, done.stdout
    told = json.loads(done.stdout)
    assert told["can_run"] is True
    there = {finding["part"] for finding in told["findings"] if finding["state"] == "found"}
    assert there >= {"Python", "engine", "attention", "models", "displays", "MIDI", "sound", "network", "files"}
    assert all(finding["fix"] for finding in told["findings"] if finding["state"] == "missing")


def test_without_a_display_the_show_cannot_start(run_vj: Run) -> None:
    done = run_vj("doctor", env={"TERM": "xterm-256color"})
    assert done.returncode == 1
    assert "NEEDED   display            no display" in done.stdout
    assert "fix: set DISPLAY (or WAYLAND_DISPLAY), or use `vj render`" in done.stdout
    assert done.stdout.endswith("vj run cannot start: display (displays)\n")
    assert "\033" not in done.stdout  # no colour where nobody sees it


def test_an_environment_without_any_package_is_told_and_nothing_breaks(tmp_path: Path) -> None:
    venv.create(tmp_path / "bare", symlinks=os.name != "nt", with_pip=False)
    python = next((tmp_path / "bare" / ("Scripts" if os.name == "nt" else "bin")).glob("python*"))
    kept = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    done = subprocess.run(
        [str(python), "-m", "vj", "doctor", "--json"],
        env=kept | {"PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (1, "")
    findings = json.loads(done.stdout)["findings"]
    stopping = {finding["name"] for finding in findings if finding["stops_show"]}
    assert stopping >= {"engine", "PyTorch", "window"}
    assert all("python3 start.py" in finding["fix"] for finding in findings if finding["part"] in ("Python", "engine"))


def test_a_command_names_the_package_it_misses(run_vj: Run, tmp_path: Path) -> None:
    done = run_vj("run", "--model", "test-pattern", env=without(tmp_path, "PyQt6"))
    assert done.returncode == 1
    assert done.stderr == "vj: PyQt6 is not installed: run `python3 start.py`; `vj doctor` lists what is missing\n"


# -- displays -------------------------------------------------------------------------------------------------------


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


# -- MIDI, sound, cameras ---------------------------------------------------------------------------------------------


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


def test_a_check_that_crashes_or_hangs_is_a_finding() -> None:
    crashing = Check("sound", (sys.executable, "-c", "import os; os.abort()"), 20.0)
    (finding,) = _ask(crashing)
    assert "the check ended with -6" in finding.detail
    said = "print('driver noise', flush=True); import time; time.sleep(60)"
    (finding,) = _ask(Check("displays", (sys.executable, "-c", said), 1.0, stops_show=True))
    assert "did not end within 1 s" in finding.detail
    assert finding.stops_show


# -- the engine -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("model", "stops"), [("ember", True), ("test-pattern", False)])
def test_without_torch_only_the_test_pattern_plays(tmp_path: Path, model: str, stops: bool) -> None:
    findings = ask("engine", "doctor", "--model", model, env=without(tmp_path, "torch"))
    assert named(findings, "PyTorch").stops_show is stops
    assert "torch" in named(findings, "PyTorch").detail
    assert named(findings, "ember").state == "found"


def own_model(folder: Path) -> Path:
    """Copy ember with its weights into a folder of its own."""
    ember = Path(engine.__file__).parent / "ember"
    for weights in ember.glob("*.safetensors"):
        shutil.copy(weights, folder)
    preset = (ROOT / "presets/models/ember.toml").read_text("utf-8").replace("engine:ember/", "")
    (folder / "model.toml").write_text(preset, "utf-8")
    return folder


def test_weights_that_are_missing_damaged_or_foreign_are_named(tmp_path: Path) -> None:
    folder = own_model(tmp_path)
    (folder / "autoencoder.safetensors").rename(folder / "autoencoder.old")
    transformer = folder / "transformer.safetensors"
    transformer.write_bytes(transformer.read_bytes()[:-1000])
    shutil.copy(folder / "autoencoder.old", folder / "text.safetensors")
    findings = ask("engine", "doctor", "--model", str(folder))
    (stopping,) = stoppers(findings)
    for words in ("transformer.safetensors: the file is truncated", "autoencoder.safetensors: there is no such file"):
        assert words in stopping.detail
    assert "text.safetensors: this is a TAEHV" in stopping.detail
    assert str(folder) in stopping.fix
    assert named(findings, "ember").state == "found"  # the shipped one


def test_a_model_nobody_knows_stops_the_show(tmp_path: Path) -> None:
    env = without(tmp_path, "torch")
    (_, stopping) = stoppers(ask("engine", "doctor", "--model", "embr", env=env))
    assert "did you mean 'ember'" in stopping.detail


# -- packages and extras --------------------------------------------------------------------------------------------


def test_every_blocked_package_is_named(tmp_path: Path) -> None:
    code = "import sys, engine.finding as f, vj.doctor.packages as p"
    code += "; sys.stdout.writelines(map(f.encode_finding, p.check_packages()))"
    env = dict(os.environ) | without(tmp_path, *MODULES)
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    findings = [decode_finding(line) for line in done.stdout.splitlines()]
    lost = [finding for finding in findings if finding.part == "Python" and finding.state == "missing"]
    assert sorted(word for finding in lost for word in MODULES if word in finding.detail) == sorted(MODULES)
    assert named(findings, "packages").detail.startswith("1 of 16")
    assert all(finding.fix == "python3 start.py" for finding in lost)


def test_a_package_that_is_too_old_or_not_there_is_named() -> None:
    assert "is installed, >=99 is needed" in packages._problem(Requirement("numpy>=99"))
    assert packages._problem(Requirement("no-such-package-here")) == "is not installed"
    assert packages._problem(Requirement("numpy>=1")) == ""


def test_versions_other_than_the_tested_ones_are_shown() -> None:
    declared = packages.Declared(">=3.11", (Requirement("numpy"),), {}, {"numpy": "0.1"})
    (shown,) = packages._differing(declared)
    assert shown.endswith("(tested 0.1)")


def test_extras_come_from_the_projects_own_list_with_the_line_that_installs_them() -> None:
    declared = packages.read_declared()
    assert packages.PURPOSES.keys() == declared.extras.keys() - set(packages.DEVELOPMENT_EXTRAS)
    finding = packages._check_extra("ndi", Requirement("no-such-package-here>=0.1"))
    assert finding.is_extra
    assert finding.fix.endswith('-m pip install "no-such-package-here>=0.1"')
    assert "NDI" in finding.detail


# -- this computer --------------------------------------------------------------------------------------------------


def test_a_taken_port_stops_only_the_show_that_asks_for_it() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        with contextlib.suppress(OSError):  # another program has it: just as well
            other.bind((LOOPBACK, DEFAULT_PORT))
        asked = computer._check_osc(OscEndpoint(is_default=False))
        assert asked.stops_show
        assert str(DEFAULT_PORT) in asked.detail
        usual = computer._check_osc(None)
        assert (usual.state, usual.stops_show) == ("missing", False)
        assert f"port {DEFAULT_PORT} is taken" in usual.detail
    assert computer._check_osc(OscEndpoint(port=0, is_default=False)).state == "found"


def test_a_home_that_cannot_be_written_is_told_and_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, "/proc/nowhere")
    findings = list(computer._check_folders())
    assert named(findings, "your files").state == named(findings, "the engine's log").state == "missing"
    assert "/proc/nowhere/vj cannot be written" in named(findings, "your files").detail
    assert stoppers(findings) == []


def test_room_for_frames_is_looked_for_in_memory_and_then_on_the_disk(monkeypatch, tmp_path: Path) -> None:
    assert computer._check_frame_memory().state == "found"
    monkeypatch.setattr(computer, "MEMORY_FOLDER", tmp_path / "absent")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert computer._check_frame_memory().state == "found"
    monkeypatch.setattr(computer, "has_room", lambda folder, needed: False)
    assert computer._check_frame_memory().stops_show


# -- the report -----------------------------------------------------------------------------------------------------


def test_every_line_can_be_read_with_and_without_colour() -> None:
    findings = [found("engine", "PyTorch", "2.13"), missing("engine", "GPU", "none", "buy one")]
    findings.append(missing("displays", "display", "none", "plug one in", stops_show=True))
    plain, coloured = as_text(findings, False), as_text(findings, True)
    assert "  found    PyTorch            2.13\n" in plain
    assert "fix: buy one\n" in plain
    assert plain.endswith("vj run cannot start: display (displays)\n")
    assert "\033" in coloured
    assert as_text(findings[:2], False).endswith("vj run can start.\n")
    assert json.loads(as_json(findings))["can_run"] is False


def test_colour_is_for_terminals_that_want_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert wants_colour(Terminal())
    assert not wants_colour(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not wants_colour(Terminal())
