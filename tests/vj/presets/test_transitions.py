"""Values travel where they are wanted, texts fade side by side, and a hand takes over what it touches."""

from __future__ import annotations

import threading

import pytest

from engine.parameter import Parameter
from vj.commands import CommandQueue
from vj.controls import Controls
from vj.parameters import PARAMETERS, ParameterStore, UnknownAddressError
from vj.presets.prompt_mixing import PADS, solo_address, text_address, weight_address
from vj.presets.transitions import Transitions

BPM = 120.0
HUE, ZOOM, MORPH, STEPS = "/vj/effect/hue", "/vj/effect/zoom", "/vj/seed/morph", "/vj/model/steps"


class Stage:
    """Transitions on a clock of their own: `at(s)` plays on to a moment."""

    def __init__(self) -> None:
        self.now_ns = 5_000_000_000
        self.controls = Controls(ParameterStore(), CommandQueue())
        self.store = self.controls.store
        self.transitions = Transitions(self.controls, lambda at_ns: at_ns * BPM / 60e9, lambda: self.now_ns)
        self._began_ns = self.now_ns

    def at(self, seconds: float) -> None:
        self.now_ns = self._began_ns + round(seconds * 1e9)
        self.transitions.tick(self.now_ns)

    def heard(self) -> dict[str, float]:
        """Text -> share of the picture."""
        values = self.store.snapshot()
        weights = {pad: values[weight_address(pad)] for pad in PADS}
        soloed = [pad for pad in PADS if values[solo_address(pad)]]
        shares: dict[str, float] = {}
        for pad in soloed or PADS:
            if weights[pad]:
                text = values[text_address(pad)]
                shares[text] = shares.get(text, 0.0) + weights[pad]
        total = sum(shares.values())
        return {text: pytest.approx(share / total, abs=1e-6) for text, share in shares.items()}


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_floats_travel_along_their_curve_and_arrive_exactly(stage: Stage) -> None:
    stage.transitions.glide({HUE: 120.0, "/vj/transition/time": 64.0}, "look a", 2.0, "linear")
    assert stage.store.get(HUE) == 0.0
    stage.at(1.0)
    assert stage.store.get(HUE) == pytest.approx(60.0)
    assert stage.store.get("/vj/transition/time") == pytest.approx(16.0)  # half of the fader's travel, squared
    stage.at(2.0)
    assert stage.store.get(HUE) == 120.0
    assert stage.transitions.progress == {}
    assert stage.store.moved_by(HUE).source == "transition look a"


@pytest.mark.parametrize(
    ("easing", "quarter"), [("linear", 0.25), ("smooth", 0.15625), ("in", 0.0625), ("out", 0.4375)]
)
def test_easings(stage: Stage, easing: str, quarter: float) -> None:
    stage.transitions.glide({MORPH: 1.0}, "look a", 4.0, easing)
    stage.at(1.0)
    assert stage.store.get(MORPH) == pytest.approx(quarter)
    assert stage.transitions.progress == {"transition look a": 0.25}


def test_what_has_no_way_in_between_switches_at_the_start(stage: Stage) -> None:
    targets = {"/vj/sink/mode": "static", "/vj/input/on": True, "/vj/seed/value": 900, STEPS: 1}
    stage.transitions.glide(targets, "look a", 1.0, "linear")
    values = stage.store.snapshot()
    assert (values["/vj/sink/mode"], values["/vj/input/on"], values["/vj/seed/value"]) == ("static", True, 900)
    assert values[STEPS] == 4
    stage.at(0.5)
    assert stage.store.get(STEPS) in (2, 3)
    stage.at(1.0)
    assert stage.store.get(STEPS) == 1


def test_a_hand_takes_over_its_address_and_no_other(stage: Stage) -> None:
    stage.transitions.glide({HUE: 100.0, ZOOM: 3.0}, "look a", 1.0, "linear")
    stage.at(0.5)
    stage.controls.set(HUE, -20.0, "midi box")
    stage.at(0.75)
    assert stage.store.get(HUE) == -20.0
    assert stage.store.get(ZOOM) == pytest.approx(2.5)
    stage.at(2.0)
    assert stage.store.get(HUE) == -20.0
    assert stage.store.get(ZOOM) == 3.0
    assert stage.store.moved_by(HUE).source == "midi box"


def test_a_hand_that_does_not_change_the_value_takes_over_too(stage: Stage) -> None:
    stage.transitions.glide({HUE: 100.0}, "look a", 1.0, "linear")
    stage.at(0.5)
    stage.controls.set(HUE, stage.store.get(HUE), "panel")
    stage.at(1.0)
    assert stage.store.get(HUE) == pytest.approx(50.0)


def test_a_new_glide_starts_from_where_the_values_are(stage: Stage) -> None:
    stage.transitions.glide({HUE: 100.0, ZOOM: 3.0}, "look a", 1.0, "linear")
    stage.at(0.5)
    stage.transitions.glide({HUE: 0.0}, "look a", 1.0, "linear")  # the same look again: still another glide
    assert stage.store.get(HUE) == pytest.approx(50.0)
    stage.at(1.0)
    assert stage.store.get(HUE) == pytest.approx(25.0)
    assert stage.store.get(ZOOM) == 3.0
    stage.at(1.5)
    assert stage.store.get(HUE) == 0.0


def test_no_time_sets_at_once_and_ends_what_was_under_way(stage: Stage) -> None:
    stage.transitions.glide({HUE: 100.0}, "look a", 1.0)
    version = stage.store.version
    stage.transitions.glide({HUE: 30.0, ZOOM: 2.0}, "look b", 0.0)
    assert (stage.store.get(HUE), stage.store.get(ZOOM)) == (30.0, 2.0)
    assert stage.store.version == version + 1
    stage.at(0.5)
    assert stage.store.get(HUE) == 30.0


def test_nothing_moves_for_a_target_that_makes_no_sense(stage: Stage) -> None:
    with pytest.raises(UnknownAddressError):
        stage.transitions.glide({HUE: 50.0, "/vj/effect/glow": 1.0}, "look a", 1.0)
    with pytest.raises(ValueError, match="not a number"):
        stage.transitions.glide({HUE: "red"}, "look a", 1.0)
    with pytest.raises(ValueError, match="'bounce' is not one of linear, smooth, in, out"):
        stage.transitions.glide({HUE: 50.0}, "look a", 1.0, "bounce")
    assert stage.store.version == 0
    assert stage.transitions.progress == {}


def test_go_brings_one_pad_up_over_the_transition_time(stage: Stage) -> None:
    stage.controls.set_many({text_address(2): "b", text_address(3): "c", "/vj/transition/time": 2.0}, "panel")
    stage.controls.set("/vj/transition/easing", "linear", "panel")
    stage.controls.trigger("/vj/prompt/2/go", "midi box")
    stage.at(1.0)
    assert (stage.store.get(weight_address(1)), stage.store.get(weight_address(2))) == (0.5, 0.5)
    stage.controls.trigger("/vj/prompt/3/go", "midi box")
    stage.at(2.0)
    assert [stage.store.get(weight_address(pad)) for pad in (1, 2, 3)] == [0.25, 0.25, 0.5]
    stage.at(3.0)
    assert [stage.store.get(weight_address(pad)) for pad in PADS] == [0.0, 0.0, 1.0] + [0.0] * 13


def test_beats_follow_the_clock(stage: Stage) -> None:
    stage.controls.set_many({"/vj/transition/time": 4.0, "/vj/transition/unit": "beats"}, "panel")
    stage.controls.set("/vj/transition/easing", "linear", "panel")
    stage.transitions.call_up({HUE: 80.0}, "look a")
    stage.at(1.0)  # two beats at 120
    assert stage.store.get(HUE) == pytest.approx(40.0)
    stage.at(2.0)
    assert stage.store.get(HUE) == 80.0


def test_other_texts_fade_side_by_side_and_end_on_their_own_pads(stage: Stage) -> None:
    start = {text_address(1): "ink", text_address(2): "fog", weight_address(2): 1.0}
    stage.controls.set_many(start, "panel")
    for command in stage.controls.commands.take():
        stage.controls.commands.acknowledge(command.id)
    look = {text_address(1): "fire", weight_address(1): 0.5, weight_address(2): 0.0, HUE: 50.0}
    stage.transitions.glide(look, "look fire", 2.0, "linear")
    assert stage.heard() == {"ink": 0.5, "fog": 0.5}
    asked = {command.arguments["text"] for command in stage.controls.commands.pending()}
    assert asked == {"fire"}, "the new text is on its way to the engine from the start"
    stage.at(1.0)
    assert stage.heard() == {"ink": 0.25, "fog": 0.25, "fire": 0.5}
    stage.at(2.0)
    assert stage.heard() == {"fire": 1.0}
    values = stage.store.snapshot()
    assert (values[text_address(1)], values[weight_address(1)]) == ("fire", 0.5)
    assert (values[text_address(2)], values[weight_address(2)]) == ("fog", 0.0)
    assert values[text_address(3)] == "", "the pads are as the look wants them, nothing is left over"


def test_a_text_on_a_silent_pad_needs_no_crossfade(stage: Stage) -> None:
    stage.transitions.glide(
        {text_address(5): "snow", weight_address(5): 1.0, weight_address(1): 0.0}, "look snow", 1.0, "linear"
    )
    assert stage.store.get(text_address(5)) == "snow"
    stage.at(0.5)
    assert stage.store.get(weight_address(5)) == pytest.approx(0.5)
    assert stage.store.get(text_address(2)) == ""


def test_a_solo_fades_like_a_weight_when_texts_change(stage: Stage) -> None:
    stage.controls.set_many({text_address(1): "ink", text_address(2): "fog", weight_address(2): 0.3}, "panel")
    stage.controls.set(solo_address(2), True, "panel")
    look = {text_address(2): "snow", weight_address(2): 1.0, weight_address(1): 0.0, solo_address(2): False}
    stage.transitions.glide(look, "look snow", 1.0, "linear")
    assert stage.heard() == {"fog": 1.0}
    stage.at(0.5)
    assert stage.heard() == {"fog": 0.5, "snow": 0.5}
    stage.at(1.0)
    assert stage.heard() == {"snow": 1.0}
    assert stage.store.get(solo_address(2)) is False


def test_a_hand_on_one_pad_leaves_the_rest_of_a_crossfade(stage: Stage) -> None:
    stage.controls.set(text_address(1), "ink", "panel")
    stage.transitions.glide({text_address(1): "fire"}, "look fire", 1.0, "linear")
    stage.at(0.25)
    stage.controls.set(weight_address(9), 0.5, "midi box")
    stage.at(1.0)
    assert stage.store.get(weight_address(9)) == 0.5
    assert stage.store.get(text_address(1)) == "fire"
    assert stage.store.get(weight_address(1)) == 1.0
    assert stage.store.get(weight_address(2)) == 0.0


def test_go_during_a_crossfade_plays_the_pads_as_they_lie(stage: Stage) -> None:
    stage.controls.set_many({text_address(1): "ink", "/vj/transition/time": 1.0}, "panel")
    stage.transitions.glide({text_address(1): "fire"}, "look fire", 1.0, "linear")
    stage.at(0.5)
    pad = next(pad for pad in PADS if stage.store.get(text_address(pad)) == "fire")
    stage.controls.trigger(f"/vj/prompt/{pad}/go", "midi box")
    stage.at(1.0)
    stage.at(1.6)
    assert stage.store.get(text_address(pad)) == "fire"
    assert stage.heard() == {"fire": 1.0}


def test_stop_leaves_everything_where_it_is(stage: Stage) -> None:
    stage.transitions.glide({HUE: 100.0}, "look a", 1.0, "linear")
    stage.at(0.5)
    stage.transitions.stop()
    stage.at(1.0)
    assert stage.store.get(HUE) == pytest.approx(50.0)


def test_every_value_arrives_at_once_or_over_time(stage: Stage) -> None:
    """Each kind of parameter, from its default to somewhere else."""
    targets = {address: _elsewhere(parameter) for address, parameter in PARAMETERS.items()}
    stage.transitions.glide(targets, "look all", 0.5)
    stage.at(0.3)
    stage.at(0.6)
    assert stage.store.snapshot() == stage.store.coerced(targets)


def _elsewhere(parameter: Parameter) -> object:
    if parameter.kind in ("float", "int"):
        return parameter.minimum + (parameter.maximum - parameter.minimum) / 3
    return parameter.choices[-1] if parameter.choices else {"switch": True, "text": "elsewhere"}[parameter.kind]


def test_a_hand_always_wins_over_a_running_glide(stage: Stage) -> None:
    """Whatever the moment a hand comes, its value stays."""
    is_over = threading.Event()

    def play() -> None:
        while not is_over.is_set():
            stage.transitions.tick(stage.now_ns)
            stage.now_ns += 1_000_000

    player = threading.Thread(target=play)
    player.start()
    for k in range(200):
        stage.transitions.glide({HUE: 100.0 if k % 2 else -100.0}, "look a", 60.0)
        stage.controls.set(HUE, float(k - 100), "midi box")
        for _ in range(20):
            assert stage.store.get(HUE) == float(k - 100)
    is_over.set()
    player.join()
