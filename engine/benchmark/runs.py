"""Runs the jobs of a benchmark, each in a process of its own and in turn, and puts their figures into one result.

Imports no torch. Knows nothing of what a job measures.
"""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.benchmark.figures import spread
from engine.benchmark.jobs import Job

Figures = dict[str, object]
Tell = Callable[[str], None]
LAST_WORDS_LINES = 12  # of a process that failed
FORMAT = 1
ENOUGH_SHARE = 1.1  # a job is begun while so many times what it took last is left


@dataclass
class Result:
    """What has been measured so far; `as_json` is what a result file holds."""

    environment: Figures = field(default_factory=dict)
    is_smoke: bool = False
    commit: str = ""  # where the checkout cannot tell
    order: list[str] = field(default_factory=list)  # of the processes, as they ran
    rounds: dict[str, list[Figures]] = field(default_factory=dict)  # by "ours.NAME" and "upstream.NAME"
    failures: dict[str, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)  # because the time was over

    def add(self, name: str, told: Figures) -> None:
        """Take in what one process has measured."""
        self.environment = self.environment or dict(told["environment"])  # type: ignore[call-overload]
        self.rounds.setdefault(name, []).append(dict(told["figures"]))  # type: ignore[call-overload]

    def as_json(self) -> Figures:
        """Everything, rounds of one name put together."""
        groups: dict[str, dict[str, Figures]] = {"ours": {}, "upstream": {}}
        for name, rounds in self.rounds.items():
            group, _, own = name.partition(".")
            groups[group][own] = put_together(rounds)
        counts = [figures["chunks"] for group in groups.values() for figures in group.values()]
        return {
            "format": FORMAT,
            "gpu": self.environment.get("gpu", "none"),
            "commit": self.commit or self.environment.get("commit", "unknown"),
            "chunks": min(counts, default=0),
            "smoke": self.is_smoke,
            "environment": self.environment,
            **groups,
            "ratios": ratios(groups["ours"], groups["upstream"]),
            "order": self.order,
            "failures": self.failures,
            "left_out": self.left_out,
        }


def put_together(rounds: Sequence[Figures]) -> Figures:
    """One set of figures out of those of several processes: speed over all of them, the rest from the first."""
    times = [taken for figures in rounds for taken in figures["chunk_times_ms"]]  # type: ignore[attr-defined]
    frames, seconds = (sum(figures[part] for figures in rounds) for part in ("frames", "s"))  # type: ignore[misc]
    together = {**rounds[-1], **rounds[0]}
    return {
        **together,
        "fps": round(frames / seconds, 3),
        "chunks": sum(figures["chunks"] for figures in rounds),  # type: ignore[misc]
        "frames": frames,
        "s": round(seconds, 4),
        "chunk_ms": spread(times),
        "chunk_times_ms": times,
        "rounds_fps": [figures["fps"] for figures in rounds],
        "rounds_card": [figures.get("card", {}) for figures in rounds],
    }


def ratios(ours: dict[str, Figures], upstream: dict[str, Figures]) -> dict[str, dict[str, dict[str, float]]]:
    """How many times as fast ours is as each variant of the reference at the same size."""
    made: dict[str, dict[str, dict[str, float]]] = {}
    for name, mine in ours.items():
        for variant, theirs in upstream.items():
            if mine["size"] != theirs["size"]:
                continue
            pair = {"fps": mine["fps"] / theirs["fps"]}  # type: ignore[operator]
            if "transformer" in mine and "transformer" in theirs:
                pair["transformer_fps"] = mine["transformer"]["fps"] / theirs["transformer"]["fps"]  # type: ignore[index]
            made.setdefault(name, {})[variant] = {part: round(ratio, 3) for part, ratio in pair.items()}
    return made


def in_turn(jobs: Sequence[Job], rounds: int) -> list[Job]:
    """Every job in every round, the order turned round each time (ABBA): drift of clocks and heat cancels out.

    Chunks are shared among the rounds; everything but speed is measured in the first one.
    """
    ordered = []
    for number in range(rounds):
        part = [
            dataclasses.replace(job, chunks=-(-job.chunks // rounds), parts=job.parts if number == 0 else ())
            for job in jobs
        ]
        ordered += part if number % 2 == 0 else part[::-1]
    return ordered


def run_in_turn(
    jobs: Sequence[Job], folder: Path, result: Result, tell: Tell, *, limit_s: float, keep: Callable[[Result], None]
) -> None:
    """Run every job, `keep` told after each; none is begun that would not end within `limit_s` of now."""
    deadline_s = time.monotonic() + limit_s
    took_s: dict[str, float] = {}
    for number, job in enumerate(jobs, start=1):
        name = f"{job.group}.{job.name}"
        left_s = deadline_s - time.monotonic()
        if left_s <= took_s.get(name, 0.0) * ENOUGH_SHARE:
            result.left_out.append(name)
            tell(f"{name}: left out, {max(0.0, left_s):.0f} s are left")
            continue
        tell(f"{number} of {len(jobs)}: {name}, {job.chunks} chunks")
        began_s = time.monotonic()
        failure = _run(job, folder, result, name, left_s)
        took_s[name] = time.monotonic() - began_s
        if failure:
            result.failures[name] = failure
            tell(f"{name} failed: {failure.splitlines()[-1]}")
        else:
            tell(f"{name}: {result.rounds[name][-1]['fps']} fps, {took_s[name]:.0f} s with loading and warming up")
        keep(result)


def _run(job: Job, folder: Path, result: Result, name: str, limit_s: float) -> str:
    """Run one job in a process; returns why it failed."""
    job_file, result_file = folder / "job.json", folder / "figures.json"
    result_file.unlink(missing_ok=True)
    dataclasses.replace(job, started_ns=time.monotonic_ns()).write(job_file)
    words = [sys.executable, "-m", "engine.benchmark.job", str(job_file), str(result_file)]
    try:
        done = subprocess.run(words, capture_output=True, text=True, errors="replace", timeout=limit_s)
    except subprocess.TimeoutExpired:
        return f"it was not done after {limit_s:.0f} s"
    result.order.append(name)
    if done.returncode or not result_file.exists():
        last = "\n".join(done.stderr.strip().splitlines()[-LAST_WORDS_LINES:])
        return f"exit code {done.returncode}: {last}"
    result.add(name, json.loads(result_file.read_text()))
    return ""
