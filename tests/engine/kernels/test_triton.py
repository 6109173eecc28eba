"""The Triton kernels under Triton's interpreter, in a process of its own: equal to their plain forms."""

import importlib.util
import json
import os
import subprocess
import sys

import pytest

from tests.source_rules import ROOT

TOLERANCES = {  # of the largest distance, in parts of the outcome's root mean square
    "float32": 3e-6,
    "bfloat16": 1 / 128,  # a unit in the last place
    "float8_e4m3fn": 0.01,  # of the numbers, which fall on the other side of a tie
    "int8": 0.01,
    "absolute": 1e-4,  # a whole stream
    "shares": 0.03,  # of attention whose probabilities are float8, relative
}


@pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="Triton has no wheel for this platform")
def test_every_kernel_equals_its_plain_form_and_the_golden_stream_comes_out():
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.engine.kernels.interpreted"],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line for line in lines if not line["error"] <= TOLERANCES[line["kind"]]] == []
    names = {line["name"] for line in lines}
    assert {"norm affine", "add_norm modulated", "add bare", "norm_rotate plain", "gelu", "rows8", "golden"} <= names
    assert {line["kind"] for line in lines} == set(TOLERANCES)
