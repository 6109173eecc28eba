"""`render` as the published program is used: given frames, endless files, its noise, weights, configuration, names."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.engine.rendering.test_render import ROOT, frames_of, rendered
from tests.engine.small_model import write_small_model

SIZE = (48, 32)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_model(tmp_path_factory.mktemp("model"))


def render_to(out: Path, model: Path, *options: str, prompt: str = "ink") -> list[np.ndarray]:
    words = ["--prompt", prompt, "--model", str(model), "--threads", "1", "--lossless", *options, "--out", str(out)]
    assert rendered(*words) == 0
    return frames_of(out)


def test_a_clip_goes_on_from_its_end_and_may_hold_its_beginning(model: Path, tmp_path: Path) -> None:
    clip = render_to(tmp_path / "clip.mkv", model, "--latent-frames", "6")
    assert len(clip) == 21
    extend = ("--extend", str(tmp_path / "clip.mkv"), "--seed", "4")
    after = render_to(tmp_path / "after.mkv", model, *extend, "--latent-frames", "4")
    assert len(after) == 16, "four frames per latent frame: the stream has begun"
    whole = render_to(tmp_path / "whole.mkv", model, *extend, "--seconds", "0.5", "--include-input")
    assert len(whole) == 21 + 8
    assert np.array_equal(whole[21:], after[:8])


def test_a_picture_goes_on(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    render_to(tmp_path / "clip.mkv", model, "--latent-frames", "1")
    first = ("--first-frame", str(tmp_path / "clip.mkv"))
    assert len(render_to(tmp_path / "a.mkv", model, *first, "--include-input", "--latent-frames", "5")) == 21
    capsys.readouterr()
    assert rendered("--prompt", "x", "--model", "test-pattern", *first, "--out", str(tmp_path / "b.mp4")) == 2
    assert "remembers nothing" in capsys.readouterr().err


def test_noise_in_the_published_order_has_one_seed_for_all_clips(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "p.txt").write_text("ink\nink too\n")
    words = ["--model", str(model), "--threads", "1", "--noise", "upstream", "--latent-frames", "5", "--lossless"]
    words += ["--prompts", str(tmp_path / "p.txt"), "--samples", "2", "--names", "vbench"]
    for folder in ("a", "b"):
        assert rendered(*words, "--out", f"{tmp_path}/{folder}/") == 0
    told = capsys.readouterr().err
    assert "noise is drawn for 6 latent frames" in told
    assert "drawn on the CPU" in told
    files = [tmp_path / "a" / f"{name}.mkv" for name in ("ink-0", "ink-1", "ink too-0", "ink too-1")]
    clips = [np.stack(frames_of(file)) for file in files]
    assert not any(np.array_equal(clips[0], other) for other in clips[1:])
    assert all(file.read_bytes() == (tmp_path / "b" / file.name).read_bytes() for file in files)


def test_averaged_weights_are_played_on_request_and_told(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = load_file(model / "transformer.safetensors")
    folder = write_small_model(tmp_path / "both")
    averaged = {f"model.{name}": tensor * 0.5 for name, tensor in weights.items()}
    torch.save({"generator": {f"model.{n}": t for n, t in weights.items()}, "generator_ema": averaged}, folder / "t.pt")
    preset = folder / "model.toml"
    preset.write_text(preset.read_text().replace("transformer.safetensors", "t.pt"))
    length = ("--latent-frames", "3")
    plain = render_to(tmp_path / "plain.mkv", folder, *length)
    assert "nested (generator) weights" in capsys.readouterr().err
    assert np.array_equal(plain, render_to(tmp_path / "same.mkv", model, *length))
    assert not np.array_equal(plain, render_to(tmp_path / "ema.mkv", folder, *length, "--ema"))
    assert "nested (generator_ema) weights" in capsys.readouterr().err
    assert rendered("--prompt", "x", "--model", str(model), "--ema", "--out", str(tmp_path / "x.mp4")) == 1
    assert "holds no averaged weights" in capsys.readouterr().err


def test_a_configuration_says_what_no_option_says(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "prompts.txt").write_text("ink\n")
    config = tmp_path / "c.yaml"
    config.write_text(
        "denoising_step_list: [1000, 500]\nwarp_denoising_step: true\nseed: 9\nnum_samples: 2\nmistery: 1\n"
        "image_or_video_shape: [1, 21, 16, 60, 104]\ndata_path: prompts.txt\n"
    )
    words = ["--model", str(model), "--threads", "1", "--latent-frames", "3", "--lossless", "--config", str(config)]
    assert rendered(*words, "--out", f"{tmp_path}/made/") == 0
    told = capsys.readouterr().err
    assert "mistery is unknown and not applied" in told
    assert "the file names 832x480" in told
    names = sorted(file.name for file in (tmp_path / "made").iterdir())
    assert names == ["0000-ink-seed10.mkv", "0000-ink-seed9.mkv"]
    own_steps = render_to(tmp_path / "own.mkv", model, "--latent-frames", "3", "--seed", "9")
    assert not np.array_equal(frames_of(tmp_path / "made" / names[1]), own_steps), "two steps instead of four"
    config.write_text("denoising_step_list: [1000, 1000]\n")
    assert rendered(*words, "--out", f"{tmp_path}/made/") == 2
    assert "each lower than the last" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--include-input"], "--include-input goes with --first-frame or --extend"),
        (["--endless", "--samples", "2"], "--endless never comes to the second of 2 clips"),
        (["--seconds", "inf", "--noise", "upstream"], "give its length"),
        (["--noise", "upstream"], "is made of no noise"),
        (["--extend", "{tmp}/missing.mp4"], "missing.mp4 cannot be read"),
        (["--config", "{tmp}/missing.yaml"], "there is no such file"),
    ],
)
def test_options_that_do_not_go_together_are_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], complaint: str
) -> None:
    out = f"{tmp_path}/{{sample}}.mp4" if "--samples" in options else f"{tmp_path}/a.mp4"
    assert rendered(*(option.format(tmp=tmp_path) for option in options), "--out", out) == 2
    assert complaint in capsys.readouterr().err
    assert list(tmp_path.glob("*.mp4*")) == []


def test_something_must_be_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert rendered("--model", "test-pattern", "--out", "a.mp4") == 2
    assert "say what to render: --prompt" in capsys.readouterr().err


def playable_frames(path: Path) -> int:
    """Frames up to where the file breaks off."""
    count = 0
    with av.open(str(path)) as file, contextlib.suppress(av.error.InvalidDataError):
        for _ in file.decode(video=0):
            count += 1
    return count


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_an_endless_file_can_be_played_whatever_ends_it(tmp_path: Path, end: signal.Signals) -> None:
    out, partial = tmp_path / "a.mp4", tmp_path / "a.mp4.partial"
    command = [sys.executable, "-m", "engine", "render", "--prompt", "x", "--model", "test-pattern", "--size", "64x48"]
    process = subprocess.Popen([*command, "--endless", "--out", str(out)], cwd=ROOT, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not (partial.exists() and partial.stat().st_size > 200_000) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, end)
    _, told = process.communicate(timeout=60)
    assert b"Traceback" not in told
    assert process.returncode == (0 if end == signal.SIGINT else -signal.SIGKILL)
    found = out if end == signal.SIGINT else partial
    assert playable_frames(found) > 100
    assert [file.name for file in tmp_path.iterdir()] == [found.name]
