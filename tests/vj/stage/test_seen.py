"""The small copy of what is drawn beside the stream, from the stage to the panels."""

from __future__ import annotations

import numpy as np
import pytest

from engine.frame_ring import Frame
from vj.output.continuity import Layer
from vj.output.frame_reader import Picture
from vj.stage.block import LONGEST_MESSAGE_BYTES, StageBlock
from vj.stage.seen import decode_seen, encode_seen


def layer(width: int, height: int, value: int, share: float = 1.0) -> Layer:
    frame = Frame(np.full((height, width, 4), value, np.uint8), 1, 0, 16.0, 1, 0, 0)
    return Layer(Picture(frame, frame, 0.0), share)


@pytest.mark.parametrize("size", [(256, 144), (832, 480), (144, 256), (3840, 2160), (1, 1)])
def test_a_picture_of_any_size_fits_and_keeps_its_shape(tmp_path, size):
    message = encode_seen((layer(*size, 77),))
    assert len(message) <= LONGEST_MESSAGE_BYTES
    block = StageBlock.create(tmp_path / "block")
    block.seen.write(message)
    frame = decode_seen(StageBlock.attach(tmp_path / "block").seen.read())
    height, width, _ = frame.pixels.shape
    assert width / height == pytest.approx(size[0] / size[1], rel=0.03)
    assert (frame.pixels == 77).all()


def test_a_crossfade_is_seen_as_one_and_another_size_as_the_stronger():
    mixed = decode_seen(encode_seen((layer(64, 36, 0, 0.25), layer(64, 36, 200, 0.75))))
    assert np.abs(mixed.pixels.astype(int) - 150).max() <= 1
    other = decode_seen(encode_seen((layer(64, 36, 0, 0.25), layer(32, 18, 200, 0.75))))
    assert (other.pixels == 200).all()


def test_nothing_and_garbage_are_no_picture():
    assert decode_seen(encode_seen(())) is None
    assert decode_seen(b"\x10\x00\x10\x00abc") is None
    assert decode_seen(b"") is None
