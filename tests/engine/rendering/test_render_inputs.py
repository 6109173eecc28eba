"""`render` over and after other videos: options and their sentences, media time, the same bits every time."""

from __future__ import annotations

import argparse
from pathlib import Path

import av
import numpy as np
import pytest

from engine.rendering import render
from engine.rendering.inputs import with_inputs
from engine.rendering.jobs import RenderJob, RenderUseError
from engine.rendering.plan import RenderPlan, plan_for_prompt
from engine.video_file import VideoFile
from engine.video_in.arguments import AskedInputs
from engine.video_in.clip_input import ClipInput
from engine.video_in.picture_files import PictureError
from tests.engine.rendering.test_given_frames import halves, write_clip, write_picture
from tests.engine.small_model import write_small_model

GREY = "lavfi:color=gray:size=64x48:rate=25"


def parsed(*options: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    render.add_arguments(parser)
    return parser.parse_args(["--prompt", "ink", "--out", "a.mp4", *options])


def asked(*options: str) -> tuple[RenderPlan, AskedInputs]:
    jobs, found = with_inputs([RenderJob(plan_for_prompt("ink", 0), Path("a.mp4"))], parsed(*options))
    return jobs[0].plan, found


def test_without_options_the_plan_is_as_it_was():
    assert asked()[0] == plan_for_prompt("ink", 0)


def test_an_input_is_painted_over_at_its_noise_or_the_usual():
    plan, found = asked("--input", GREY, "--v2v", "0.25")
    assert found.sources == {1: GREY}
    params = plan.cues[0].params
    assert (params.input_on, params.input_number, params.input_noise, params.vace_on) == (True, 1, 0.25, False)
    assert params.prompt_texts[0] == "ink"
    assert asked("--input", GREY)[0].cues[0].params.input_noise == 0.7


@pytest.mark.parametrize(
    ("written", "maker"),
    [(GREY, "none"), (f"edges:{GREY}", "edges"), (f"none:{GREY}", "none"), (f"blur:{GREY}", "blur")],
)
def test_a_maker_is_one_of_the_known_names(written: str, maker: str):
    plan, found = asked("--vace-control", written, "--vace-scale", "0.5")
    params = plan.cues[0].params
    assert found.sources == {2: GREY}
    assert (params.vace_on, params.vace_input, params.vace_control, params.vace_scale) == (True, 2, maker, 0.5)
    assert not params.input_on


def test_a_path_may_hold_colons(tmp_path: Path):
    clip = write_clip(tmp_path / "take:2.mkv", [10, 20], 16.0)
    for written in (str(clip), f"edges:{clip}"):
        assert asked("--vace-control", written)[1].sources == {2: str(clip)}


def test_references_and_mask_go_with_the_input_alone(tmp_path: Path):
    images = [str(write_picture(tmp_path / f"{name}.png", halves(64, 48))) for name in "ab"]
    plan, found = asked("--vace-ref", *images)
    params = plan.cues[0].params
    assert (params.vace_on, params.vace_input) == (True, 0)
    assert params.reference_files == (*images, "", "")
    assert params.reference_switches == (True, True, False, False)
    plan, found = asked("--input", GREY, "--vace-mask", images[0])
    params = plan.cues[0].params
    assert found.sources == {1: GREY, 3: images[0]}
    assert (params.vace_input, params.vace_control, params.vace_mask_input, params.input_on) == (1, "none", 3, False)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--v2v", "0.5"], "--v2v goes with --input"),
        (["--vace-scale", "1"], "--vace-scale goes with --vace-control"),
        (["--vace-mask", GREY], "--vace-mask goes with --vace-control or --input"),
        (["--vace-control", "edges:"], "edges of what"),
        (["--input", ""], "--input is empty"),
        (["--input", "nowhere.mp4"], "nowhere.mp4 cannot be read"),
        (["--input", "lavfi:nosuchfilter"], "lavfi:nosuchfilter cannot be read"),
        (["--vace-ref", "nowhere.png"], "nowhere.png cannot be read"),
        (["--vace-ref", *"abcde"], "5 pictures; there are 4 pads"),
    ],
)
def test_what_makes_no_sense_is_told_before_anything_is_loaded(options: list[str], sentence: str):
    with pytest.raises(RenderUseError, match=sentence):
        asked(*options)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--v2v", "1.5"], "1.5 is outside 0 to 1"),
        (["--v2v", "much"], "'much' is not a number"),
        (["--v2v", "nan"], "nan is outside 0 to 1"),
        (["--vace-scale", "-1"], "-1 is outside 0 to 2"),
    ],
)
def test_a_number_out_of_range_is_told_with_the_range(capsys: object, options: list[str], sentence: str):
    with pytest.raises(SystemExit, match="2"):
        parsed("--input", GREY, *options)
    assert sentence in capsys.readouterr().err


def test_a_clip_gives_the_frame_of_each_media_time_and_begins_again(tmp_path: Path):
    levels = [10, 40, 70, 100, 130, 160]
    clip = ClipInput(str(write_clip(tmp_path / "slow.mkv", levels, 8.0)), 16.0, (32, 16))
    first, second = clip.take(9, is_start=True), clip.take(4, is_start=False)
    assert first.pixels.shape == (9, 16, 32, 4)
    assert first.arrived_ns == (0,) * 9
    seen = np.concatenate([first.pixels, second.pixels])[:, 8, 16, 0].tolist()
    assert seen == [10, 10, 40, 40, 70, 70, 100, 100, 130, 130, 160, 10, 10]
    still = ClipInput(str(write_picture(tmp_path / "a.png", halves(64, 48))), 16.0, (32, 16))
    assert (np.diff(still.take(9, is_start=True).pixels.astype(int), axis=0) == 0).all()


def test_a_clip_that_cannot_be_read_is_a_sentence(tmp_path: Path):
    (tmp_path / "bad.mp4").write_bytes(b"nothing" * 100)
    with pytest.raises(PictureError, match=r"bad\.mp4 cannot be read"):
        ClipInput(str(tmp_path / "bad.mp4"), 16.0, (32, 16)).take(1, is_start=True)


def frames_of(path: Path) -> np.ndarray:
    with av.open(str(path)) as file:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)])


def test_rendering_over_a_clip_repeats_and_every_sample_begins_with_its_first_frame(tmp_path: Path):
    model = str(write_small_model(tmp_path / "small"))
    with VideoFile(tmp_path / "in.mkv", width=64, height=48, rate_fps=16.0, is_lossless=True) as file:
        ramp = np.arange(64 * 48, dtype=np.uint32).reshape(48, 64) % 256
        file.write(np.stack([np.dstack([np.roll(ramp, 5 * k, 1)] * 3 + [ramp]) for k in range(24)]).astype(np.uint8))
    words = ["--model", model, "--lossless", "--seconds", "1.3", "--input", str(tmp_path / "in.mkv"), "--v2v", "0"]
    parser = argparse.ArgumentParser()
    render.add_arguments(parser)
    args = parser.parse_args(["--prompt", "ink", "--samples", "2", "--out", f"{tmp_path}/{{seed}}.mkv", *words])
    assert render.run(args) == 0
    first, second = (frames_of(tmp_path / f"{seed}.mkv") for seed in (0, 1))
    assert len(first) == 21
    assert np.array_equal(first, second), "without noise a seed is not seen, and both begin with the first frame"
