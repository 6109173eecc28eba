"""Sources really decoded: films by their own time, stills, test graphs; what is missing is a sentence."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.vj.inputs.films import number_of, write_film
from vj.inputs.colour import RgbConverter
from vj.inputs.deinterlacing import Deinterlacer
from vj.inputs.params import InputParams
from vj.inputs.sources import container
from vj.inputs.sources.clip import ClipSource
from vj.inputs.sources.opening import open_source
from vj.inputs.sources.source import Picture, Source, SourceError

RATE = 25


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> Path:
    return write_film(tmp_path_factory.mktemp("films") / "counting.mp4")


def play(source: Source, settings: InputParams, pictures: int, at_most_s: float = 8.0) -> list[Picture]:
    """Read until so many pictures have come."""
    got: list[Picture] = []
    until_s = time.monotonic() + at_most_s
    while len(got) < pictures and time.monotonic() < until_s:
        picture = source.read(settings)
        if picture is not None:
            got.append(picture)
    return got


def numbers(pictures: list[Picture]) -> list[int]:
    converter = RgbConverter()
    return [number_of(converter.to_rgb(picture.frame)) for picture in pictures]


def seconds(pictures: list[Picture]) -> float:
    return (pictures[-1].arrived_ns - pictures[0].arrived_ns) / 1e9


def test_a_film_plays_every_frame_by_its_own_time(film):
    settings = InputParams(source=str(film))
    clip = ClipSource(film, settings)
    got = play(clip, settings, 26)
    assert numbers(got) == list(range(26))
    assert seconds(got) == pytest.approx(1.0, abs=0.25)
    assert (clip.facts.width, clip.facts.height, clip.facts.rate_fps) == (96, 64, RATE)
    assert clip.facts.length_s == pytest.approx(2.0, abs=0.05)
    clip.close()


def test_speed_acts_while_it_plays(film):
    settings = InputParams(source=str(film), speed=4.0)
    clip = ClipSource(film, settings)
    fast = play(clip, settings, 25)
    slow = play(clip, replace(settings, speed=0.5), 6)
    assert numbers(fast + slow) == list(range(31))
    assert seconds(fast) == pytest.approx(24 / 100, abs=0.15)
    assert seconds(slow) == pytest.approx(5 / 12.5, abs=0.15)
    clip.close()


def test_in_and_out_points_are_exact_and_loop_without_a_gap(film):
    settings = InputParams(source=str(film), in_s=0.6, out_s=0.8, speed=2.0)
    clip = ClipSource(film, settings)
    got = play(clip, settings, 25)
    assert numbers(got) == [15, 16, 17, 18, 19] * 5
    assert seconds(got) == pytest.approx(24 / 50, abs=0.2)
    got = play(clip, replace(settings, in_s=1.2, out_s=0.0), 25)
    played = numbers(got)
    assert played[played.index(30) :][:20] == list(range(30, 50))  # behind the new in point at once
    assert played[played.index(49) + 1] == 30
    clip.close()


def test_the_whole_film_loops(film):
    settings = InputParams(source=str(film), speed=4.0)
    clip = ClipSource(film, settings)
    assert numbers(play(clip, settings, 120)) == [k % 50 for k in range(120)]
    clip.close()


def test_without_a_loop_the_last_picture_stays_and_a_loop_goes_on(film):
    settings = InputParams(source=str(film), in_s=1.6, speed=4.0, loop=False)
    clip = ClipSource(film, settings)
    assert numbers(play(clip, settings, 99, at_most_s=1.0)) == list(range(40, 50))
    assert clip.is_held
    assert numbers(play(clip, replace(settings, loop=True), 3)) == [40, 41, 42]
    assert not clip.is_held
    clip.close()


def test_a_pause_holds_and_goes_on_where_it_was(film):
    settings = InputParams(source=str(film), speed=2.0)
    clip = ClipSource(film, settings)
    assert numbers(play(clip, settings, 5)) == [0, 1, 2, 3, 4]
    assert play(clip, replace(settings, play=False), 1, at_most_s=0.4) == []
    assert clip.is_held
    assert numbers(play(clip, settings, 5)) == [5, 6, 7, 8, 9]
    clip.close()


def test_an_in_point_behind_the_end_is_the_last_moment(film):
    settings = InputParams(source=str(film), in_s=900.0)
    clip = ClipSource(film, settings)
    assert set(numbers(play(clip, settings, 4))) == {48, 49}
    clip.close()


def test_a_film_without_times_plays_evenly_and_loops(tmp_path):
    raw = write_film(tmp_path / "raw.h264", 20)
    settings = InputParams(source=str(raw), speed=4.0, in_s=0.2)
    clip = ClipSource(raw, settings)
    assert numbers(play(clip, settings, 20)) == [*range(5, 20), *range(5, 10)]
    clip.close()


def test_a_recording_whose_size_and_rate_change_and_whose_times_jump_plays_on(tmp_path):
    parts = [("a", (96, 64), 25), ("b", (64, 96), 50), ("c", (96, 64), 25)]
    films = [write_film(tmp_path / f"{name}.ts", 12, size=size, rate=rate) for name, size, rate in parts]
    path = tmp_path / "card.ts"
    path.write_bytes(b"".join(film.read_bytes() for film in films))
    settings = InputParams(source=str(path), speed=2.0)
    clip = ClipSource(path, settings)
    got = play(clip, settings, 36, at_most_s=6.0)
    clip.close()
    sizes = [(picture.frame.width, picture.frame.height) for picture in got]
    assert sizes == [(96, 64)] * 12 + [(64, 96)] * 12 + [(96, 64)] * 12
    assert numbers(got) == [*range(12)] * 3
    assert seconds(got) < 1.5


def test_films_of_other_pixels_and_of_phones_held_upright_are_seen_as_they_were_meant(tmp_path):
    path = tmp_path / "phone.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25, options={"qp": "0"})
        stream.width, stream.height, stream.pix_fmt = 90, 60, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)
        stream.set_display_rotation(90)
        rgb = np.full((60, 90, 3), 60, np.uint8)
        rgb[:, 60:] = 200  # the right third: on top once it is turned counterclockwise
        for k in range(3):
            frame = av.VideoFrame.from_ndarray(rgb, "rgb24")
            frame.pts, frame.time_base = k, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    settings = InputParams(source=str(path))
    clip = ClipSource(path, settings)
    (picture,) = play(clip, settings, 1)
    seen = RgbConverter().to_rgb(picture.frame, pixel_aspect=picture.pixel_aspect)
    clip.close()
    assert picture.pixel_aspect == pytest.approx(4 / 3)
    assert seen.shape == (120, 60, 3)
    assert abs(float(seen[:36].mean()) - 200) < 4 and abs(float(seen[44:].mean()) - 60) < 4


def test_a_film_that_vanishes_or_is_written_anew_is_told_at_its_next_turn(tmp_path):
    path = write_film(tmp_path / "brief.mp4", 5)
    settings = InputParams(source=str(path))
    clip = ClipSource(path, settings)
    play(clip, settings, 3)
    path.unlink()
    with pytest.raises(SourceError, match="brief.mp4.*no such file"):
        play(clip, settings, 99)
    clip.close()


def test_a_corrupt_film_loses_pictures_but_plays_on(tmp_path, film):
    damaged = bytearray(film.read_bytes())
    for place in range(len(damaged) // 3, len(damaged) // 2, 97):
        damaged[place] ^= 0xFF
    path = tmp_path / "damaged.mp4"
    path.write_bytes(damaged)
    settings = InputParams(source=str(path), speed=4.0)
    clip = ClipSource(path, settings)
    got = numbers(play(clip, settings, 60))
    assert len(got) == 60
    assert set(got) >= set(range(40, 50))  # what lies after the damage
    clip.close()


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("no_such_film.mp4", "no_such_film.mp4.*no such file"),
        ("Cam Link 4K", "no device whose name holds 'Cam Link 4K'"),
        ("/dev/video87", "/dev/video87 cannot be opened: no such file"),
        ("lavfi:no_such_filter=1", "lavfi:no_such_filter=1 cannot be opened"),
        ("http://127.0.0.1:9/film", "http://127.0.0.1:9/film cannot be opened: connection refused"),
        ("screen:left", "screen:left cannot be read"),
        ("spout:Resolume", "Spout is there on Windows only"),
        ("syphon:VDMX", "Syphon is there on macOS only"),
    ],
)
def test_what_cannot_be_opened_is_one_sentence(source, said):
    with pytest.raises(SourceError, match=f"(?i){said}") as raised:
        open_source(InputParams(source=source))
    assert "\n" not in str(raised.value)


def test_what_is_no_film_is_one_sentence(tmp_path):
    (tmp_path / "noise.mp4").write_bytes(np.random.default_rng(0).bytes(20_000))
    with pytest.raises(SourceError, match="noise.mp4 cannot be opened: invalid data"):
        open_source(InputParams(source=str(tmp_path / "noise.mp4")))
    with pytest.raises(SourceError, match="is a folder"):
        open_source(InputParams(source=str(tmp_path)))


def test_an_extra_that_is_missing_names_its_install_line(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "cyndilib.finder", None)
    with pytest.raises(SourceError, match=r"NDI needs cyndilib.*pip install 'vj\[ndi\]'"):
        open_source(InputParams(source="ndi:STUDIO"))


def test_a_bad_format_is_told_before_a_device_is_looked_for():
    with pytest.raises(SourceError, match="format '60 fps'"):
        open_source(InputParams(source="Cam Link", format="60 fps"))


def test_a_test_graph_runs_at_its_own_rate():
    settings = InputParams(source="lavfi:testsrc2=size=128x72:rate=50")
    source = open_source(settings)
    got = play(source, settings, 26)
    assert seconds(got) == pytest.approx(0.5, abs=0.2)
    assert (source.facts.width, source.facts.height, source.facts.rate_fps) == (128, 72, 50.0)
    with pytest.raises(SourceError, match="has ended"):
        brief = open_source(InputParams(source="lavfi:testsrc2=size=64x64:rate=50:duration=0.1"))
        play(brief, settings, 99)
    source.close()


def send_stream(port: int, is_stopping: threading.Event) -> None:
    """Send grey pictures of level 120 over the network until told to stop."""
    with av.open(f"udp://127.0.0.1:{port}?pkt_size=1316", "w", format="mpegts") as out:
        stream = out.add_stream("mpeg2video", rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 96, 64, "yuv420p", 5
        for k in range(500):
            frame = av.VideoFrame.from_ndarray(np.full((64, 96, 3), 120, np.uint8), "rgb24")
            frame.pts, frame.time_base = k, Fraction(1, 25)
            out.mux(stream.encode(frame))
            if is_stopping.wait(0.04):
                return


def test_a_stream_from_the_network_is_read_until_it_falls_silent(monkeypatch):
    monkeypatch.setattr(container, "READ_S", 0.5)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    is_stopping = threading.Event()
    sender = threading.Thread(target=send_stream, args=(port, is_stopping), daemon=True)
    sender.start()
    settings = InputParams(source=f"udp://127.0.0.1:{port}")
    source = open_source(settings)
    got = play(source, settings, 5)
    is_stopping.set()
    sender.join()
    assert abs(RgbConverter().to_rgb(got[-1].frame).mean() - 120) < 3
    with pytest.raises(SourceError, match="nothing came for 0.5 s|has ended"):
        play(source, settings, 999)
    source.close()


def test_a_part_of_the_screen_is_seen(display):
    settings = InputParams(source=f"screen:{display.name} 64x48+10+10", format="@25")
    source = open_source(settings)
    (picture,) = play(source, settings, 1)
    seen = display.grab()[10:58, 10:74]
    assert np.abs(RgbConverter().to_rgb(picture.frame).astype(int) - seen).max() <= 2
    source.close()


def test_a_still_is_given_once_and_again_when_it_is_written_anew(tmp_path):
    import cv2

    path = tmp_path / "mask.png"
    cv2.imwrite(str(path), np.full((40, 60, 3), 30, np.uint8))
    settings = InputParams(source=str(path))
    still = open_source(settings)
    first = play(still, settings, 2, at_most_s=0.5)
    assert [RgbConverter().to_rgb(picture.frame).mean() for picture in first] == [30.0]
    cv2.imwrite(str(path), np.full((40, 60, 3), 220, np.uint8))
    assert RgbConverter().to_rgb(play(still, settings, 1)[0].frame).mean() == 220.0


def interlaced_frames(count: int) -> list[av.VideoFrame]:
    """Frames of two fields a moment apart: a bar that is farther right in the second one."""
    frames = []
    for k in range(count):
        grey = np.full((64, 96), 40, np.uint8)
        grey[0::2, 4 + 6 * k : 24 + 6 * k] = 220
        grey[1::2, 7 + 6 * k : 27 + 6 * k] = 220
        frames.append(av.VideoFrame.from_ndarray(grey, "gray").reformat(format="yuv420p"))
    return frames


def combing(frame: av.VideoFrame) -> float:
    """How much neighbouring lines differ."""
    lines = frame.reformat(format="gray").to_ndarray().astype(float)
    return float(np.abs(lines[:-1] - lines[1:]).mean())


def test_interlaced_frames_become_whole_and_keep_their_moments():
    frames = interlaced_frames(8)
    before = combing(frames[4])
    deinterlacer = Deinterlacer()
    done = [one for k, frame in enumerate(frames) for one in deinterlacer.process(frame, 1000 + k, "on")]
    assert [moment for _, moment in done] == list(range(1000, 1000 + len(done)))
    assert len(done) >= 6
    assert combing(done[4][0]) < before / 3


def test_auto_leaves_whole_frames_alone_and_a_change_of_size_is_fine():
    frame = interlaced_frames(1)[0]
    assert Deinterlacer().process(frame, 5, "auto") == [(frame, 5)]
    deinterlacer = Deinterlacer()
    for size in ((96, 64), (64, 96), (96, 64)):
        given = [deinterlacer.process(frame.reformat(*size), k, "on") for k in range(3)]
        assert [(one.width, one.height) for one, _ in given[-1]] == [size]


def test_an_interlaced_file_is_known_by_its_own_words(tmp_path):
    path = tmp_path / "card.mkv"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg2video", rate=25, options={"flags": "+ildct+ilme", "b": "8M"})
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for frame in interlaced_frames(12):
            frame.pts = None
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    settings = InputParams(source=str(path))
    clip = ClipSource(path, settings)
    deinterlacer, seen = Deinterlacer(), []
    for picture in play(clip, settings, 10):
        assert picture.frame.interlaced_frame
        seen += deinterlacer.process(picture.frame, picture.arrived_ns, "auto")
    assert max(combing(frame) for frame, _ in seen) < combing(interlaced_frames(5)[4]) / 2
    clip.close()
