"""`python -m tests.long [NAME]`: run the long tests, one after the other, and keep their figures.

Each module beside this file is one run: `run()` returns figures, or raises AssertionError.
"""

from __future__ import annotations

import datetime
import importlib
import json
import platform
import sys
import time
import traceback
from pathlib import Path

from bench.environment import ROOT, commit
from tests.long import JudgedError

RESULTS = ROOT / "bench" / "results" / "long"


def names() -> list[str]:
    """List the runs there are."""
    return sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))


def run_one(name: str, results: Path = RESULTS) -> bool:
    """Run one and write `NAME.json` with commit, duration and figures; say whether it passed."""
    began = datetime.datetime.now(datetime.UTC)
    started = time.monotonic()
    figures, failure = {}, ""
    try:
        figures = importlib.import_module(f"tests.long.{name}").run()
    except AssertionError as error:
        failure = str(error)
        figures = error.figures if isinstance(error, JudgedError) else {}
        traceback.print_exc()
    result = {
        "name": name,
        "passed": not failure,
        "failure": failure,
        "commit": commit(),
        "began": began.isoformat(timespec="seconds"),
        "duration_s": round(time.monotonic() - started, 1),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "figures": figures,
    }
    results.mkdir(parents=True, exist_ok=True)
    path = results / f"{name}.json"
    path.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", "utf-8")
    print(f"{name}: {'passed' if not failure else 'FAILED'} in {result['duration_s']:g} s -> {path}")
    return not failure


def main(wanted: list[str]) -> int:
    """Run what is wanted, or everything; 0 passed, 1 failed, 2 an unknown name."""
    unknown = [name for name in wanted if name not in names()]
    if unknown:
        print(f"no long run is called {', '.join(unknown)}; there are: {', '.join(names()) or 'none'}")
        return 2
    passed = [run_one(name) for name in wanted or names()]
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
