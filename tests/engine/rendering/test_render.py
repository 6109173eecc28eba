"""`render` on the test pattern: exact lengths, equal bits, names, cues, and a sentence for every wrong use."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from engine.chunk import Chunk
from engine.params import ChunkParams
from engine.rendering import render
from engine.rendering.jobs import slug_of
from engine.rendering.offline_stream import Length, play
from engine.rendering.plan import Cue, RenderPlan, plan_for_prompt
from engine.test_pattern import TestPattern

ROOT = Path(__file__).resolve().parents[3]
BASIC = ["--prompt", "a red fox", "--model", "test-pattern", "--size", "64x48"]


def rendered(*options: str, read_plan: render.ReadPlan | None = None) -> int:
    parser = argparse.ArgumentParser()
    render.add_arguments(parser)
    return render.run(parser.parse_args([*BASIC, *options] if "--model" not in options else list(options)), read_plan)


def frames_of(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as file:
        return [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]


@pytest.mark.parametrize(("seconds", "frames"), [("4", 64), ("0.7", 11), ("0.0625", 1), ("1.03", 16)])
def test_a_file_has_exactly_the_frames_of_its_length(tmp_path: Path, seconds: str, frames: int) -> None:
    out = tmp_path / "a.mp4"
    assert rendered("--seconds", seconds, "--out", str(out)) == 0
    assert len(frames_of(out)) == frames
    assert [file.name for file in tmp_path.iterdir()] == ["a.mp4"], "nothing else stays behind"


@pytest.mark.parametrize(("latents", "frames"), [("1", 1), ("3", 9), ("4", 13), ("7", 25)])
def test_a_length_in_latent_frames(tmp_path: Path, latents: str, frames: int) -> None:
    out = tmp_path / "a.mkv"
    assert rendered("--latent-frames", latents, "--out", str(out)) == 0
    assert len(frames_of(out)) == frames


def test_latent_frames_are_counted_across_hard_cuts() -> None:
    params = ChunkParams()
    plan = RenderPlan((Cue(0.0, params), Cue(0.3, params, hard_cut=True)))
    made = list(play(TestPattern(32, 16), plan, Length(latent_frames=7)))
    assert [len(frames) for frames in made] == [9, 9, 4]


def test_the_same_command_makes_the_same_file_and_another_seed_or_prompt_another(tmp_path: Path) -> None:
    files = {name: tmp_path / f"{name}.mp4" for name in ("first", "again", "seed", "prompt")}
    for name, options in {"first": [], "again": [], "seed": ["--seed", "8"]}.items():
        assert rendered("--seconds", "1", *options, "--out", str(files[name])) == 0
    options = ["--prompt", "a blue whale", *BASIC[2:], "--seconds", "1", "--out", str(files["prompt"])]
    assert rendered(*options) == 0
    contents = {name: file.read_bytes() for name, file in files.items()}
    assert contents["first"] == contents["again"]
    assert len(set(contents.values())) == 3


def test_lossless_keeps_every_pixel(tmp_path: Path) -> None:
    out = tmp_path / "a.mkv"
    assert rendered("--seconds", "1", "--lossless", "--out", str(out)) == 0
    source = TestPattern(64, 48)
    made = np.concatenate(list(play(source, plan_for_prompt("a red fox", 0), Length(frames=16))))
    assert np.array_equal(np.stack(frames_of(out)), made[..., :3])
    with av.open(str(out)) as file:
        assert file.streams.video[0].codec_context.name == "ffv1"


def test_a_lossy_file_is_tagged_and_shows_the_right_colours(tmp_path: Path) -> None:
    out = tmp_path / "a.mp4"
    assert rendered("--seconds", "1", "--out", str(out)) == 0
    made = np.concatenate(list(play(TestPattern(64, 48), plan_for_prompt("a red fox", 0), Length(frames=16))))
    with av.open(str(out)) as file:
        context = file.streams.video[0].codec_context
        tags = (context.pix_fmt, context.color_primaries, context.color_trc, context.colorspace, context.color_range)
        planes = np.stack([frame.to_ndarray() for frame in file.decode(video=0)]).astype(np.float64)
    assert tags == ("yuv420p", 1, 1, 1, 1), "BT.709 everywhere, limited range"
    # decoded by the equations of BT.709, not by the library that encoded
    luma = (planes[:, :48] - 16) / 219
    blue_difference, red_difference = (
        plane.reshape(16, 24, 32).repeat(2, 1).repeat(2, 2) / 224 - 128 / 224
        for plane in (planes[:, 48:60], planes[:, 60:72])
    )
    red, blue = luma + 1.5748 * red_difference, luma + 1.8556 * blue_difference
    green = (luma - 0.2126 * red - 0.0722 * blue) / 0.7152
    decoded = np.stack([red, green, blue], axis=-1).clip(0, 1) * 255
    difference = decoded - made[..., :3]
    assert np.abs(difference).mean() < 4.0
    assert np.abs(difference.mean(axis=(0, 1, 2))).max() < 1.0, "no colour is shifted"


def test_a_cue_lands_on_the_first_chunk_at_or_after_it() -> None:
    first, second = (plan_for_prompt(text, 0).cues[0].params for text in ("one", "two"))
    seen = []

    class Watched(TestPattern):
        def generate_chunk(
            self, params: ChunkParams, params_version: int = 0, newest: Callable[[], ChunkParams] | None = None
        ) -> Chunk:
            chunk = super().generate_chunk(params, params_version, newest)
            seen.append((chunk.first_frame, params.prompt_texts[0], chunk.stream_id))
            return chunk

    source = Watched(32, 16)
    # chunks begin at frames 0, 9, 21, 33: 21 frames are 1.3125 s
    plan = RenderPlan((Cue(0.0, first), Cue(1.3125, second), Cue(2.0, first, hard_cut=True)))
    list(play(source, plan, Length(frames=50)))
    start = seen[0][2]
    assert seen == [
        (0, "one", start),
        (9, "one", start),
        (21, "two", start),
        (0, "one", start + 1),
        (9, "one", start + 1),
    ]


def test_a_list_makes_one_clip_per_prompt_named_after_the_short_one(tmp_path: Path) -> None:
    (tmp_path / "short.txt").write_text("Cats & dogs\n../../etc/passwd\n", encoding="utf-8")
    (tmp_path / "long.txt").write_text("Many cats and dogs\nA file, in blue\n", encoding="utf-8")
    options = ["--model", "test-pattern", "--size", "32x16", "--prompts", str(tmp_path / "short.txt")]
    options += ["--seconds", "0.5", "--samples", "2", "--seed", "5"]
    assert rendered(*options, "--out", f"{tmp_path}/plain/") == 0
    names = sorted(file.name for file in (tmp_path / "plain").iterdir())
    assert names == [f"{n}-seed{seed}.mp4" for n in ("0000-cats-dogs", "0001-etc-passwd") for seed in (5, 6)]
    options += ["--extended-prompts", str(tmp_path / "long.txt")]
    assert rendered(*options, "--out", f"{tmp_path}/{{prompt}}-{{sample}}.mp4") == 0
    assert (tmp_path / "Cats & dogs-0.mp4").read_bytes() != (tmp_path / "plain" / names[0]).read_bytes()
    assert (tmp_path / "..-..-etc-passwd-1.mp4").exists(), "a slash never leads into another folder"


def test_a_list_of_one_prompt_may_name_its_file(tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text("a red fox", encoding="utf-8")
    options = ["--model", "test-pattern", "--size", "32x16", "--seconds", "0.5", "--prompts", str(tmp_path / "p.txt")]
    assert rendered(*options, "--out", str(tmp_path / "fox.mp4")) == 0
    assert (tmp_path / "fox.mp4").exists()


def test_a_clip_of_a_list_equals_the_same_clip_alone(tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text("other\na red fox\n", encoding="utf-8")
    options = ["--seconds", "1", "--model", "test-pattern", "--size", "64x48"]
    assert rendered(*options, "--prompts", str(tmp_path / "p.txt"), "--out", f"{tmp_path}/l/") == 0
    assert rendered("--seconds", "1", "--out", str(tmp_path / "alone.mp4")) == 0
    assert (tmp_path / "l" / "0001-a-red-fox.mp4").read_bytes() == (tmp_path / "alone.mp4").read_bytes()


def test_a_plan_from_a_file_brings_its_length_seed_size_and_notes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = RenderPlan(plan_for_prompt("x", 3).cues, size_hint=(832, 480), length_s=0.5, notes=("lora: not applied",))
    options = ["--timeline", "t.json", "--model", "test-pattern", "--out"]
    assert rendered(*options, str(tmp_path / "a.mkv"), read_plan=lambda args: plan) == 0
    assert rendered(*options, str(tmp_path / "b.mkv"), "--seed", "4", read_plan=lambda args: plan) == 0
    assert len(frames_of(tmp_path / "a.mkv")) == 8
    assert (tmp_path / "a.mkv").read_bytes() != (tmp_path / "b.mkv").read_bytes()
    told = capsys.readouterr()
    assert "lora: not applied" in told.err
    assert "the file names 832x480; it is rendered at 256x144" in told.err
    assert f"{tmp_path / 'a.mkv'}: 8 frames of 256x144, 0.50 s" in told.out


WRONG_USES = [
    (["--out", "{tmp}/missing/a.mp4"], "the folder {tmp}/missing does not exist"),
    (["--out", "{tmp}"], "is a folder"),
    (["--out", "{tmp}/a.avi"], ".avi is no video known here; use .mkv, .mov, .mp4"),
    (["--out", "{tmp}/a.mp4", "--lossless"], ".mp4 is no lossless video (FFV1) known here; use .mkv"),
    (["--out", "/proc/a.mp4"], "/proc/a.mp4 cannot be written"),
    (["--out", "{tmp}/a.mp4", "--samples", "2"], "is one file and many are asked for"),
    (["--out", "{tmp}/" + "x" * 300 + ".mp4"], "File name too long): choose another name"),
    (["--out", "{tmp}/{{indx}}.mp4"], "{{indx}} is unknown"),
    (["--out", "{tmp}/a.mp4", "--seconds", "0.01"], "are not one frame"),
    (["--out", "{tmp}/a.mp4", "--extended-prompts", "x"], "--extended-prompts goes with --prompts"),
    (["--out", "{tmp}/{{seed}}.mp4", "--samples", "2", "--seed", "2147483647"], "beyond the last seed"),
]


@pytest.mark.parametrize(("options", "complaint"), WRONG_USES)
def test_wrong_use_is_one_sentence_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], complaint: str
) -> None:
    assert rendered(*(option.format(tmp=tmp_path) for option in options)) == 2
    told = capsys.readouterr().err
    assert complaint.format(tmp=tmp_path) in told
    assert "Traceback" not in told


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--seconds", "-3"], "-3 is no length"),
        (["--seconds", "nan"], "nan is no length"),
        (["--latent-frames", "0"], "0 is outside 1 to 4000000"),
        (["--seconds", "1e300"], "at most 1e+06"),
        (["--samples", "2147483647"], "outside 1 to 10000"),
        (["--threads", "1000000"], "outside 1 to 1024"),
        (["--size", "854x480"], "the nearest are 848x480 and 864x480"),
        (["--size", "0x0"], "size 0x0 is impossible"),
        (["--size", "99999x99999"], "size 99999x99999 is impossible"),
        (["--size", "wide"], "is not WIDTHxHEIGHT"),
        (["--seed", "-1"], "seeds go from 0 to 2147483647"),
        (["--seconds", "1", "--latent-frames", "2"], "not allowed with"),
    ],
)
def test_an_impossible_value_is_refused_with_its_range(
    capsys: pytest.CaptureFixture[str], options: list[str], complaint: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        rendered(*options, "--out", "a.mp4")
    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "extended", "complaint"),
    [
        (b"", None, "is empty"),
        (b"a\n\nb\n", None, "line 2 is empty"),
        (b"\xff\xfe\x00", None, "is written in UTF-16"),
        (None, None, "there is no such file"),
        (b"a\nb\n", b"one\n", "has 1 lines and"),
    ],
)
def test_a_bad_prompt_list_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, extended: bytes | None, complaint: str
) -> None:
    options = ["--model", "test-pattern", "--prompts", str(tmp_path / "p.txt"), "--out", str(tmp_path)]
    if content is not None:
        (tmp_path / "p.txt").write_bytes(content)
    if extended is not None:
        (tmp_path / "e.txt").write_bytes(extended)
        options += ["--extended-prompts", str(tmp_path / "e.txt")]
    assert rendered(*options) == 2
    assert complaint in capsys.readouterr().err


def test_an_unknown_model_is_wrong_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert rendered("--prompt", "x", "--model", "embre", "--out", str(tmp_path / "a.mp4")) == 2
    assert "model 'embre' is unknown, did you mean 'ember'?" in capsys.readouterr().err


def test_a_look_without_a_reader_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert rendered("--look", "x.toml", "--model", "test-pattern", "--out", "a.mp4") == 2
    assert "use `vj render`" in capsys.readouterr().err


def test_a_model_that_fails_leaves_no_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ArithmeticError("the model made values that are not numbers")

    monkeypatch.setattr(TestPattern, "generate_chunk", fail)
    assert rendered("--out", str(tmp_path / "a.mp4")) == 1
    assert "not numbers" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_ends_with_130_and_keeps_the_file_that_was_there(tmp_path: Path) -> None:
    out = tmp_path / "a.mp4"
    out.write_bytes(b"an older clip")
    command = [sys.executable, "-m", "engine", "render", *BASIC, "--seconds", "100000", "--out", str(out)]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not out.with_name("a.mp4.partial").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.3)
    os.kill(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in told
    assert out.read_bytes() == b"an older clip"
    assert [file.name for file in tmp_path.iterdir()] == ["a.mp4"]


def test_a_prompt_of_broken_bytes_is_rendered(tmp_path: Path) -> None:
    out = tmp_path / "a.mp4"
    assert rendered("--prompt", "ink \udcff", "--model", "test-pattern", "--seconds", "1", "--out", str(out)) == 0
    assert len(frames_of(out)) == 16


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("A drop of black ink!", "a-drop-of-black-ink"),
        ("../..", "prompt"),
        ("Grüße, Welt", "grüße-welt"),
        ("x" * 99, "x" * 60),
        ("𠀀" * 99, "𠀀" * 45),
    ],
)
def test_slugs_are_safe_names(text: str, slug: str) -> None:
    assert slug_of(text) == slug
