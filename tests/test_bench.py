"""The measuring scripts run anywhere in a small form: a figure nobody can repeat is no figure."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_first_light_runs_small_and_reports_parity(tmp_path):
    target = tmp_path / "first_light.json"
    command = [sys.executable, "-m", "bench.gpu.first_light", "--smoke", "--json", str(target)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    result = json.loads(target.read_text())
    assert result["parity"]["passed"]
    assert result["is_finite"]
    assert {"transformer_only", "wan_vae", "taehv"} == set(result["fps"])
    assert result["environment"]["commit"]


def test_sound_latency_hears_every_click(tmp_path, pulse):
    target = tmp_path / "sound_latency.json"
    command = [sys.executable, "-m", "bench.sound_latency", "--clicks", "5", "--json", str(target)]
    environment = dict(os.environ, **pulse.env)
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    figures = json.loads(target.read_text())["figures"]
    assert figures["clicks"] >= figures["heard"] >= 4
    assert figures["dac_to_parameter_ms"]["p50"] > 0.0
