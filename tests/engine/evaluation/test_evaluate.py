"""`vj evaluate` as it is used: files, a folder, a model's own streams, and everything wrong in a sentence."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.evaluation.asked_pictures import AskedError, held_out_captions, pairs, read_asked
from engine.evaluation.autoencoder_report import peak, psnr
from engine.evaluation.classifier import FamilyClassifier, write_classifier
from engine.evaluation.command_line import main
from engine.evaluation.model_report import accuracy, first_visible, is_stable, share
from engine.evaluation.videos import VideoError, find_videos, open_video
from engine.training.clips.families import FAMILIES
from engine.video_file import VideoFile
from tests.engine.small_model import write_small_model

ROOT = Path(__file__).resolve().parents[3]


def write_clip(path: Path, frames: np.ndarray, rate_hz: float = 16.0) -> Path:
    height, width = frames.shape[1:3]
    with VideoFile(path, width=width, height=height, rate_fps=rate_hz, is_lossless=True, is_endless=False) as video:
        video.write(np.concatenate([frames, np.full((*frames.shape[:3], 1), 255, np.uint8)], -1))
    return path


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    folder = tmp_path / "clips"
    folder.mkdir()
    steps = np.arange(48) * 4
    ramp = np.broadcast_to(steps[:, None, None, None], (48, 32, 48, 3)).astype(np.uint8)
    write_clip(folder / "ramp.mkv", ramp)
    colours = np.zeros((64, 32, 48, 3), np.uint8)
    colours[:30, ..., 0], colours[30:, ..., 2] = 200, 200
    write_clip(folder / "switch.mkv", colours)
    (folder / "notes.txt").write_text("not a video", "utf-8")
    return folder


def test_a_folder_is_measured_into_a_table_and_a_file(clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out = tmp_path / "figures.json"
    assert main([str(clips), "--json", str(out)]) == 0
    report = json.loads(out.read_text("utf-8"))["videos"]
    ramp = report["files"][str(clips / "ramp.mkv")]
    assert ramp["frames"] == 48
    assert ramp["temporal_flickering"] == pytest.approx((255 - 4) / 255, abs=1e-5)
    assert ramp["smoothness"] == 1.0
    assert ramp["seam"] == pytest.approx(1.0)
    assert report["means"]["frames"] == 56
    shown = capsys.readouterr().out
    assert "ramp.mkv" in shown
    assert "flickering" in shown


def test_the_switch_of_a_file_is_found(clips: Path, capsys: pytest.CaptureFixture[str]):
    assert main([str(clips / "switch.mkv"), "--switch-at", "1.5"]) == 0
    assert "leaves the one before after 6 frames and is half way after 6" in capsys.readouterr().out


def test_pictures_are_read_as_opencv_reads_them(tmp_path: Path):
    cv2 = pytest.importorskip("cv2")
    frames = np.random.default_rng(1).integers(0, 256, (6, 32, 48, 3), dtype=np.uint8)
    path = write_clip(tmp_path / "noise.mkv", frames)
    ours = list(open_video(path).frames())
    theirs = cv2.VideoCapture(str(path))
    for picture in ours:
        assert np.array_equal(theirs.read()[1][..., ::-1], picture)


def test_without_opencv_everything_else_is_measured(clips: Path, monkeypatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setitem(sys.modules, "cv2", None)
    assert main([str(clips / "ramp.mkv")]) == 0
    assert "pip install opencv-python-headless" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "say what to measure"),
        (["nowhere"], "there is no such file or folder"),
        (["--prompts", "x.txt"], "say what to measure"),
        (["--model", "ember", "--measures", "prompts"], "needs --prompts FILE"),
        (["--model", "embr", "--measures", "drift"], "ember"),
        (["--model", "ember", "--prompts", "nowhere.txt"], "cannot be read"),
        (["--model", "ember", "--classifier", "nowhere"], "there is no classifier"),
        (["--model", "ember", "--rewards", "lokks"], "lokks"),
        (["--model", "ember", "--lora", "x:99"], "weight"),
        (["--vbench", "vbench"], "say what to measure"),
        (["--vbench-results", "nowhere.json", "--json", "/nowhere/x.json"], "cannot be written"),
    ],
)
def test_wrong_use_is_a_sentence(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]):
    assert main(arguments) == 2
    assert words in capsys.readouterr().err.strip().splitlines()[-1]


@pytest.mark.parametrize(
    "arguments", [["--measures", "colour"], ["--seconds", "0"], ["--captions", "0"], ["--chunk", "2"], ["--size", "9"]]
)
def test_options_out_of_range_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main(["--model", "ember", *arguments])
    assert ended.value.code == 2
    assert arguments[0] in capsys.readouterr().err


def test_a_folder_without_videos_and_a_file_that_is_none_are_sentences(tmp_path: Path, capsys):
    with pytest.raises(VideoError, match="there is no video in this folder"):
        find_videos([tmp_path])
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"nothing")
    assert main([str(bad)]) == 1
    assert f"{bad} cannot be read" in capsys.readouterr().err


def test_published_results_are_scored(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    results = tmp_path / "a_eval_results.json"
    results.write_text('{"color": [0.85, []]}', "utf-8")
    assert main(["--vbench-results", str(results)]) == 0
    shown = capsys.readouterr().out
    assert "15 of 16 dimensions are missing" in shown
    assert "85.00" in shown


def test_a_models_own_streams_are_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    model = write_small_model(tmp_path / "small")
    judge = tmp_path / "judge.safetensors"
    torch.manual_seed(2)
    write_classifier(judge, FamilyClassifier().state_dict(), {"clips": 1.0, "held_out_family": 0.5})
    out = tmp_path / "figures.json"
    words = ["--seconds", "1.5", "--captions", "2", "--blends", "1", "--switches", "1", "--drift-minutes", "0.5"]
    words += ["--rewards", "looks,motion:flicker"]
    assert main(["--model", str(model), "--classifier", str(judge), "--json", str(out), *words]) == 0
    report = json.loads(out.read_text("utf-8"))
    assert report["classifier"]["held_out_family"] == 0.5
    assert len(report["captions"]["prompts"]) == 2
    assert report["captions"]["prompts"][0]["frames"] == 24
    scores = [row["reward_looks_looks"] for row in report["captions"]["prompts"]]
    assert report["captions"]["means"]["reward_looks_looks"] == pytest.approx(sum(scores) / 2, abs=1e-4)
    assert report["captions"]["means"]["reward_motion_flicker"] <= 0.0
    assert len(report["blends"]["blends"][0]["shares"]) == 2
    assert report["switches"]["switches"][0]["visible_frames"] != 0
    assert report["drift"]["prompts"][0]["frames"] == 480
    assert "on clips it was not trained on" in capsys.readouterr().out


def test_an_autoencoder_is_judged_by_family_and_by_its_sparks(tmp_path: Path):
    model = write_small_model(tmp_path / "small")
    out = tmp_path / "figures.json"
    words = ["--measures", "autoencoder", "--clips", "1", "--size", "48x32", "--json", str(out)]
    assert main(["--model", str(model), *words]) == 0
    found = json.loads(out.read_text("utf-8"))["autoencoder"]
    assert list(found["families"]) == list(FAMILIES)
    assert found["worst_psnr_db"] == min(found["families"].values()) <= found["mean_psnr_db"]
    assert found["particles_peak_share"] >= 0.0
    wanted = torch.zeros(2, 3, 40, 50)
    wanted[:, 1, 20, 20:22] = 0.8  # two pixels of two thousand: the brightest 0.1 %
    assert peak(wanted).tolist() == pytest.approx([0.8, 0.8])
    assert psnr(wanted + 0.1, wanted) == pytest.approx(20.0, abs=1e-3)


def test_free_sentences_name_families_and_palettes_that_are_drawn():
    asked = read_asked(ROOT / "tests" / "data" / "free_prompts.toml")
    assert len(asked) == 80
    assert all(one.text and one.family and one.palette for one in asked)


def test_lists_of_prompts_are_read_and_faults_are_named(tmp_path: Path):
    plain = tmp_path / "list.txt"
    plain.write_text("ink\n\n fire \n", "utf-8")
    assert [one.text for one in read_asked(plain)] == ["ink", "fire"]
    table = tmp_path / "list.toml"
    table.write_text('[[prompts]]\ntext = "x"\nfamily = "lava"\n', "utf-8")
    with pytest.raises(AskedError, match="prompt 1: 'lava' is unknown"):
        read_asked(table)
    table.write_text('[[prompts]]\nfamily = "fire"\n', "utf-8")
    with pytest.raises(AskedError, match="prompt 1 has no text"):
        read_asked(table)
    plain.write_text("\n", "utf-8")
    with pytest.raises(AskedError, match="holds no prompts"):
        read_asked(plain)


def test_what_is_asked_is_the_same_every_time_and_pairs_differ():
    assert held_out_captions(5) == held_out_captions(9)[:5]
    chosen = pairs(12)
    assert chosen == pairs(12)
    assert all(first.family != second.family for first, second in chosen)


def test_judgements_of_figures():
    steady = {"least_luminance": 40.0, "most_luminance": 90.0, "longest_still_s": 0.1}
    assert is_stable(steady)
    assert not is_stable(steady | {"longest_still_s": 2.0})
    assert not is_stable(steady | {"most_luminance": 251.0})
    rows = [{"family": "fire", "family_seen": "fire"}, {"family": "ink", "family_seen": "fire"}, {"family": ""}]
    assert accuracy(rows, "family") == 0.5
    assert share([]) is None
    before, after = np.zeros((9, 2, 2, 3), np.uint8), np.zeros((9, 2, 2, 3), np.uint8)
    after[6:] = 3
    assert first_visible(after, before, 4) == 2
    assert first_visible(before, before, 4) is None
