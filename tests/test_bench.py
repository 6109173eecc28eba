"""The measuring scripts run anywhere in a small form: a figure nobody can repeat is no figure."""

import json
import os
import subprocess
import sys
from pathlib import Path

from bench.gpu.table import PARTS
from engine.benchmark.arguments import jobs_of, make_parser

ROOT = Path(__file__).resolve().parents[1]


def test_what_is_measured_first_on_a_gpu_runs_small(tmp_path):
    command = [sys.executable, "-m", "bench.gpu.measure_first", "--smoke", "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "measure_first.json").read_text())
    assert result["parity"]["float32"]["passed"] and result["parity"]["bfloat16"]["passed"]
    assert not [name for name in ("attention", "linears", "decoders", "graph", "text") if "failed" in result[name]], (
        result
    )
    assert result["environment"]["commit"]


def test_kernels_are_measured_small(tmp_path):
    command = [sys.executable, "-m", "bench.gpu.kernels", "--smoke", "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "kernels.json").read_text())
    assert not [name for name in ("elementwise", "attention", "linears", "forwards") if "failed" in result[name]], (
        result
    )
    assert 0 < result["forwards"]["fp8 linears"]["relative_error"] < 0.1


def test_every_part_of_the_gpu_table_is_words_that_vj_bench_understands(tmp_path):
    for part in PARTS.values():
        words = ["--parts", *part.parts, "--upstream", "checkout", "--variants", *(part.variants or ("as-shipped",))]
        jobs = jobs_of(make_parser("vj bench").parse_args([*part.words, *words]), tmp_path)
        assert {job.variant for job in jobs if job.checkout} == set(part.variants or ("as-shipped",))
        assert any(not job.checkout for job in jobs)


def test_sound_latency_hears_every_click(tmp_path, pulse):
    target = tmp_path / "sound_latency.json"
    command = [sys.executable, "-m", "bench.sound_latency", "--clicks", "5", "--json", str(target)]
    environment = dict(os.environ, **pulse.env)
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    figures = json.loads(target.read_text())["figures"]
    assert figures["clicks"] >= figures["heard"] >= 4
    assert figures["dac_to_parameter_ms"]["p50"] > 0.0
