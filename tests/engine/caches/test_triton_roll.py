"""The kernel that rolls all layers at once does what the plain roll does, in every sink mode and chunk size."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

GATES = {"torch.float32": 1e-6, "torch.bfloat16": 2**-7}  # the interpreter cuts bfloat16 off instead of rounding


def test_the_kernel_rolls_as_the_plain_way_does() -> None:
    pytest.importorskip("triton")
    program = Path(__file__).with_name("interpreted_roll.py")
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    errors = json.loads(done.stdout)
    assert len(errors) == 8
    for name, error in errors.items():
        assert error <= GATES[name.split()[1]], errors
