"""What each switch for speed does to a model's latents, beside the exact path on the same noise.

`python -m bench.quality_guard --json bench/results/quality_guard.json`; what the figures mean: docs/acceleration.md.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import torch

from bench.environment import describe
from engine.acceleration import EXACT
from engine.chunk_source import DEFAULT_MODEL
from engine.frame_size import parse_size
from engine.loading import choose_device, choose_dtype
from engine.model_presets import load_preset
from engine.quantised.guard import MARKS, Scene, another_seed, compare, exact_chunks

PROMPT = "violet smoke drifting slowly"
WAYS = (
    ("linears=int8",),
    ("linears=fp8",),
    ("attention=fp8",),
    ("linears=fp8", "attention=fp8"),
    ("clean_pass=off",),
    ("steps=3",),
    ("steps=2",),
)


class Counted:
    """Says on stderr how far it is, at most once in ten seconds."""

    def __init__(self) -> None:
        self._made, self._last_s = 0, time.monotonic()

    def __call__(self) -> None:
        """A chunk is made."""
        self._made += 1
        if time.monotonic() - self._last_s > 10.0:
            self._last_s = time.monotonic()
            sys.stderr.write(f"{self._made} chunks\n")


def measure(arguments: argparse.Namespace) -> dict[str, object]:
    """Every way's figures, ready for JSON; written as they come."""
    preset, device = load_preset(arguments.model), choose_device(arguments.device)
    size = arguments.size or (preset.stream.width, preset.stream.height)
    dtype = choose_dtype(arguments.dtype, device)
    scene = Scene(preset, arguments.prompt, size, device, dtype, arguments.seed)
    marks = tuple(sorted(set(arguments.chunks)))
    result: dict[str, object] = {
        "environment": describe(device),
        "model": preset.name,
        "size": list(size),
        "dtype": str(dtype).removeprefix("torch."),
        "prompt": scene.prompt,
        "seed": scene.seed,
        "chunks": list(marks),
        "ways": {},
    }
    tell = Counted()
    exact = exact_chunks(scene, marks[-1], tell)
    result["another_seed"] = another_seed(scene, exact, marks, tell)
    for words in [way.split() for way in arguments.ways] if arguments.ways else WAYS:
        name = " ".join(words)
        result["ways"][name] = compare(scene, EXACT.changed(words), exact, marks, tell)
        print(line(name, result["ways"][name]), flush=True)
        _write(arguments.json, result)
    _write(arguments.json, result)
    return result


def line(name: str, figures: dict[str, dict]) -> str:
    """One way in words."""
    parts = [
        f"{kind} " + ", ".join(f"{mark}: {at['relative_error']:.4f}" for mark, at in figures[kind].items())
        for kind in ("led", "free")
        if kind in figures
    ]
    return f"{name:28} {'; '.join(parts)}; {figures['last_chunks']}"


def _write(path: Path | None, result: dict[str, object]) -> None:
    if path is not None:
        path.write_text(json.dumps(result, indent=2) + "\n", "utf-8")


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default=DEFAULT_MODEL, help="model name, FILE.toml or DIR (default: %(default)s)")
    parser.add_argument("--chunks", type=int, nargs="+", default=list(MARKS), help="compared ones (default: 1 20 200)")
    parser.add_argument("--ways", nargs="+", metavar="'NAME=VALUE ..'", help="switches, as --accelerate takes them")
    parser.add_argument("--size", type=parse_size, help="WIDTHxHEIGHT (default: the model's own)")
    parser.add_argument("--prompt", default=PROMPT)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--dtype", default="float32", help="float32, bfloat16 or auto (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    measure(arguments)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
