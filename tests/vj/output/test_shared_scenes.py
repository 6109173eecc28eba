"""One play for several outputs: who moves it on, and what the others are given."""

from __future__ import annotations

import pytest

from vj.output.continuity import Scene
from vj.output.params import OutputParams
from vj.output.placing_params import address_on, placing_parameters
from vj.output.shared_scenes import SILENT_NS, SceneView, SharedScenes

MS = 1_000_000
BEGIN_NS = 1_000_000_000
PLAIN = OutputParams()


class Play:
    """A source that notes when it was read."""

    def __init__(self) -> None:
        self.read: dict[int, Scene] = {}
        self.lags: list[int] = []

    def scene_at(self, now_ns: int, params: OutputParams) -> Scene:
        self.read[now_ns] = Scene((), "live")
        return self.read[now_ns]

    def note_lag(self, lag_ns: int) -> None:
        self.lags.append(lag_ns)


@pytest.fixture
def play() -> Play:
    return Play()


def draw(view: SceneView, at_ms: float, params: OutputParams = PLAIN) -> Scene:
    """Ask as a renderer does: for the moment that its delay has reached."""
    return view.scene_at(BEGIN_NS + round((at_ms - params.delay) * MS), params)


def test_the_first_output_reads_and_the_second_draws_the_same(play: Play):
    scenes = SharedScenes(play)
    first, second = scenes.view(), scenes.view()
    for at_ms in range(0, 170, 17):
        drawn = draw(first, at_ms)
        assert draw(second, at_ms + 5) is drawn
    assert len(play.read) == 10


def test_when_the_first_stands_still_the_second_reads_on(play: Play):
    scenes = SharedScenes(play)
    first, second = scenes.view(), scenes.view()
    draw(first, 0), draw(second, 1)
    late_ms = SILENT_NS / MS
    seen = [draw(second, late_ms + at_ms) for at_ms in (10, 27, 44)]
    assert list(play.read.values())[1:] == seen
    back = draw(first, late_ms + 60)  # and the first one leads again
    assert draw(second, late_ms + 61) is back


def test_a_closed_output_leads_no_more(play: Play):
    scenes = SharedScenes(play)
    first, second = scenes.view(), scenes.view()
    draw(first, 0), draw(second, 1)
    first.close()
    assert draw(second, 17) is play.read[BEGIN_NS + 17 * MS]


@pytest.mark.parametrize("delays", [(0.0, 100.0), (100.0, 0.0), (40.0, 140.0)])
def test_each_output_sees_the_play_at_its_own_delay(play: Play, delays: tuple[float, float]):
    scenes = SharedScenes(play)
    views = [scenes.view(), scenes.view()]
    params = [OutputParams(delay=delay) for delay in delays]
    for at_ms in range(0, 1000, 10):
        drawn = [draw(view, at_ms, one) for view, one in zip(views, params, strict=True)]
        if at_ms >= 300:
            wanted = [play.read[BEGIN_NS + round((at_ms - delay) * MS)] for delay in delays]
            assert [a is b for a, b in zip(drawn, wanted, strict=True)] == [True, True]


def test_a_freeze_holds_a_late_output_at_once(play: Play):
    scenes = SharedScenes(play)
    first, second = scenes.view(), scenes.view()
    late = OutputParams(delay=100.0)
    for at_ms in range(0, 300, 10):
        draw(first, at_ms), draw(second, at_ms, late)
    held = {id(draw(second, at_ms, OutputParams(delay=100.0, freeze=True))) for at_ms in range(300, 400, 10)}
    assert len(held) == 1


def test_only_the_output_that_reads_says_how_late_its_light_is(play: Play):
    scenes = SharedScenes(play)
    first, second = scenes.view(), scenes.view()
    draw(first, 0), draw(second, 1)
    first.note_lag(3), second.note_lag(9)
    assert play.lags == [3]


def test_alone_nothing_is_remembered_but_the_newest(play: Play):
    scenes = SharedScenes(play)
    alone = scenes.view()
    for at_ms in range(0, 1000, 10):
        draw(alone, at_ms)
    assert len(scenes._read) == 1


def test_what_belongs_to_a_display_is_set_for_each_output():
    assert address_on("/vj/output/fit", 1) == "/vj/output/fit"
    assert address_on("/vj/output/fit", 3) == "/vj/output/3/fit"
    assert address_on("/vj/output/flash_test", 3) == "/vj/output/flash_test"  # of all at once
    values = {"/vj/output/2/pin/3/x": 0.1, "/vj/output/fit": "fill", "/vj/effect/hue": 20.0, "/vj/output/2/gamma": 2.0}
    first, second = (OutputParams.from_values(values, output) for output in (1, 2))
    assert (first.pin_x[2], first.fit, first.gamma, first.hue) == (0.0, "fill", 1.0, 20.0)
    assert (second.pin_x[2], second.fit, second.gamma, second.hue) == (0.1, "fit", 2.0, 20.0)
    assert {p.address for p in placing_parameters(2)} == {
        address_on(p.address, 2) for p in placing_parameters(1) if p.address != "/vj/output/flash_test"
    }
