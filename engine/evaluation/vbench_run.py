"""The official VBench in an environment of its own, as a subprocess per dimension, and what its result files say.

One process each: on several, upstream weighs videos of some dimensions differently.
"""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from engine.evaluation.vbench_scores import DIMENSIONS

RESULT_SUFFIX = "_eval_results.json"
WHERE_TO_FIND = (
    "make an environment for it (`uv venv --python 3.10 vbench-env; uv pip install --python vbench-env vbench`) and "
    "name its command: --vbench vbench-env/bin/vbench"
)


class VbenchError(RuntimeError):
    """The official program cannot be run, or its results cannot be read; the text is the sentence for the user."""


@dataclass(frozen=True)
class VbenchRun:
    """What the official program measured."""

    raw: dict[str, float]  # by dimension
    per_video: dict[str, dict[str, float]] = field(default_factory=dict)  # by dimension, by path
    failures: tuple[str, ...] = ()  # a sentence per dimension that it could not measure


def read_vbench_results(paths: Iterable[Path]) -> VbenchRun:
    """Read result files, and of folders all `*_eval_results.json` in them. Raises VbenchError with a sentence."""
    raw: dict[str, float] = {}
    per_video: dict[str, dict[str, float]] = {}
    for path in (file for given in paths for file in _result_files(given)):
        for name, entry in _table(path).items():
            dimension = name.replace(" ", "_")
            if dimension not in DIMENSIONS:
                raise VbenchError(f"{path}: {name} is no VBench dimension; there are {', '.join(DIMENSIONS)}")
            raw[dimension], per_video[dimension] = _entry(path, name, entry)
    if not raw:
        raise VbenchError("there are no VBench results: files are called " + f"*{RESULT_SUFFIX}")
    return VbenchRun(raw, per_video)


def run_vbench(
    command: str, videos: Path, dimensions: Iterable[str], tell: Callable[[str], None], *, is_standard: bool
) -> VbenchRun:
    """Measure a folder of clips; a dimension that fails is told and left out. Raises VbenchError with a sentence.

    `command` is the official program with words of its own before `evaluate`. `is_standard` takes clips by the
    names of VBench's prompts (PROMPT-0.mp4 ..), otherwise each file's name is its prompt.
    """
    words = shlex.split(command)
    if not words or shutil.which(words[0]) is None:
        raise VbenchError(f"--vbench {command}: there is no such program; {WHERE_TO_FIND}")
    raw: dict[str, float] = {}
    per_video: dict[str, dict[str, float]] = {}
    failures = []
    with tempfile.TemporaryDirectory(prefix="vj-vbench-") as folder:
        for dimension in dimensions:
            tell(f"VBench: {dimension}")
            out = Path(folder) / dimension
            out.mkdir()
            mode = "vbench_standard" if is_standard else "custom_input"
            arguments = ["evaluate", "--videos_path", str(videos), "--dimension", dimension, "--mode", mode]
            failure = _run([*words, *arguments, "--output_path", str(out)])
            if _result_files(out):
                found = read_vbench_results([out])
                raw |= found.raw
                per_video |= found.per_video
            else:
                failures.append(f"VBench did not measure {dimension}: {failure}")
                tell(failures[-1])
    return VbenchRun(raw, per_video, tuple(failures))


def _run(words: list[str]) -> str:
    """Run to the end and return the last line it said; its exit code tells nothing."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, errors="replace", check=False)
    except OSError as error:
        return str(error)
    said = f"{done.stdout}\n{done.stderr}".strip().splitlines()
    return said[-1].strip() if said else f"it ended with code {done.returncode} and said nothing"


def _result_files(path: Path) -> list[Path]:
    return sorted(path.rglob(f"*{RESULT_SUFFIX}")) if path.is_dir() else [path]


def _table(path: Path) -> dict[str, object]:
    try:
        table = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise VbenchError(f"{path} cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise VbenchError(f"{path} is not JSON ({error})") from None
    if not isinstance(table, dict):
        raise VbenchError(f"{path} holds no VBench results: a table of dimensions is needed")
    return table


def _entry(path: Path, name: str, entry: object) -> tuple[float, dict[str, float]]:
    """A dimension's value and those of its videos: [value, [{video_path, video_results}, ..]]."""
    value, *rest = entry if isinstance(entry, list) and entry else [entry]
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise VbenchError(f"{path}: {name} has no value")
    videos = rest[0] if rest and isinstance(rest[0], list) else []
    rows = [row for row in videos if isinstance(row, dict) and "video_path" in row]
    results = {str(row["video_path"]): row.get("video_results") for row in rows}
    return float(value), {key: float(one) for key, one in results.items() if isinstance(one, int | float)}
