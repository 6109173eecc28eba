"""An environment in which parts are absent, and one check asked in its process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from engine.finding import Finding, decode_finding

ROOT = Path(__file__).resolve().parents[3]
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
MODULES += ("safetensors", "transformers", "pydantic", "tomlkit", "platformdirs", "yaml", "cv2")


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
