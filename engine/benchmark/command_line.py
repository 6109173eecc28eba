"""`vj bench`: measure, compare, plot; `python -m engine bench` is the same. Imports no torch."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from engine.benchmark.arguments import jobs_of, make_parser
from engine.benchmark.comparison import compare, comparison_lines, read_result
from engine.benchmark.jobs import Job
from engine.benchmark.plot import PlotError, draw
from engine.benchmark.presets import PRESET_FILES
from engine.benchmark.report import lines
from engine.benchmark.runs import Result, in_turn, run_in_turn

EXIT_DONE, EXIT_FAILED, EXIT_WRONG_USE = 0, 1, 2
UPSTREAM_ENTRY = Path("pipeline/causal_inference.py")


def main(arguments: Sequence[str] | None = None, prog: str = "python -m engine bench") -> int:
    """Run the command line; return the exit code. Every failure is a sentence on stderr."""
    args = make_parser(prog).parse_args(arguments)
    try:
        if args.compare:
            return _compare(args)
        _check(args)
        return _measure(args)
    except (ValueError, PlotError) as error:
        return _complain(prog, str(error), EXIT_WRONG_USE)
    except OSError as error:
        return _complain(prog, f"{error.filename or 'a file'}: {error.strerror or error}", EXIT_FAILED)


def _measure(args: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="vj-bench-") as name:
        folder = Path(name)
        weights = args.weights.resolve() if args.weights else folder / "weights"
        jobs = jobs_of(args, weights)
        _make_weights(jobs, weights, is_smoke=args.smoke)
        result = Result(is_smoke=args.smoke, commit=args.commit)
        turns = in_turn(jobs, 1 if args.smoke else args.rounds)
        run_in_turn(turns, folder, result, _tell, limit_s=args.limit, keep=lambda kept: _write(args.json, kept))
    _write(args.json, result)
    told = result.as_json()
    print("\n".join(lines(told)))
    if args.plot:
        draw(told, args.plot)
    return EXIT_FAILED if result.failures else EXIT_DONE


def _compare(args: argparse.Namespace) -> int:
    before, after = (read_result(path) for path in args.compare)
    rows = compare(before, after)
    print("\n".join(comparison_lines(before, after, rows)))
    if not rows:
        print("the two results have no configuration in common")
    if args.plot:
        draw(after, args.plot)
    worst = max((row.loss for row in rows), default=0.0)
    if args.gate is not None and worst > args.gate:
        sys.stderr.write(f"vj bench: a figure is {worst:.1%} worse, {args.gate:.1%} is allowed\n")
        return EXIT_FAILED
    return EXIT_DONE


def _check(args: argparse.Namespace) -> None:
    """Refuse what cannot work before minutes are spent."""
    if args.upstream is not None and not (args.upstream / UPSTREAM_ENTRY).is_file():
        raise ValueError(f"--upstream {args.upstream} is no checkout of Reward-Forcing: it has no {UPSTREAM_ENTRY}")
    if args.gate is not None:
        raise ValueError("--gate goes with --compare")
    for path in (args.json, args.plot):
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)


def _make_weights(jobs: Sequence[Job], weights: Path, *, is_smoke: bool) -> None:
    """Write the random weights unless nobody needs them or they are there. Raises ValueError when that fails."""
    needed = {Path(job.model) for job in jobs if Path(job.model).name in PRESET_FILES.values()}
    if all(path.exists() for path in needed):
        return
    _tell(f"writing random weights to {weights}")
    words = [sys.executable, "-m", "engine.benchmark.random_models", str(weights), *(["smoke"] if is_smoke else [])]
    done = subprocess.run(words, capture_output=True, text=True, errors="replace")
    if done.returncode:
        raise ValueError(f"the random weights cannot be written: {done.stderr.strip().splitlines()[-1]}")


def _write(path: Path | None, result: Result) -> None:
    if path is not None:
        path.write_text(json.dumps(result.as_json(), indent=1) + "\n")


def _tell(line: str) -> None:
    sys.stderr.write(f"vj bench: {line}\n")
    sys.stderr.flush()


def _complain(prog: str, sentence: str, code: int) -> int:
    sys.stderr.write(f"{prog}: {sentence}\n")
    return code
