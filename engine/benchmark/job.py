"""One process of the benchmark: `python -m engine.benchmark.job JOB.json RESULT.json`.

Every configuration is measured in a process of its own: allocator, autotuning and compiled code are not shared.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from engine.benchmark.jobs import read_job


def main(arguments: list[str]) -> int:
    """Measure the job in the first file, write figures to the second."""
    job_file, result_file = (Path(argument) for argument in arguments)
    job = read_job(job_file)
    if job.checkout:
        from engine.benchmark.upstream.measure import measure_upstream

        result = measure_upstream(job)
    else:
        from engine.benchmark.measure import measure

        result = measure(job)
    result_file.write_text(json.dumps(result))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
