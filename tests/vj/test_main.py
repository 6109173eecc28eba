"""The `vj` command: complete help, and one sentence with the right exit code for everything wrong."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.model_presets import list_presets
from vj.__main__ import main

Run = Callable[..., subprocess.CompletedProcess[str]]
OPTIONS_OF_RUN = [
    "--model",
    "--look",
    "--mapping",
    "--timeline",
    "--display",
    "--fullscreen",
    "--size",
    "--osc",
    "--engine-in-process",
    "--seconds",
]


def sentence_of(done: subprocess.CompletedProcess[str]) -> str:
    return done.stderr.strip().splitlines()[-1]


def test_help_names_every_command_and_the_exit_codes(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    for word in ("run", "render", "verify", "timeline", "0 done, 1 failed, 2 wrong use"):
        assert word in shown


@pytest.mark.parametrize(("command", "options"), [("run", OPTIONS_OF_RUN), ("render", ["--prompt", "--lossless"])])
def test_help_of_a_command_names_its_options(command, options, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert [option for option in options if option not in shown] == []


def test_options_without_a_command_are_for_run(run_vj: Run):
    done = run_vj("--model", "test-pattern")
    assert done.returncode == 1
    assert "no display" in done.stderr


def test_an_unknown_command_names_the_nearest(run_vj: Run):
    done = run_vj("rendr")
    assert done.returncode == 2
    assert "did you mean 'render'" in sentence_of(done)


def test_no_display_is_a_sentence_before_qt_aborts(run_vj: Run):
    done = run_vj("run", "--model", "test-pattern")
    assert done.returncode == 1
    assert sentence_of(done) == "vj: no display: set DISPLAY (or WAYLAND_DISPLAY), or use `vj render`"


def test_a_display_that_does_not_answer_is_named(run_vj: Run):
    done = run_vj("run", "--model", "test-pattern", env={"DISPLAY": ":3971", "QT_QPA_PLATFORM": "xcb"})
    assert done.returncode == 1
    assert ":3971" in sentence_of(done)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--size", "250x144"], ["250x144", "240x144", "256x144"]),
        (["--size", "0x0"], ["0x0"]),
        (["--size", "large"], ["large", "256x144"]),
        (["--model", "embr"], ["embr", "ember"]),
        (["--look", "nowhere.toml"], ["nowhere.toml"]),
        (["--look", "x" * 300], ["File name too long"]),
        (["--timeline", "nowhere.json"], ["nowhere.json"]),
        (["--osc", "70000"], ["70000"]),
        (["--osc", "nine"], ["nine"]),
        (["--osc", "0000001000000"], ["0000001000000"]),
        (["--seconds", "-1"], ["-1"]),
        (["--seconds", "nan"], ["nan"]),
        (["--colour", "red"], ["--colour"]),
    ],
)
def test_wrong_use_is_a_sentence(run_vj: Run, arguments: list[str], words: list[str]):
    done = run_vj("run", *arguments)
    assert done.returncode == 2
    for word in words:
        assert word in sentence_of(done)


@pytest.mark.parametrize(("option", "suffix"), [("--look", "toml"), ("--timeline", "toml"), ("--timeline", "json")])
@pytest.mark.parametrize("content", [b"= nonsense [", b"\xff\xfe\x00", b""])
def test_an_unreadable_look_or_timeline_names_its_file(run_vj: Run, tmp_path: Path, option, suffix, content):
    file = tmp_path / f"bad.{suffix}"
    file.write_bytes(content)
    done = run_vj("run", "--model", "test-pattern", option, file)
    assert done.returncode == 2
    assert str(file) in done.stderr


def test_an_unknown_display_lists_those_there_are(run_vj: Run, display):
    done = run_vj("run", "--model", "test-pattern", "--display", "HDMI-7", display=display)
    assert done.returncode == 2
    assert "HDMI-7" in sentence_of(done)
    assert "1280x720" in sentence_of(done)


def test_an_osc_port_asked_for_and_taken_is_a_sentence(run_vj: Run, display):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        done = run_vj("run", "--model", "test-pattern", "--osc", str(port), display=display)
    assert done.returncode == 1
    assert str(port) in sentence_of(done)


def test_a_bad_mapping_never_stops_the_show(run_vj: Run, display, tmp_path: Path):
    bad = tmp_path / "bad.toml"
    bad.write_text('device = "*"\n[controls]\n"cc/1/1" = { parameter = "/vj/output/levle" }\n', "utf-8")
    done = run_vj(
        *("run", "--model", "test-pattern", "--seconds", "2", "--osc", "0"),
        *("--mapping", bad, tmp_path / "none.toml"),
        display=display,
    )
    assert done.returncode == 0
    assert "did you mean '/vj/output/level'" in done.stderr
    assert "none.toml" in done.stderr


def test_a_model_that_cannot_be_loaded_is_told_and_the_window_stays(start_vj, display, tmp_path: Path):
    text = list_presets()["ember"].read_text("utf-8")
    broken = tmp_path / "broken.toml"
    broken.write_text(text.replace(".safetensors", "-missing.safetensors"), "utf-8")
    vj = start_vj("run", "--model", broken, "--osc", "0", display=display)
    vj.wait_for("missing", 60.0)
    assert vj.process.poll() is None
    assert vj.stop() == 0


def test_a_timeline_made_for_another_model_says_so_when_it_is_played(run_vj: Run, display):
    timeline = Path(__file__).resolve().parents[1] / "data" / "timelines" / "version_2_1.json"
    arguments = ("run", "--model", "test-pattern", "--timeline", timeline, "--osc", "0", "--seconds", "1")
    done = run_vj(*arguments, display=display)
    assert done.returncode == 0
    assert "vj: the timeline was made for reward-forcing; it plays on test-pattern\n" in done.stderr


def test_a_timeline_is_checked(run_vj: Run, tmp_path: Path):
    good = tmp_path / "good.toml"
    good.write_text(
        'unit = "seconds"\n[[cues]]\nat = 0\nvalues = { "/vj/prompt/1/text" = "ink" }\n'
        '[[cues]]\nat = 2.5\ncut = "hard"\nvalues = { "/vj/seed/value" = 7 }\n',
        "utf-8",
    )
    done = run_vj("timeline", "check", good)
    assert done.returncode == 0, done.stderr
    assert "2.50 s" in done.stdout
    assert run_vj("timeline", "check", tmp_path / "none.toml").returncode == 1


def test_the_window_imports_no_torch():
    code = (
        "import sys, json, vj.app.application, vj.__main__\n"
        "print(json.dumps(sorted(n for n in sys.modules if n.partition('.')[0] in ('torch', 'transformers'))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
