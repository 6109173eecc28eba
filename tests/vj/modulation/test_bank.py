"""effective = clamp(base + sum of modulators): for every kind of parameter, at any moment, from any thread."""

from __future__ import annotations

import dataclasses
import threading

import pytest

from vj.fader_positions import position_of, value_at
from vj.modulation.bank import ModulationBank
from vj.modulation.params import MODULATION_PARAMETERS, NO_TARGET, TARGETS
from vj.output.params import OutputParams
from vj.parameters import PARAMETERS, ParameterStore
from vj.sound.features import SILENCE, SoundFeatures

MS = 1_000_000
BEAT_NS = 500 * MS  # 120 BPM
HUE, LEVEL, ZOOM = "/vj/effect/hue", "/vj/output/level", "/vj/effect/zoom"
WEIGHT = "/vj/prompt/2/weight"


class Rig:
    """A store with modulators, a clock at 120 BPM and a sound that can be set."""

    def __init__(self) -> None:
        self.store = ParameterStore()
        self.sound = SILENCE
        self.bank = ModulationBank(self.store.snapshot, lambda at_ns: at_ns / BEAT_NS, lambda: self.sound)

    def use(self, slot: int, target: str, **fields: object) -> None:
        values = {"on": True, "target": target, **fields}
        self.store.set_many({f"/vj/mod/{slot}/{name}": value for name, value in values.items()}, "test")

    def at(self, beat: float) -> dict:
        return self.bank.effective(self.store.snapshot(), round(beat * BEAT_NS))


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_nothing_modulates_and_the_very_same_mapping_comes_back(rig: Rig):
    values = rig.store.snapshot()
    assert rig.bank.effective(values, 0) is values
    rig.store.set("/vj/mod/1/on", True, "test")  # no target
    rig.use(2, HUE, on=False)
    rig.use(3, HUE, depth=0.0)
    values = rig.store.snapshot()
    assert rig.bank.effective(values, 12345) is values
    assert rig.bank.modulators(values) == ()


def test_a_wave_is_added_to_the_base_and_the_base_stays(rig: Rig):
    rig.store.set(HUE, -90.0, "hand")
    rig.use(1, HUE, shape="triangle", period="1 bar", depth=0.5)
    assert [rig.at(beat)[HUE] for beat in (0, 1, 2, 3, 4)] == pytest.approx([-90, 0, 90, 0, -90])
    assert rig.store.get(HUE) == -90.0
    assert rig.at(1) != rig.store.snapshot()


def test_a_moment_to_come_is_the_moment_when_it_has_come(rig: Rig):
    rig.use(1, HUE, shape="random", period="1/2 beat", depth=1.0, centred=True, seed=5)
    rig.use(2, ZOOM, shape="saw_down", period="2 bars", phase=0.25)
    early = [dict(rig.at(beat / 4)) for beat in range(40)]
    rig.bank.tick(3 * BEAT_NS)
    assert early == [dict(rig.at(beat / 4)) for beat in range(40)]
    assert len({values[HUE] for values in early}) == 20


@pytest.mark.parametrize(
    ("period", "beats"),
    [("1/2 beat", 0.5), ("1 beat", 1), ("2 beats", 2), ("1 bar", 4), ("2 bars", 8), ("4 bars", 16)],
)
def test_periods_are_whole_on_the_beat(rig: Rig, period: str, beats: float):
    rig.use(1, LEVEL, shape="square", period=period, depth=-1.0)
    for cycle in (0, 1, 7):
        assert rig.at((cycle + 0.01) * beats)[LEVEL] == 0.0
        assert rig.at((cycle + 0.49) * beats)[LEVEL] == 0.0
        assert rig.at((cycle + 0.51) * beats)[LEVEL] == 1.0
        assert rig.at((cycle + 0.99) * beats)[LEVEL] == 1.0


def test_modulators_of_one_target_add_up_and_the_sum_is_clamped(rig: Rig):
    rig.store.set(LEVEL, 0.5, "hand")
    rig.use(1, LEVEL, shape="square", depth=0.75)
    rig.use(2, LEVEL, shape="square", depth=-0.5)
    assert rig.at(0)[LEVEL] == pytest.approx(0.75)
    rig.use(2, LEVEL, shape="square", depth=0.5)
    assert rig.at(0)[LEVEL] == 1.0
    rig.use(1, LEVEL, shape="square", depth=-1.0)
    rig.use(2, LEVEL, shape="square", depth=-1.0)
    assert rig.at(0)[LEVEL] == 0.0
    assert rig.at(2)[LEVEL] == 0.5


def test_centred_swings_to_both_sides(rig: Rig):
    rig.store.set(LEVEL, 0.5, "hand")
    rig.use(1, LEVEL, shape="saw_up", depth=0.4, centred=True)
    assert [rig.at(beat)[LEVEL] for beat in (0, 2, 3.9999)] == pytest.approx([0.3, 0.5, 0.7], abs=1e-4)


def test_limits_hold_the_modulator_and_not_the_hand(rig: Rig):
    rig.store.set(LEVEL, 0.5, "hand")
    rig.use(1, LEVEL, shape="square", depth=1.0, minimum=0.2, maximum=0.7)
    assert rig.at(0)[LEVEL] == pytest.approx(0.7)
    rig.use(1, LEVEL, shape="square", depth=-1.0)
    assert rig.at(0)[LEVEL] == pytest.approx(0.2)
    rig.store.set(LEVEL, 0.9, "hand")
    rig.use(1, LEVEL, shape="square", depth=1.0)
    assert rig.at(0)[LEVEL] == 0.9, "already above the limit: left where the hand put it"
    rig.store.set(LEVEL, 0.1, "hand")
    rig.use(1, LEVEL, shape="square", depth=0.3, minimum=0.2)
    assert rig.at(0)[LEVEL] == pytest.approx(0.4)


def test_a_curve_bends_the_answer(rig: Rig):
    rig.store.set(LEVEL, 0.0, "hand")
    for curve, height in {"linear": 0.5, "square": 0.25, "root": 0.5**0.5, "smooth": 0.5}.items():
        rig.use(1, LEVEL, shape="saw_up", depth=1.0, curve=curve)
        assert rig.at(2)[LEVEL] == pytest.approx(height)


def test_whole_numbers_choices_and_switches_move_too(rig: Rig):
    rig.use(1, "/vj/model/window", shape="square", depth=-1.0)
    rig.use(2, "/vj/sink/mode", shape="saw_up", period="1 bar", depth=1.0)
    rig.use(3, "/vj/input/on", shape="square", depth=0.6)
    rig.use(4, "/vj/lora/1/on", shape="square", depth=0.4)
    rig.use(5, "/vj/seed/value", shape="random", period="1 beat", depth=1.0)
    values = rig.at(0)
    assert values["/vj/model/window"] == 6
    assert (values["/vj/input/on"], values["/vj/lora/1/on"]) == (True, False)
    modes = [rig.at(beat)["/vj/sink/mode"] for beat in (0, 1, 2.5, 3.9)]
    assert modes == list(PARAMETERS["/vj/sink/mode"].choices)
    seeds = [rig.at(beat)["/vj/seed/value"] for beat in range(8)]
    assert len(set(seeds)) == 8
    assert all(isinstance(seed, int) for seed in seeds)


@pytest.mark.parametrize("target", TARGETS[1:])
def test_every_target_stays_in_range_and_of_its_type(rig: Rig, target: str):
    parameter = PARAMETERS[target]
    for slot, depth in ((1, 1.0), (2, -0.7), (3, 0.3)):
        rig.use(slot, target, shape=("sine", "random", "saw_up")[slot - 1], depth=depth, centred=slot == 2)
    for k in range(60):
        value = rig.at(k * 0.37)[target]
        assert parameter.coerce(value) == value
        assert type(value) is type(parameter.default)


@pytest.mark.parametrize("target", TARGETS[1:])
def test_a_position_and_its_value_are_one(target: str):
    parameter = PARAMETERS[target]
    assert value_at(parameter, position_of(parameter, parameter.default)) == pytest.approx(parameter.default)
    for end in (0.0, 1.0):
        assert position_of(parameter, value_at(parameter, end)) == pytest.approx(end)


def test_the_blackout_is_the_performers_alone():
    assert "/vj/output/blackout" not in TARGETS
    assert NO_TARGET in TARGETS
    assert not any(address.startswith("/vj/mod/") or address.endswith("/text") for address in TARGETS)


def test_a_target_that_does_not_exist_is_refused_with_the_nearest(rig: Rig):
    with pytest.raises(ValueError, match=r"is not one of its \d+ choices, did you mean '/vj/effect/zoom'\?"):
        rig.use(1, "/vj/efect/zoom")
    assert rig.store.get("/vj/mod/1/target") == NO_TARGET


def test_depth_by_hand_acts_at_once(rig: Rig):
    rig.store.set(LEVEL, 0.0, "hand")
    rig.use(1, LEVEL, shape="square", depth=0.5)
    assert rig.at(0)[LEVEL] == 0.5
    rig.store.set("/vj/mod/1/depth", 0.8, "midi box")
    assert rig.at(0)[LEVEL] == pytest.approx(0.8)


def test_the_sound_moves_a_parameter_with_attack_and_release(rig: Rig):
    rig.store.set(LEVEL, 0.2, "hand")
    rig.use(1, LEVEL, source="bass", depth=0.5, attack=0.0, release=100.0)
    rig.use(2, ZOOM, source="bass_onset", depth=1.0, attack=0.0, release=100.0)
    for ms in range(0, 400, 10):
        is_loud = ms < 200
        rig.sound = SoundFeatures(
            time_ns=ms * MS + 1, bands=(float(is_loud), 0.0, 0.0, 0.0), onset_times_ns=(1, 0, 0, 0)
        )
        rig.bank.tick(ms * MS + 1)
        values = rig.bank.effective(rig.store.snapshot(), ms * MS + 1)
        if ms == 0:
            assert values[ZOOM] == 4.0
        if ms == 190:
            assert values[LEVEL] == pytest.approx(0.7)
        if ms == 290:
            assert values[LEVEL] == pytest.approx(0.2 + 0.5 * 0.3679, abs=0.01)
            assert values[ZOOM] == pytest.approx(1.0 + 3.0 * 0.055, abs=0.05)


def test_a_walk_goes_on_at_its_rate_and_can_be_asked_ahead(rig: Rig):
    rig.use(1, HUE, source="walk", depth=1.0, centred=True, rate=2.0, seed=4)
    heights, ahead = [], []
    for ms in range(0, 4000, 10):
        now_ns = 50_000 * MS + ms * MS
        rig.bank.tick(now_ns)
        heights.append(rig.bank.effective(rig.store.snapshot(), now_ns)[HUE])
        ahead.append(rig.bank.effective(rig.store.snapshot(), now_ns + 500 * MS)[HUE])
    assert ahead[:-50] == pytest.approx(heights[50:], abs=1e-6)
    assert max(heights) - min(heights) > 60
    assert max(abs(b - a) for a, b in zip(heights, heights[1:], strict=False)) < 10
    rig.store.set("/vj/mod/1/rate", 20.0, "hand")
    rig.bank.tick(50_000 * MS + 4000 * MS)
    assert rig.bank.effective(rig.store.snapshot(), 54_000 * MS)[HUE] == pytest.approx(heights[-1], abs=30)


def test_a_follower_that_nobody_ticks_is_still(rig: Rig):
    rig.use(1, LEVEL, source="level", depth=-1.0)
    rig.use(2, HUE, source="walk", depth=1.0)
    values = rig.at(1)
    assert values[LEVEL] == 1.0
    assert values[HUE] == pytest.approx(180.0)


def test_meters_show_what_the_sources_give(rig: Rig):
    rig.use(3, LEVEL, shape="saw_up", depth=0.1)
    rig.use(9, HUE, shape="square", on=False)
    assert rig.bank.signals(rig.store.snapshot(), BEAT_NS) == {3: 0.25}
    assert [m.slot for m in rig.bank.modulators(rig.store.snapshot())] == [3]


def test_an_output_is_made_of_what_comes_out(rig: Rig):
    rig.use(1, "/vj/effect/saturation", shape="square", depth=-0.5)
    assert OutputParams.from_values(rig.at(0)).saturation == 0.0
    assert OutputParams.from_values(rig.at(2)).saturation == 1.0


def test_readers_and_a_hand_at_once(rig: Rig):
    """Windows, the engine's sender and the conductor read while hands move modulators."""
    rig.use(1, LEVEL, shape="sine", period="1/2 beat", depth=-1.0)
    wrong: list[object] = []
    is_over = threading.Event()

    def read() -> None:
        beat = 0.0
        while not is_over.is_set():
            beat += 0.01
            values = rig.at(beat)
            if not 0.0 <= values[LEVEL] <= 1.0:
                wrong.append(values[LEVEL])

    def tick() -> None:
        while not is_over.is_set():
            rig.bank.tick(int(BEAT_NS))

    threads = [threading.Thread(target=work) for work in (read, read, tick)]
    for thread in threads:
        thread.start()
    sources = ("lfo", "walk", "level", "bass_onset")
    for k in range(600):
        rig.use(1 + k % 16, LEVEL, source=sources[k % 4], depth=(k % 21 - 10) / 10, on=k % 5 > 0, seed=k)
    is_over.set()
    for thread in threads:
        thread.join()
    assert not wrong


def test_sixteen_slots_declare_the_same_fields():
    by_slot: dict[str, set] = {}
    for parameter in MODULATION_PARAMETERS:
        slot, name = parameter.address.split("/")[3:]
        plain = dataclasses.replace(parameter, address=name, help="")
        by_slot.setdefault(slot, set()).add(plain)
    assert sorted(by_slot, key=int) == [str(n) for n in range(1, 17)]
    assert len(set(map(frozenset, by_slot.values()))) == 1
