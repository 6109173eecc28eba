"""Where a figure was measured: device, versions, commit, and how fast and hot the card ran. Every result carries it."""

from __future__ import annotations

import platform
import subprocess
from importlib import metadata
from pathlib import Path

import torch

from engine.memory import memory_of_engine

ROOT = Path(__file__).resolve().parents[2]
CARD_FIELDS = {  # of nvidia-smi
    "driver": "driver_version",
    "sm_mhz": "clocks.sm",
    "memory_mhz": "clocks.mem",
    "most_sm_mhz": "clocks.max.sm",
    "power_w": "power.draw",
    "power_limit_w": "power.limit",
    "temperature_c": "temperature.gpu",
    "other_load_percent": "utilization.gpu",
}
PACKAGES = ("triton", "flash-attn", "flash-attn-3", "flash-attn-4", "nvidia-cudnn-frontend")
SMI_S = 20.0


def describe(device: torch.device) -> dict[str, str | int]:
    """Device, versions and commit, ready for JSON."""
    properties = torch.cuda.get_device_properties(device) if device.type == "cuda" else None
    return {
        "gpu": properties.name if properties else "none",
        "gpu_memory_bytes": properties.total_memory if properties else 0,
        "processor": processor(),
        "cpu_threads": torch.get_num_threads(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda or "none",
        "cudnn": torch.backends.cudnn.version() or 0,
        **{package: version(package) for package in PACKAGES},
        "commit": commit(),
    }


def version(package: str) -> str:
    """Version of an installed package; "none" without it."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "none"


def processor() -> str:
    """The CPU by its make, and what it multiplies natively beside float32."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    about = dict(line.split(":", 1) for line in reversed(lines) if ":" in line)
    about = {name.strip(): value.strip() for name, value in about.items()}
    native = [flag for flag in ("amx_bf16", "avx512_bf16", "avx512f", "avx2") if flag in about.get("flags", "").split()]
    return " ".join([about.get("model name", platform.machine()), *native[:2]])


def commit() -> str:
    """Short hash of the checkout, with `+` when files differ from it; "unknown" outside git."""
    git = ["git", "-c", f"safe.directory={ROOT}", "-C", str(ROOT)]
    try:
        head = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True).stdout
        changed = subprocess.run(
            [*git, "status", "--porcelain", "-uno"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head.strip() + ("+" if changed.strip() else "")


def card_state() -> dict[str, float | str]:
    """Clocks, power and temperature of the GPU now, as nvidia-smi tells them; empty without it."""
    asked = ["nvidia-smi", f"--query-gpu={','.join(CARD_FIELDS.values())}", "--format=csv,noheader,nounits"]
    try:
        told = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=SMI_S).stdout
    except (OSError, subprocess.SubprocessError):
        return {}
    first = told.splitlines()[0].split(",") if told.strip() else []
    return {name: _number(value) for name, value in zip(CARD_FIELDS, first, strict=False)}


def device_memory() -> dict[str, int]:
    """Most bytes torch has held since the last reset, and what the whole card has in use; empty on a CPU."""
    if not torch.cuda.is_initialized():
        return {}
    free, total = torch.cuda.mem_get_info()
    return {
        "allocated_bytes": torch.cuda.max_memory_allocated(),
        "reserved_bytes": torch.cuda.max_memory_reserved(),
        "card_bytes": total - free,
    }


def memory_in_use() -> int:
    """Bytes this process uses now: of the GPU where it has one, of the computer's memory elsewhere."""
    if torch.cuda.is_initialized():
        return torch.cuda.memory_allocated()
    used, _ = memory_of_engine()
    return used


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text.strip()
