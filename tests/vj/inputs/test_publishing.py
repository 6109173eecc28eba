"""What is written for the engine and for layers, and what happens when there is no room for it."""

from __future__ import annotations

import time

import av
import numpy as np
import pytest

from engine.video_in.input_ring import InputRing
from vj.inputs.desk import layer_inputs
from vj.inputs.messages import InputState, InputWishes, decode_state, decode_wishes
from vj.inputs.params import InputParams
from vj.inputs.publishing import Publisher, layer_size, shown_share
from vj.inputs.sources.source import Picture
from vj.parameters import ParameterStore


class OnePicture:
    """A grabber that has one picture."""

    keeps = False

    def __init__(self, picture: Picture) -> None:
        self.picture: Picture | None = picture

    def take(self, timeout_s: float) -> Picture | None:
        picture, self.picture = self.picture, None
        if picture is None:
            time.sleep(0.005)
        return picture


def publish(folder, wishes: InputWishes, size: tuple[int, int]) -> Publisher:
    frame = av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), 90, np.uint8), "rgb24")
    publisher = Publisher(OnePicture(Picture(frame, time.monotonic_ns())), folder, 2)
    publisher.wish(wishes)
    publisher.start()
    return publisher


def wait_for(condition) -> None:
    until_s = time.monotonic() + 8.0
    while not condition():
        assert time.monotonic() < until_s
        time.sleep(0.01)


def test_sizes_of_layers():
    assert layer_size(640, 360) == (640, 360)
    assert layer_size(1920, 1080) == (1280, 720)
    assert layer_size(1080, 1920) == (405, 720)
    assert shown_share(InputParams(crop_left=0.25, crop_right=0.25)) == (0.5, 1.0)
    assert shown_share(InputParams(crop_left=0.9, crop_right=0.9))[0] == pytest.approx(1 / 16)


def test_both_rings_are_made_with_a_picture_in_them(tmp_path):
    wishes = InputWishes({"source": "x"}, (64, 48))
    publisher = publish(tmp_path, wishes, (2560, 1440))
    wait_for((tmp_path / "input2.layer").exists)
    engine, layer = (InputRing.attach(tmp_path / f"input2.{use}") for use in ("engine", "layer"))
    publisher.stop()
    assert (engine.width, engine.height, engine.capacity) == (64, 48, 64)
    assert (layer.width, layer.height, layer.capacity) == (1280, 720, 3)
    assert engine.newest().pixels[0, 0].tolist() == [90, 90, 90, 255]
    assert engine.newest().arrived_ns == layer.newest().arrived_ns
    assert engine.is_current and publisher.problem == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["input2.engine", "input2.layer"]


def test_before_the_stream_has_a_size_there_is_only_the_layer(tmp_path):
    publisher = publish(tmp_path, InputWishes({"source": "x"}), (64, 48))
    wait_for((tmp_path / "input2.layer").exists)
    publisher.stop()
    assert not (tmp_path / "input2.engine").exists()


def test_what_no_layer_shows_is_written_for_thumbnails_only(tmp_path):
    many = OnePicture(Picture(av.VideoFrame.from_ndarray(np.full((48, 64, 3), 90, np.uint8), "rgb24"), 1))
    many.take = lambda timeout_s: time.sleep(0.005) or Picture(many.picture.frame, time.monotonic_ns())
    publisher = Publisher(many, tmp_path, 2)
    publisher.wish(InputWishes({"source": "x"}, (64, 48), is_layer=False))
    publisher.start()
    wait_for((tmp_path / "input2.layer").exists)
    engine, layer = (InputRing.attach(tmp_path / f"input2.{use}") for use in ("engine", "layer"))
    wait_for(lambda: layer.written >= 4)
    assert engine.written > 3 * layer.written
    before = engine.written - layer.written
    publisher.wish(InputWishes({"source": "x"}, (64, 48)))
    wait_for(lambda: layer.written >= 30)
    publisher.stop()
    assert engine.written - layer.written <= before + 20


def test_layers_say_which_inputs_they_show():
    values = dict(ParameterStore().snapshot())
    assert layer_inputs(values) == {0}
    values["/vj/layer/2/input"] = 3
    assert layer_inputs(values) == {0, 3}
    values |= {"/vj/mod/5/target": "/vj/layer/1/input", "/vj/mod/5/on": True}
    assert layer_inputs(values) == {1, 2, 3, 4}


def test_no_room_is_one_sentence(tmp_path):
    publisher = publish(tmp_path / "gone", InputWishes({"source": "x"}, (64, 48)), (64, 48))
    wait_for(lambda: bool(publisher.problem))
    publisher.stop()
    assert publisher.problem.startswith("no room for pictures in ") and "no such file" in publisher.problem


def test_words_between_panels_and_capture_are_checked():
    wishes = decode_wishes(b'{"type": "wishes", "settings": {"source": "a", "speed": 2.0}, "stream_size": [64, 32]}')
    assert (wishes.params.speed, wishes.stream_size, wishes.opening) == (2.0, (64, 32), 0)
    assert decode_state(b'{"type": "state", "state": "live", "width": 4}') == InputState(state="live", width=4)
    for line in (b"noise", b'{"type": "state"}', b'{"type": "wishes", "settings": {"nope": 1}}', b"[]"):
        with pytest.raises(ValueError, match="not "):
            decode_wishes(line)
