"""What the instrument tells, heard by python-osc on a real port."""

import time
from collections.abc import Iterator

import pytest

from engine.messages import GeneratorStatus
from engine.parameter import Parameter, Value
from tests.vj.controllers.osc.rig import ANY_PORT, Ear, Show, wait_until
from vj.controllers.osc.addresses import TARGETS
from vj.controllers.osc.endpoint import OscEndpoint
from vj.controllers.osc.network import OscOptions
from vj.controllers.osc.output import OscListener
from vj.controllers.osc.packet import DATAGRAM_BYTES, encode_message
from vj.controllers.osc.reports import number_of, text_address, text_of
from vj.controllers.osc.state import STATE
from vj.output.playback import PlaybackStatus
from vj.parameters import ALL_PARAMETERS, PARAMETERS
from vj.sound.features import SoundFeatures

ANSWERING = {address: parameter for address, parameter in PARAMETERS.items() if address in TARGETS}


@pytest.fixture
def ear() -> Iterator[Ear]:
    made = Ear()
    yield made
    made.close()


@pytest.fixture
def show(ear: Ear) -> Iterator[Show]:
    made = Show(OscOptions(ANY_PORT, (ear.endpoint,)))
    yield made
    made.close()


def another_value(parameter: Parameter) -> tuple[object, Value]:
    """Something to send, and what is held then, different from the default."""
    if parameter.kind == "float":
        sent = 0.25 if abs(parameter.to_normalised(float(parameter.default)) - 0.25) > 0.1 else 0.75
        return sent, parameter.from_normalised(sent)
    if parameter.kind == "int":
        held = parameter.maximum if parameter.default != parameter.maximum else parameter.minimum
        return int(held), int(held)
    if parameter.kind == "choice":
        held = parameter.choices[-1] if parameter.default != parameter.choices[-1] else parameter.choices[0]
        return held, held
    if parameter.kind == "switch":
        return 1 - int(parameter.default), not parameter.default
    return "another text", "another text"


def wait_for_value(ear: Ear, address: str, value: float | str) -> None:
    expected = value if isinstance(value, str) else pytest.approx(value, rel=1e-6)
    wait_until(lambda: ear.value(address) == expected, what=f"the report of {address} = {value!r}")


def test_every_parameter_answers_and_reports_back(show: Show, ear: Ear):
    wait_until(lambda: all(a in ear.newest for a, p in ANSWERING.items() if p.kind != "text"))
    ear.forget()
    expected = {}
    for address, parameter in ANSWERING.items():
        sent, expected[address] = another_value(parameter)
        show.send(address, sent)
        time.sleep(0.001)
    for address, parameter in ANSWERING.items():
        held = expected[address]
        wait_until(lambda a=address, h=held: show.values()[a] == pytest.approx(h), what=f"the move of {address}")
        if (number := number_of(parameter, held)) is not None:
            wait_for_value(ear, address, number)
        if (text := text_of(parameter, held)) is not None:
            wait_for_value(ear, text_address(address), text)
    assert show.network.input.status().unknown == show.network.input.status().refused == 0
    assert ear.longest <= DATAGRAM_BYTES
    assert show.told == []


def test_every_trigger_is_told_as_a_press(show: Show, ear: Ear):
    triggers = [address for address, parameter in ALL_PARAMETERS.items() if parameter.kind == "trigger"]
    wait_until(lambda: all(address in ear.newest for address in triggers))
    ear.forget()
    for address in triggers:
        show.controls.trigger(address, "panel")
    wait_until(lambda: all(ear.heard(address) == [1.0, 0.0] for address in triggers))


def test_numbers_are_floats_and_texts_have_a_branch_of_their_own(show: Show, ear: Ear):
    show.controls.set_many(
        {"/vj/prompt/1/text": "ink", "/vj/prompt/blend": "spherical", "/vj/seed/value": 2**31 - 2}, "panel"
    )
    wait_until(lambda: ear.value("/vj/text/seed/value") == str(2**31 - 2))
    wait_until(lambda: ear.value("/vj/text/prompt/1/text") == "ink")
    assert ear.value("/vj/prompt/blend") == 1.0
    assert ear.value("/vj/text/prompt/blend") == "spherical"
    for address, arguments in list(ear.all):
        assert len(arguments) == 1
        assert isinstance(arguments[0], str if address.startswith("/vj/text/") else float), address


def test_the_state_is_told(show: Show, ear: Ear):
    wait_for_value(ear, "/vj/state/sound/onset/bass", 0.0)
    show.generator = GeneratorStatus(
        state="streaming", generator_fps=21.57, prompts_on_screen=("a red river", "", *[""] * 14)
    )
    show.playback = PlaybackStatus(is_streaming=True, display_fps=59.94, buffered_frames=12, repeats=3)
    show.sound = SoundFeatures(level=0.5, bands=(0.1, 0.2, 0.3, 0.4), onset_times_ns=(5, 0, 0, 0), centroid=0.6)
    show.look = "deep sea"
    for address, value in {
        "/vj/state/display/fps": 59.9,
        "/vj/state/generator/fps": 21.6,
        "/vj/state/buffer": 12.0,
        "/vj/state/repeats": 3.0,
        "/vj/state/generator/state": 2.0,
        "/vj/text/state/generator/state": "streaming",
        "/vj/text/state/prompt/1": "a red river",
        "/vj/text/state/prompt/heaviest": "a red river",
        "/vj/text/state/look": "deep sea",
        "/vj/state/sound/level": 0.5,
        "/vj/state/sound/high": 0.4,
        "/vj/state/beat/bpm": 120.0,
    }.items():
        wait_for_value(ear, address, value)
    wait_until(lambda: ear.heard("/vj/state/sound/onset/bass") == [0.0, 1.0, 0.0])
    assert set(STATE) >= {address for address in ear.newest if address.startswith("/vj/state/")}


def test_the_beat_is_told_evenly_and_not_too_often(show: Show, ear: Ear):
    wait_until(lambda: len(ear.heard("/vj/state/beat/phase")) > 5)
    ear.forget()
    began_s = time.monotonic()
    time.sleep(1.2)
    phases, counts = ear.heard("/vj/state/beat/phase"), ear.heard("/vj/state/beat/count")
    spent_s = time.monotonic() - began_s
    assert 15 < len(phases) <= 60 * spent_s + 5
    assert all(0.0 <= phase < 1.0 for phase in phases)
    assert 2 <= len(counts) <= 4  # 120 BPM: only changes are told
    assert set(counts) <= {1.0, 2.0, 3.0, 4.0}


def test_the_mover_hears_no_echo_while_it_moves_and_the_value_held_afterwards(show: Show, ear: Ear):
    other = Ear()
    show.network.output.add(OscListener(other.endpoint))
    wait_until(lambda: "/vj/output/level" in ear.newest and "/vj/output/level" in other.newest)
    ear.forget()
    began_s = time.monotonic()
    while time.monotonic() - began_s < 0.5:
        show.send("/vj/output/level", 0.2 + (time.monotonic() - began_s))
        time.sleep(0.01)
    assert ear.heard("/vj/output/level") == []
    show.send("/vj/output/level", 7.0)  # clamped
    wait_until(lambda: ear.heard("/vj/output/level") == [1.0])
    show.controls.set("/vj/output/level", 0.5, "midi nanoKONTROL2")
    wait_until(lambda: ear.value("/vj/output/level") == 0.5, timeout_s=2.0)
    other.close()


def test_a_subscriber_is_told_everything_at_the_port_it_names(show: Show):
    subscriber = Ear()
    try:
        show.send("/vj/subscribe", subscriber.port)
        wait_until(lambda: "/vj/output/level" in subscriber.newest and "/vj/state/beat/phase" in subscriber.newest)
        show.send("/vj/unsubscribe", subscriber.port)
        wait_until(lambda: len(show.network.output.listeners) == 1)
        time.sleep(0.1)
        subscriber.forget()
        time.sleep(0.2)
        assert subscriber.all == []
    finally:
        subscriber.close()


def test_a_subscriber_without_a_port_is_told_where_it_sent_from(show: Show):
    subscriber = Ear()
    try:
        subscriber.send(encode_message("/vj/subscribe"), show.port)
        wait_until(lambda: "/vj/output/level" in subscriber.newest)
    finally:
        subscriber.close()


def test_a_senseless_port_subscribes_nobody_and_the_sixteenth_subscriber_is_the_last(show: Show):
    for port in (0, 70000, "x", float("nan")):
        show.send("/vj/subscribe", port)
    for port in range(20000, 20020):
        show.send("/vj/subscribe", port)
    wait_until(lambda: "127.0.0.1:20019" in show.network.output.listeners)
    assert len(show.network.output.listeners) == 1 + 16
    assert "127.0.0.1:20003" not in show.network.output.listeners


def test_listeners_are_chosen_while_the_show_runs(show: Show, ear: Ear):
    chosen, next_one = Ear(), Ear()
    try:
        show.controls.set("/vj/osc/out", f"{chosen.port}, nowhere.invalid:9 loud", "panel")
        wait_until(lambda: "/vj/output/level" in chosen.newest)
        wait_until(lambda: len(show.told) == 2)
        assert "'loud' has no port" in show.told[0]
        assert "there is no such host" in show.told[1]
        show.controls.set("/vj/osc/out", f"127.0.0.1:{next_one.port}", "panel")
        wait_until(lambda: "/vj/output/level" in next_one.newest)
        assert len(show.network.output.listeners) == 2
        show.controls.set("/vj/osc/out", "", "panel")
        wait_until(lambda: show.network.output.listeners == (f"127.0.0.1:{ear.port}",))
    finally:
        chosen.close()
        next_one.close()


def test_nobody_in_the_network_chooses_who_is_told(show: Show):
    show.send("/vj/osc/out", "9.9.9.9:9")
    show.send("/vj/osc/*", "9.9.9.9:9")
    wait_until(lambda: show.network.input.status().unknown == 2)
    assert show.values()["/vj/osc/out"] == ""


def test_a_dead_listener_costs_the_others_nothing(ear: Ear):
    dead = OscEndpoint("127.0.0.1", 9, is_default=False)
    nowhere = OscEndpoint("nowhere.invalid", 9001, is_default=False)
    show = Show(OscOptions(ANY_PORT, (dead, nowhere, ear.endpoint)))
    try:
        wait_until(lambda: "/vj/output/level" in ear.newest)
        show.controls.set("/vj/output/level", 0.5, "panel")
        wait_until(lambda: ear.value("/vj/output/level") == 0.5)
        assert any("there is no such host" in sentence for sentence in show.told)
    finally:
        show.close()


@pytest.mark.parametrize(
    ("address", "asked", "answer"),
    [
        ("/vj/sink/decay", "/vj/sink/decay", 0.999),
        ("/vj/effect/zoom", "/vj/effect/zoom", 0.0),
        ("/vj/effect/zoom", "/vj/effect/zoom/raw", 1.0),
        ("/vj/prompt/blend", "/vj/prompt/blend", "linear"),
        ("/vj/seed/second", "/vj/seed/second", 1.0),
        ("/vj/prompt/1/text", "/vj/prompt/1/text", "violet smoke drifting slowly"),
    ],
)
def test_a_question_mark_is_answered_to_whoever_asked(show: Show, address: str, asked: str, answer: object):
    asker = Ear()
    try:
        before = show.values()[address]
        asker.send(encode_message(asked, "?"), show.port)
        wait_until(lambda: asked in asker.newest)
        assert asker.value(asked) == (answer if isinstance(answer, str) else pytest.approx(answer, rel=1e-6))
        assert show.values()[address] == before
    finally:
        asker.close()


def test_a_foreign_address_is_a_control_for_the_mappings(show: Show):
    show.send("/1/fader3", 0.25)
    show.send("/1/push", 1)
    wait_until(lambda: len(show.events) == 2)
    assert [(event.device, event.control, event.value) for event in show.events] == [
        ("osc", "osc/1/fader3", 0.25),
        ("osc", "osc/1/push", 1.0),
    ]
    assert show.network.input.status().unknown == 0
