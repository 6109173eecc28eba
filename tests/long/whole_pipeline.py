"""The whole 1.3B pipeline of random weights in the published layout: the user's command loads it and renders a chunk.

Counted is anonymous memory (RssAnon): pages of a mapped file belong to the system, which takes them back as it likes.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from engine.memory import free_memory
from tests.engine.published_files import PUBLISHED, WORDS, write_published

SIZE = "128x64"
LATENT_FRAMES = 3
FILES_GB = 2 * 18.0  # with the scratch file of the largest
MEMORY_GB = 24.0  # free; with less, mapped files are read from the disk again and again
CUT_LAYERS = 4  # of the text encoder, where disk or memory is short
LARGEST_TENSOR_BYTES = 256384 * 4096 * 2  # the text encoder's table in bfloat16
ALLOWED_BYTES = 2 * LARGEST_TENSOR_BYTES + (1 << 30)
SAMPLE_S = 0.005
LOADED_MARK = " on cpu in "


def anonymous_bytes(process_id: int) -> int:
    """Anonymous memory of a process; 0 when it is gone."""
    try:
        lines = Path(f"/proc/{process_id}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:")), 0)


def render(folder: Path, *words: str) -> dict:
    """Run `vj render` on a model folder, watching its memory; return the figures. Raises AssertionError if it fails."""
    out = folder / "chunk.mkv"
    environment = os.environ | {"XDG_CACHE_HOME": str(folder / "cache")}
    command = [sys.executable, "-m", "vj", "render", "--model", str(folder), "--prompt", " ".join(WORDS)]
    command += ["--latent-frames", str(LATENT_FRAMES), "--size", SIZE, "--lossless", "--out", str(out), *words]
    began_s = time.monotonic()
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
    peaks = {"loading": 0, "playing": 0}
    state = {"phase": "loading", "loaded_s": 0.0}

    def watch() -> None:
        while process.poll() is None:
            peaks[state["phase"]] = max(peaks[state["phase"]], anonymous_bytes(process.pid))
            time.sleep(SAMPLE_S)

    watching = threading.Thread(target=watch)
    watching.start()
    said = []
    for line in process.stderr:
        said.append(line)
        if LOADED_MARK in line:
            state.update(phase="playing", loaded_s=time.monotonic() - began_s)
    printed = process.stdout.read()
    watching.join()
    assert process.wait() == 0, "".join(said[-5:])
    assert "9 frames" in printed, printed
    return {
        "loading_peak_anonymous_gb": round(peaks["loading"] / 1e9, 3),
        "playing_peak_anonymous_gb": round(peaks["playing"] / 1e9, 3),
        "loaded_after_s": round(state["loaded_s"], 1),
        "whole_command_s": round(time.monotonic() - began_s, 1),
        "plan": next((line.strip() for line in said if "needs" in line), ""),
    }


def run() -> dict:
    """Write the files, render with both number types, compare; returns the figures."""
    parent = Path(tempfile.mkdtemp(prefix="whole_pipeline_"))
    is_short = shutil.disk_usage(parent).free < FILES_GB * 1e9 or free_memory() < MEMORY_GB * 1e9
    layers = CUT_LAYERS if is_short else PUBLISHED.umt5.layers
    sizes = dataclasses.replace(PUBLISHED, umt5=dataclasses.replace(PUBLISHED.umt5, layers=layers))
    try:
        folder = write_published(parent / "model", sizes)
        figures: dict = {
            "text_encoder_layers": layers,
            "note": f"disk or memory is short: the text encoder is cut to {CUT_LAYERS} layers of 24"
            if is_short
            else "",
            "files_gb": round(sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e9, 2),
            "largest_tensor_gb": round(LARGEST_TENSOR_BYTES / 1e9, 3),
            "allowed_anonymous_gb": round(ALLOWED_BYTES / 1e9, 3),
            "size": SIZE,
            "counted": "peak RssAnon of the rendering process, sampled every 5 ms from its start to the first frame's "
            "beginning; float32: the files' own numbers stay mapped; bfloat16: the transformer is converted",
        }
        for dtype in ("float32", "bfloat16"):
            found = render(folder, "--dtype", dtype)
            figures |= {f"{dtype}: {name}": value for name, value in found.items()}
            peak_gb = found["loading_peak_anonymous_gb"]
            assert peak_gb * 1e9 <= ALLOWED_BYTES, f"{dtype}: {peak_gb} GB of anonymous memory while loading"
    finally:
        shutil.rmtree(parent, ignore_errors=True)
    return figures
