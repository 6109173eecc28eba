"""What the show needs besides drivers: the engine and its weights, packages, extras, ports, folders and room."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import engine
from engine.finding import decode_finding
from tests.vj.doctor.absence import MODULES, ROOT, ask, named, without
from vj.controllers.osc.endpoint import DEFAULT_PORT, LOOPBACK, OscEndpoint
from vj.doctor import computer, packages
from vj.doctor.report import stoppers


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


def test_of_a_large_model_the_names_and_shapes_are_compared(tmp_path: Path) -> None:
    preset = own_model(tmp_path) / "model.toml"
    text = preset.read_text("utf-8").replace("dim = 256", "dim = 1536").replace("num_heads = 4", "num_heads = 12")
    preset.write_text(text, "utf-8")
    (stopping,) = stoppers(ask("engine", "doctor", "--model", str(tmp_path)))
    assert "transformer.safetensors: this is a text-to-video checkpoint (width 256, 6 blocks)" in stopping.detail


def test_a_model_nobody_knows_stops_the_show(tmp_path: Path) -> None:
    env = without(tmp_path, "torch")
    (_, stopping) = stoppers(ask("engine", "doctor", "--model", "embr", env=env))
    assert "did you mean 'ember'" in stopping.detail


def test_every_blocked_package_is_named(tmp_path: Path) -> None:
    code = "import sys, engine.finding as f, vj.doctor.packages as p"
    code += "; sys.stdout.writelines(map(f.encode_finding, p.check_packages()))"
    env = dict(os.environ) | without(tmp_path, *MODULES)
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    findings = [decode_finding(line) for line in done.stdout.splitlines()]
    lost = [finding for finding in findings if finding.part == "Python" and finding.state == "missing"]
    assert sorted(word for finding in lost for word in MODULES if word in finding.detail) == sorted(MODULES)
    assert named(findings, "packages").detail.startswith("1 of 18")
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
