"""Where a figure was measured: device, versions, commit. Every result file carries it."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[1]


def describe(device: torch.device) -> dict[str, str | int]:
    """Device, versions and commit, ready for JSON."""
    properties = torch.cuda.get_device_properties(device) if device.type == "cuda" else None
    return {
        "gpu": properties.name if properties else "none",
        "gpu_memory_bytes": properties.total_memory if properties else 0,
        "cpu_threads": torch.get_num_threads(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda or "none",
        "commit": commit(),
    }


def commit() -> str:
    """Short hash of the checkout, with `+` when files differ from it; "unknown" outside git."""
    git = ["git", "-C", str(ROOT)]
    try:
        head = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True).stdout
        changed = subprocess.run(
            [*git, "status", "--porcelain", "-uno"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head.strip() + ("+" if changed.strip() else "")
