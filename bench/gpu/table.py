"""The table of speeds on one GPU, in parts that each end within 10 minutes: `python -m bench.gpu.table PART --out DIR`.

Every part is words of `vj bench`; ours and the reference run in turn in the same part, so their ratio is of one run.
Writes DIR/table_PART.json after every process, so that what was measured is kept. `--smoke` runs tiny sizes anywhere.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

from bench.environment import ROOT
from engine.benchmark.command_line import main as vj_bench

LIMIT_S = 540
ALL = ("transformer", "first-frame", "stages", "kernels")


@dataclass(frozen=True)
class Part:
    """One run: `words` of `vj bench`, and which variants of the reference beside."""

    words: tuple[str, ...]
    variants: tuple[str, ...] = ()
    parts: tuple[str, ...] = ALL


PARTS = {
    "exact": Part(("exact",), ("as-shipped", "best-attention")),
    "decoders": Part(("exact-wan", "small"), ("as-shipped",), ("transformer", "kernels")),
    "fp8": Part(("exact", "fp8-linears", "fp8"), ("as-shipped",), ("transformer", "kernels")),
    "latency": Part(("exact", "--rounds", "1", "--chunks", "30"), parts=("first-frame", "switch")),
    "memory": Part(("12gb", "8gb", "8gb-float8", "--rounds", "1", "--chunks", "60"), parts=("first-frame",)),
    "switches": Part(
        ("exact", "eager", "exact-fold", "no-clean-pass", "two-steps", "--chunks", "100"), (), ("kernels",)
    ),
    "reference": Part(
        ("exact", "--rounds", "1", "--chunks", "60"),
        ("as-shipped", "best-attention", "tiny-decoder", "compiled"),
        parts=(),
    ),
    "compiled": Part(("exact", "exact-compile", "--rounds", "1", "--chunks", "100"), parts=()),
    "long": Part(("exact", "--size", "128x80", "--chunks", "10000", "--rounds", "1"), parts=()),
}


def output_folder(named: Path | None) -> Path:
    """Where figures go: the folder that is named, else $OUT, else bench/results; made if it is not there."""
    folder = named or Path(os.environ.get("OUT") or ROOT / "bench" / "results")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def main() -> int:
    """Run one part; the exit code of `vj bench`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=PARTS, metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--out", type=Path, help="folder for the figures (default: $OUT, or bench/results)")
    parser.add_argument("--upstream", type=Path, metavar="DIR", help="a checkout of the reference implementation")
    parser.add_argument("--weights", type=Path, metavar="DIR", help="keep the random weights here from part to part")
    parser.add_argument("--commit", default="", metavar="HASH", help="of what is measured, where git cannot tell")
    parser.add_argument("--smoke", action="store_true", help="tiny sizes: checks the script, measures nothing")
    arguments = parser.parse_args()
    part = PARTS[arguments.part]
    file = output_folder(arguments.out) / f"table_{arguments.part}.json"
    words = [*part.words, "--parts", *part.parts, "--json", str(file), "--limit", str(LIMIT_S)]
    words += ["--commit", arguments.commit]
    if part.variants and arguments.upstream:
        words += ["--upstream", str(arguments.upstream), "--variants", *part.variants]
    if arguments.weights:
        words += ["--weights", str(arguments.weights)]
    return vj_bench([*words, "--smoke"] if arguments.smoke else words, prog="vj bench")


if __name__ == "__main__":
    raise SystemExit(main())
