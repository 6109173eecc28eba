"""The renderer in a real GL context, drawing into a surface that is read back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtGui import QOffscreenSurface, QOpenGLContext

from engine.chunk import Chunk
from engine.frame_ring import FrameRing
from tests.vj.output import picture_reference
from vj.output.continuity import Layer, Scene
from vj.output.displays import output_format
from vj.output.frame_reader import FrameReader
from vj.output.params import OutputParams

SECOND_NS = 1_000_000_000
Draw = Callable[..., np.ndarray]


@pytest.fixture
def context(qt_application) -> Iterator[None]:
    context, surface = QOpenGLContext(), QOffscreenSurface()
    context.setFormat(output_format())
    assert context.create()
    surface.setFormat(context.format())
    surface.create()
    assert context.makeCurrent(surface)
    yield
    context.doneCurrent()


def stream(path: Path, frames: np.ndarray) -> None:
    """Write frames (T, H, W, 3) into a new ring as one stream."""
    count, height, width, _ = frames.shape
    ring = FrameRing.create(path, width=width, height=height, rate_fps=16.0, capacity=count, process_id=1)
    opaque = np.concatenate([frames, np.full((count, height, width, 1), 255, np.uint8)], axis=-1)
    ring.write(Chunk(opaque, 1, 0, 16.0, 1, 0, SECOND_NS))


@pytest.fixture
def draw(context: None, tmp_path: Path) -> Iterator[Draw]:
    """Draw at a time in seconds; return (H, W, 3) uint8, top row first."""
    from OpenGL import GL

    from vj.output.gl_objects import Surface
    from vj.output.renderer import Renderer

    renderer = Renderer(StreamAlone(FrameReader(tmp_path / "ring")))
    targets: dict[tuple[int, int], Surface] = {}

    def drawn(at_s: float, params: OutputParams | None = None, size: tuple[int, int] = (320, 180)) -> np.ndarray:
        target = targets.setdefault(size, Surface.create(*size, bits=8))
        renderer.draw(params or OutputParams(), int(at_s * SECOND_NS), size, target.framebuffer)
        GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, target.framebuffer)
        data = GL.glReadPixels(0, 0, *size, GL.GL_RGBA, GL.GL_UNSIGNED_BYTE)
        assert GL.glGetError() == GL.GL_NO_ERROR
        return np.frombuffer(data, np.uint8).reshape(size[1], size[0], 4)[::-1, :, :3].copy()

    drawn.renderer = renderer
    yield drawn
    renderer.release()
    for target in targets.values():
        target.delete()


def settle(draw: Draw, size: tuple[int, int] = (320, 180)) -> float:
    """Draw until the stream has faded in; return the time."""
    at_s = 1.0
    while at_s < 4.0:
        draw(at_s, size=size)
        at_s += 1 / 30
    return at_s


class StreamAlone:
    """Scenes of the stream as it is: here pictures are judged, black and still ones too."""

    def __init__(self, reader: FrameReader) -> None:
        self._reader = reader

    def scene_at(self, now_ns: int, params: OutputParams) -> Scene:
        picture = self._reader.picture_at(now_ns)
        return Scene((), "starting") if picture is None else Scene((Layer(picture, 1.0),), "live")


def grey(value: int, count: int = 9, shape: tuple[int, int] = (90, 160)) -> np.ndarray:
    return np.full((count, *shape, 3), value, np.uint8)


def test_something_moves_before_the_first_frame(draw: Draw):
    first, later = draw(1.0), draw(2.0)
    assert first.std() > 10
    assert np.abs(first.astype(int) - later).mean() > 2


def test_blackout_is_exactly_black_with_and_without_a_stream(draw: Draw, tmp_path: Path):
    black = OutputParams(blackout=True)
    assert not draw(1.0, black).any()
    stream(tmp_path / "ring", grey(255))
    at_s = settle(draw)
    assert not draw(at_s, black).any()
    assert draw(at_s + 0.02).min() == 255


def test_level_dims_and_zero_is_black(draw: Draw, tmp_path: Path):
    stream(tmp_path / "ring", grey(200))
    at_s = settle(draw)
    assert np.abs(draw(at_s, OutputParams(level=0.5)).astype(int) - 100).max() <= 1
    assert not draw(at_s, OutputParams(level=0.0)).any()


@pytest.mark.parametrize("value", [0, 1, 17, 128, 254, 255])
def test_an_even_picture_keeps_its_value_at_any_size(draw: Draw, tmp_path: Path, value: int):
    stream(tmp_path / "ring", grey(value))
    at_s = settle(draw)
    for size in ((320, 180), (1280, 720), (80, 45)):
        drawn = draw(at_s, size=size)
        assert np.abs(drawn.astype(int) - value).max() <= 1
        assert abs(drawn.mean() - value) < 0.3


def test_the_top_row_comes_first_and_left_is_left(draw: Draw, tmp_path: Path):
    frames = grey(0)
    frames[:, :45, :, 0] = 255  # red on top
    frames[:, :, :80, 2] = 255  # blue on the left
    stream(tmp_path / "ring", frames)
    at_s = settle(draw)
    drawn = draw(at_s)
    assert (drawn[20, 40] == (255, 0, 255)).all()
    assert (drawn[20, 280] == (255, 0, 0)).all()
    assert (drawn[160, 40] == (0, 0, 255)).all()
    assert (drawn[160, 280] == (0, 0, 0)).all()


@pytest.mark.parametrize(("size", "bars"), [((320, 320), "rows"), ((640, 180), "columns")])
def test_another_shape_is_letterboxed_with_black_bars(draw: Draw, tmp_path: Path, size, bars: str):
    stream(tmp_path / "ring", grey(255))
    at_s = settle(draw, size)
    drawn = draw(at_s, size=size)
    filled = drawn.any(axis=-1)
    share = filled.all(axis=1).mean() if bars == "rows" else filled.all(axis=0).mean()
    assert share == pytest.approx(0.5625 if bars == "rows" else 0.5, abs=0.01)
    assert filled[drawn.shape[0] // 2, drawn.shape[1] // 2]
    assert not filled[0, 0]


def test_between_two_frames_their_blend_is_shown(draw: Draw, tmp_path: Path):
    step = 6
    stream(tmp_path / "ring", np.concatenate([grey(step * k, 1) for k in range(42)]))
    for k in range(35):
        draw(1.0 + k / 30)  # until the fade from the first picture is over
    means = np.array([draw(2.2 + k / 60).mean() for k in range(12)])
    assert np.diff(means) == pytest.approx(step * 16 / 60, abs=0.6)
    assert ((means % step > 1) & (means % step < step - 1)).any()  # not only whole frames


def test_the_stream_fades_in_over_the_first_picture(draw: Draw, tmp_path: Path):
    draw(1.0)
    stream(tmp_path / "ring", grey(255))
    means = [draw(1.3 + k / 20).mean() for k in range(30)]
    assert means[-1] == 255.0
    assert np.diff(means).min() > -6
    assert max(np.diff(means)) < 60


def test_scaling_up_is_smooth_and_does_not_ring_much(draw: Draw, tmp_path: Path):
    frames = grey(40)
    frames[:, :, 80:] = 200
    stream(tmp_path / "ring", frames)
    at_s = settle(draw, (1280, 720))
    row = draw(at_s, size=(1280, 720))[360, :, 0].astype(int)
    assert row.min() >= 40 - 8
    assert row.max() <= 200 + 8
    edge = row[620:660]
    assert len(set(edge)) > 8  # a slope of many values: no blocks


def test_a_shader_the_driver_refuses_says_which(context: None, monkeypatch: pytest.MonkeyPatch):
    from vj.output import gl_objects

    monkeypatch.setattr(gl_objects, "DESKTOP_HEADER", "#version 330 core\nnonsense\n")
    with pytest.raises(gl_objects.ShaderError, match=r"triangle\.vert\.glsl"):
        gl_objects.Program("blend", is_es=False)


def test_the_shaders_compile_for_opengl_es_too(qt_application):
    from PyQt6.QtGui import QSurfaceFormat

    from vj.output.gl_objects import Program

    wanted = QSurfaceFormat()
    wanted.setRenderableType(QSurfaceFormat.RenderableType.OpenGLES)
    wanted.setVersion(3, 0)
    context, surface = QOpenGLContext(), QOffscreenSurface()
    context.setFormat(wanted)
    if not context.create() or not context.isOpenGLES():
        pytest.skip("this driver has no OpenGL ES")
    surface.setFormat(context.format())
    surface.create()
    assert context.makeCurrent(surface)
    for name, axis in (("blend", None), ("stretch", 0), ("stretch", 1), ("idle", None)):
        Program(name, is_es=True, axis=axis).delete()
    context.doneCurrent()


def noise_picture() -> np.ndarray:
    """Soft shapes and hard edges in strong colours, (90, 160, 3)."""
    random = np.random.default_rng(7)
    blocks = np.kron(random.integers(0, 256, (9, 16, 3)), np.ones((10, 10, 1)))
    return np.clip(blocks + random.normal(0, 12, (90, 160, 3)), 0, 255).astype(np.uint8)


EFFECTS = {
    "hue": OutputParams(hue=75.0),
    "hue back": OutputParams(hue=-160.0),
    "grey": OutputParams(saturation=0.0),
    "vivid": OutputParams(saturation=2.0),
    "flat": OutputParams(contrast=0.3),
    "hard": OutputParams(contrast=2.0),
    "zoom": OutputParams(zoom=1.37),
    "all": OutputParams(hue=40.0, saturation=1.4, contrast=1.2, zoom=2.5, level=0.8),
    "none": OutputParams(),
}


def test_effects_are_what_plain_arithmetic_says(draw: Draw, tmp_path: Path):
    picture = noise_picture()
    stream(tmp_path / "ring", np.repeat(picture[None], 9, axis=0))
    at_s = settle(draw)
    for name, params in EFFECTS.items():
        for size in ((320, 180), (160, 90)):
            off = np.abs(draw(at_s, params, size=size) - picture_reference.drawn(picture, params, size))
            # half a step of rounding, half a step of grain, and what ten bits before a gain of two leave
            assert off.max() <= 2.0, name
            assert off.mean() < 0.5, name


def test_effects_at_rest_leave_every_byte_as_it_was(draw: Draw, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from vj.output import gl_objects
    from vj.output.stretching import Stretcher

    picture = noise_picture()
    stream(tmp_path / "ring", np.repeat(picture[None], 9, axis=0))
    at_s = settle(draw)
    sizes = ((320, 180), (300, 300), (701, 180))
    at_rest = [draw(at_s, size=size) for size in sizes]
    compile_source = gl_objects.GL.glShaderSource

    def compile_without_effects(shader: int, text: str) -> None:
        plain = text.replace("colour_matrix * sum + colour_offset", "sum").replace(") * unzoomed;", ");")
        assert ("sum = " in text) == (plain != text)
        compile_source(shader, plain)

    monkeypatch.setattr(gl_objects.GL, "glShaderSource", compile_without_effects)
    monkeypatch.setattr(draw.renderer, "_stretcher", Stretcher(is_es=False))
    for size, before in zip(sizes, at_rest, strict=True):
        assert (draw(at_s, size=size) == before).all()


def test_a_turned_hue_keeps_grey_grey(draw: Draw, tmp_path: Path):
    ramp = grey(0)
    ramp[...] = np.linspace(0, 255, 160)[:, None]
    stream(tmp_path / "ring", ramp)
    at_s = settle(draw)
    before = draw(at_s).astype(int)
    for hue in (-180.0, -63.0, 45.0, 120.0):
        turned = draw(at_s, OutputParams(hue=hue)).astype(int)
        assert np.abs(turned - before).max() <= 1
        assert np.ptp(turned, axis=-1).max() <= 1


def test_a_third_of_the_wheel_swaps_the_primaries(draw: Draw, tmp_path: Path):
    red = grey(0)
    red[..., 0] = 200
    stream(tmp_path / "ring", red)
    at_s = settle(draw)
    assert np.abs(draw(at_s, OutputParams(hue=120.0)).astype(int) - (0, 200, 0)).max() <= 1
    assert np.abs(draw(at_s, OutputParams(hue=-120.0)).astype(int) - (0, 0, 200)).max() <= 1


def test_zoom_keeps_the_centre_and_fills_the_bars(draw: Draw, tmp_path: Path):
    picture = grey(40)
    picture[:, 44:46, 79:81] = 255
    stream(tmp_path / "ring", picture)
    size = (320, 320)
    at_s = settle(draw, size)
    once, twice = draw(at_s, size=size), draw(at_s, OutputParams(zoom=2.0), size=size)
    assert not once[0].any()
    assert twice[0].all(), "the enlarged picture covers the bars"
    for drawn, width in ((once, 4), (twice, 8)):
        bright = np.argwhere(drawn[..., 0] > 147)
        assert bright.mean(axis=0) == pytest.approx([159.5, 159.5], abs=0.3)
        assert np.ptp(bright[:, 0]) + 1 == pytest.approx(width, abs=2)


def test_blackout_and_level_zero_stay_black_under_any_effect(draw: Draw, tmp_path: Path):
    stream(tmp_path / "ring", grey(90))
    at_s = settle(draw)
    assert not draw(at_s, OutputParams(contrast=0.0, zoom=3.0, blackout=True)).any()
    assert not draw(at_s, OutputParams(contrast=0.0, hue=90.0, level=0.0)).any()
    assert np.abs(draw(at_s, OutputParams(contrast=0.0)).astype(int) - 127).max() <= 1
