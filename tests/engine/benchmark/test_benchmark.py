"""vj bench in small, ours and a reference, each in a process of its own; then the rules its figures follow."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from engine.benchmark.comparison import compare, read_result
from engine.benchmark.figures import has_settled, missed_deadlines, percentile
from engine.benchmark.flops import chunk_flop, forward_flop
from engine.benchmark.jobs import Job, read_job
from engine.benchmark.presets import PRESETS, UPSTREAM_VARIANTS
from engine.benchmark.prompt_switch import Display
from engine.benchmark.random_models import write_random_models
from engine.benchmark.runs import Result, in_turn
from engine.benchmark.upstream.attention import flash_attn_varlen
from engine.model.config import WAN_1_3B
from tests.engine.benchmark.reference_checkout import write_reference

ROOT = Path(__file__).resolve().parents[3]


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "engine", "bench", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400)


def test_ours_beside_the_reference(tmp_path):
    write_random_models(tmp_path / "weights", is_smoke=True)
    reference = write_reference(tmp_path / "reference")
    file, plot = tmp_path / "result.json", tmp_path / "result.svg"
    words = ["exact", "--smoke", "--weights", str(tmp_path / "weights"), "--json", str(file), "--plot", str(plot)]
    done = bench(*words, "--parts", "transformer", "first-frame", "stages", "kernels", "switch",
                 "--upstream", str(reference), "--variants", "as-shipped", "--commit", "abc")  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(file.read_text())
    assert {"gpu", "commit", "chunks", "ours", "upstream", "ratios", "environment"} <= result.keys()
    assert (result["commit"], result["chunks"], result["smoke"]) == ("abc", 4, True)
    assert result["order"] == ["ours.exact", "upstream.as-shipped"]
    ours, upstream = result["ours"]["exact"], result["upstream"]["as-shipped"]
    assert ours["fps"] > 0 < upstream["fps"]
    assert result["ratios"]["exact"]["as-shipped"]["fps"] == pytest.approx(ours["fps"] / upstream["fps"], abs=1e-3)
    assert {"denoise 1", "denoise 4", "clean pass", "decode", "roll", "to 8 bits"} <= ours["stages_ms"].keys()
    assert ours["transformer"]["fps"] > ours["fps"]
    assert 0 < ours["first_frame"]["cached_prompt_ms"]["p50"] <= ours["first_frame"]["whole_chunk_ms"]["max"]
    assert ours["prompt_switch"]["3@24"]["lost"] == 0
    assert ours["kernels"]["attention"] and ours["arithmetic"]["of_matmul"] > 0
    assert 0 < ours["cold"]["loaded_s"] < ours["cold"]["first_frames_s"] < ours["cold"]["full_speed_s"]
    assert upstream["frames"] == 45 and upstream["is_finite"] and "made to fit" in upstream["said"]
    assert len(upstream["chunk_times_ms"]) == 1, "the first three chunks of a clip do not count"
    assert "ours.exact / upstream.as-shipped" in done.stdout
    assert plot.read_text().startswith("<?xml")

    slower = json.loads(file.read_text())
    slower["ours"]["exact"]["fps"] /= 2
    (tmp_path / "slower.json").write_text(json.dumps(slower))
    rows = compare(read_result(file), read_result(tmp_path / "slower.json"))
    (worst,) = [row for row in rows if row.loss > 0]
    assert (worst.name, worst.ratio, worst.loss) == ("ours.exact fps", pytest.approx(0.5), pytest.approx(0.5))


def test_what_cannot_work_is_refused_in_a_sentence(tmp_path):
    done = bench("exakt")
    assert done.returncode == 2 and "'exakt', did you mean 'exact'?" in done.stderr, done.stderr
    done = bench("exact", "--upstream", str(tmp_path))
    assert done.returncode == 2 and "no checkout of Reward-Forcing" in done.stderr
    (tmp_path / "bad.json").write_text("{}")
    done = bench("--compare", str(tmp_path / "bad.json"), str(tmp_path / "bad.json"))
    assert done.returncode == 2 and "no result of `vj bench`" in done.stderr


def test_jobs_take_turns_and_survive_the_way_to_their_process(tmp_path):
    jobs = [Job("a", "m", (64, 48), 101, parts=("stages",)), Job("b", "m", (64, 48), 100)]
    turns = in_turn(jobs, 4)
    assert [job.name for job in turns] == ["a", "b", "b", "a", "a", "b", "b", "a"]
    assert [job.chunks for job in turns if job.name == "a"] == [26] * 4
    assert [job.parts for job in turns if job.name == "a"] == [("stages",), (), (), ()]
    jobs[0].write(tmp_path / "job.json")
    assert read_job(tmp_path / "job.json") == jobs[0]


def test_rounds_are_put_together_and_failures_kept():
    result = Result(failures={"ours.fp8": "no kernel"})
    for taken in (100.0, 300.0):
        figures = {"fps": 12e3 / taken, "chunks": 1, "frames": 12, "s": taken / 1e3, "chunk_times_ms": [taken]}
        result.add("ours.exact", {"environment": {"gpu": "a"}, "figures": {**figures, "size": "64x48"}})
    told = result.as_json()
    assert told["ours"]["exact"]["fps"] == 60.0 and told["ours"]["exact"]["rounds_fps"] == [120.0, 40.0]
    assert told["ours"]["exact"]["chunk_ms"]["p50"] == 200.0 and told["chunks"] == 2
    (row,) = [row for row in compare(told, told) if row.name.endswith(" fps")]
    assert row.is_noise and row.loss == 0.0


def test_figures():
    times = [float(number) for number in range(1, 201)]
    assert percentile(times, 0.99) == 198.0 and percentile(times, 0.5) == 100.0
    assert missed_deadlines([499.0, 501.0, 751.0], 12) == {"16_fps": 1, "24_fps": 2}
    assert not has_settled([10.0, 10.0, 10.0]) and has_settled([90.0, 10.0, 10.1, 10.19])
    assert not has_settled([10.0, 10.0, 10.1, 10.3])


def test_operations_are_those_counted_for_the_published_model():
    assert forward_flop(WAN_1_3B, 1560, 3, 9) / 1e12 == pytest.approx(24.26, abs=0.01)
    assert forward_flop(WAN_1_3B, 1560, 3, 3) / 1e12 == pytest.approx(16.19, abs=0.01)
    assert forward_flop(WAN_1_3B, 720, 3, 9) / 1e12 == pytest.approx(8.19, abs=0.01)
    whole = 5 * forward_flop(WAN_1_3B, 1560, 3, 9)
    assert 0.99 < chunk_flop(WAN_1_3B, 1560, 4, has_clean_pass=True) / whole < 1.0


def test_the_display_plays_at_the_content_rate_and_holds_what_it_has():
    class Ring:
        written = 0
        released = -1

        def peek(self, counter):
            return type("Frame", (), {"generation_id": counter // 12}) if counter < self.written else None

        def release(self, counter):
            self.released = counter

    ring = Ring()
    display = Display(ring, 16.0)
    display.refresh(1.0)
    assert (display.shown, display.held) == (-1, 0), "nothing was there yet"
    ring.written = 24
    for _ in range(60):
        display.refresh(1 / 60)
    assert display.shown in (15, 16) and display.generation_id == 1 and ring.released == display.shown
    for _ in range(60):
        display.refresh(1 / 60)
    assert display.shown == 23 and display.held > 20


def test_the_shim_answers_as_flash_attn_does():
    q, k, v = (torch.randn(2 * length, 3, 8) for length in (5, 7, 7))
    made = flash_attn_varlen(
        lambda *heads_scale: scaled_dot_product_attention(*heads_scale[:3], scale=heads_scale[3]),
        q=q,
        k=k,
        v=v,
        cu_seqlens_q=torch.tensor([0, 5, 10]),
        cu_seqlens_k=torch.tensor([0, 7, 14]),
        max_seqlen_q=5,
        max_seqlen_k=7,
        softmax_scale=0.3,
    )
    second = [x[length:].transpose(0, 1)[None] for x, length in ((q, 5), (k, 7), (v, 7))]
    assert torch.allclose(made[5:], scaled_dot_product_attention(*second, scale=0.3)[0].transpose(0, 1), atol=1e-6)


def test_every_preset_is_described_and_loads_its_switches():
    from engine.acceleration import Acceleration

    for preset in PRESETS.values():
        assert preset.description and Acceleration().changed(preset.accelerate)
    assert all(UPSTREAM_VARIANTS.values())
