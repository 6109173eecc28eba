"""What the texts of source and format mean, and the options drivers are opened with."""

from __future__ import annotations

import pytest

from vj.inputs.listing import read_formats
from vj.inputs.source_text import SourceText, read_source
from vj.inputs.sources.device import Device, device_opening, find_device
from vj.inputs.sources.screen import screen_opening
from vj.inputs.sources.source import SourceError
from vj.inputs.sources.stream import shown_address, stream_opening
from vj.inputs.wanted_format import WantedFormat, read_format


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("lavfi:testsrc2=size=64x64,hue=s=0", SourceText("lavfi", "testsrc2=size=64x64,hue=s=0")),
        ("rtsp://10.0.0.5:8554/cam", SourceText("stream", "rtsp://10.0.0.5:8554/cam")),
        ("ndi:STUDIO (Camera 1)", SourceText("ndi", "STUDIO (Camera 1)")),
        ("spout:Resolume", SourceText("spout", "Resolume")),
        ("syphon:VDMX", SourceText("syphon", "VDMX")),
        ("screen", SourceText("screen", "")),
        ("screen:640x360+10+20", SourceText("screen", "640x360+10+20")),
        ("/dev/video2", SourceText("device", "/dev/video2")),
        ("Cam Link 4K", SourceText("device", "Cam Link 4K")),
        ("USB3.0 HD Video", SourceText("device", "USB3.0 HD Video")),
        ("device:film.mp4", SourceText("device", "film.mp4")),
        ("films/loop.mov", SourceText("clip", "films/loop.mov")),
        ("loop.mov", SourceText("clip", "loop.mov")),
        ("file:loop", SourceText("clip", "loop")),
        ("masks/oval.PNG", SourceText("still", "masks/oval.PNG")),
    ],
)
def test_a_text_says_its_kind(text, meant):
    assert read_source(text) == meant


def test_a_file_that_is_there_is_a_file_whatever_its_name(tmp_path, monkeypatch):
    (tmp_path / "tape").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    assert read_source("tape") == SourceText("clip", "tape")


def test_a_format_asks_for_codec_size_and_rate():
    assert read_format("") == WantedFormat()
    assert read_format("1920x1080@60") == WantedFormat("", (1920, 1080), 60.0)
    assert read_format("MJPEG 1280x720@29.97") == WantedFormat("mjpeg", (1280, 720), 29.97)
    assert read_format("@50") == WantedFormat(rate_fps=50.0)
    assert read_format("yuyv422") == WantedFormat("yuyv422")


@pytest.mark.parametrize("text", ["1920x", "60 fps please", "0x0", "1920x1080@0", "99999x2"])
def test_a_bad_format_is_one_sentence(text):
    with pytest.raises(ValueError, match=text.replace("@", ".")):
        read_format(text)


def test_every_platform_gets_its_own_options():
    asked = read_format("mjpeg 1280x720@30")
    on_linux = device_opening(Device("/dev/video0", "Cam"), asked, "linux")
    assert (on_linux.where, on_linux.format) == ("/dev/video0", "v4l2")
    assert on_linux.options["input_format"] == "mjpeg"
    assert (on_linux.options["video_size"], on_linux.options["framerate"]) == ("1280x720", "30")
    on_windows = device_opening(Device("@device_pnp_x", "Cam"), asked, "win32")
    assert (on_windows.where, on_windows.options["vcodec"]) == ("video=@device_pnp_x", "mjpeg")
    on_mac = device_opening(Device("0", "Cam"), read_format("nv12"), "darwin")
    assert (on_mac.where, on_mac.options["pixel_format"], on_mac.options["framerate"]) == ("0:none", "nv12", "30")
    assert all(opening.options["fflags"] == "nobuffer" for opening in (on_linux, on_windows, on_mac))


def test_a_device_is_found_by_part_of_its_name():
    devices = (Device("/dev/video0", "HD Pro Webcam C920"), Device("/dev/video2", "Cam Link 4K: Cam Link 4K"))
    assert find_device("cam link", devices).place == "/dev/video2"
    assert find_device("webcam", devices).place == "/dev/video0"
    assert find_device("/dev/video7", devices).place == "/dev/video7"
    with pytest.raises(SourceError, match="'DeckLink'.*'HD Pro Webcam C920'"):
        find_device("DeckLink", devices)


def test_what_drivers_print_about_formats_is_read():
    lines = [
        "[video4linux2,v4l2 @ 0x1] Raw       :     yuyv422 :           YUYV 4:2:2 : 640x480 1280x720",
        "[video4linux2,v4l2 @ 0x1] Compressed:       mjpeg :          Motion-JPEG : 1920x1080",
        "[dshow @ 0x1]   pixel_format=nv12  min s=640x480 fps=5 max s=1280x720 fps=30",
        "something else",
    ]
    assert read_formats(lines) == ("yuyv422 640x480", "yuyv422 1280x720", "mjpeg 1920x1080", "nv12 1280x720")


def test_a_part_of_the_screen_is_grabbed(monkeypatch):
    monkeypatch.setenv("DISPLAY", ":7")
    opening = screen_opening("640x360+10+20", WantedFormat(rate_fps=50.0), "linux")
    assert (opening.where, opening.format) == (":7", "x11grab")
    wanted = {"video_size": "640x360", "grab_x": "10", "grab_y": "20", "framerate": "50"}
    assert wanted.items() <= opening.options.items()
    assert screen_opening("", WantedFormat(), "win32").format == "gdigrab"
    with pytest.raises(SourceError, match="screen:left half"):
        screen_opening("left half", WantedFormat(), "linux")


def test_an_address_is_shown_without_its_password():
    assert shown_address("rtsp://me:secret@cam.local:554/1") == "rtsp://cam.local:554/1"
    assert stream_opening("rtsp://cam.local/1").options["rtsp_transport"] == "tcp"
