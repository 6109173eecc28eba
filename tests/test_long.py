"""The long runs: their short forms, and the file each run leaves."""

from __future__ import annotations

import json
from pathlib import Path

from tests.long import endless_cost, generator_soak
from tests.long.__main__ import main, names, run_one


def test_a_short_generator_soak_keeps_memory_flat() -> None:
    assert generator_soak.run(chunks=120)["frames"] > 120 * 4


def test_a_short_endless_stream_is_measured() -> None:
    found = endless_cost.figures(chunks=endless_cost.SETTLED + 10, turns=5)
    assert found["memory_growth_mib"] < endless_cost.GROWTH_MIB
    assert 0.2 < found["cost_ratio"] < 5.0


def test_an_unknown_run_is_wrong_use(capsys) -> None:
    assert main(["nothing"]) == 2
    assert "no long run is called nothing" in capsys.readouterr().out


def test_a_run_leaves_commit_duration_and_figures(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(generator_soak, "run", lambda: {"chunks": 3})
    assert "generator_soak" in names()
    assert run_one("generator_soak", tmp_path)
    result = json.loads((tmp_path / "generator_soak.json").read_text("utf-8"))
    assert result["passed"]
    assert result["figures"] == {"chunks": 3}
    assert result["commit"]
    assert result["duration_s"] >= 0


def test_a_failed_run_says_why_and_is_kept(tmp_path: Path, monkeypatch) -> None:
    def fail() -> dict[str, float]:
        raise AssertionError("memory grew")

    monkeypatch.setattr(generator_soak, "run", fail)
    assert not run_one("generator_soak", tmp_path)
    result = json.loads((tmp_path / "generator_soak.json").read_text("utf-8"))
    assert not result["passed"]
    assert result["failure"] == "memory grew"
