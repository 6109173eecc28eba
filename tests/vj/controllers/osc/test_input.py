"""Real datagrams on a real port move the instrument; nothing that arrives stops the listener."""

import random
import socket
import struct
import time
from collections.abc import Callable, Iterator

import pytest
from pythonosc.osc_bundle_builder import OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder

from engine.parameter import Value
from engine.params import PROMPT_PADS, SEED_MAX
from vj.commands import CommandQueue
from vj.controllers.osc.addresses import TARGETS, find_targets
from vj.controllers.osc.endpoint import DEFAULT_PORT, LAST_DEFAULT_PORT, OscEndpoint, OscPortError, parse_endpoint
from vj.controllers.osc.input import OscInput
from vj.controllers.osc.reading import TEXT_CHARACTERS
from vj.controls import Controls
from vj.parameters import ALL_PARAMETERS, PARAMETERS, ParameterStore

ANY_PORT = OscEndpoint("127.0.0.1", 0, is_default=False)


def wait_until(is_true: Callable[[], bool], timeout_s: float = 5.0) -> None:
    end = time.monotonic() + timeout_s
    while not is_true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.002)


class Rig:
    """An instrument without a picture and a sender that talks to it."""

    def __init__(self) -> None:
        self.controls = Controls(ParameterStore(), CommandQueue())
        self.osc = OscInput(self.controls, ANY_PORT)
        self.osc.start()
        self.sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sent = 0

    def send(self, address: str, value: object = ()) -> None:
        """Send one message and wait until it has been played."""
        self.throw(address, value)
        self.sent += 1
        wait_until(lambda: self.osc.status().messages >= self.sent)

    def throw(self, address: str, value: object) -> None:
        builder = OscMessageBuilder(address)
        for argument in value if isinstance(value, (list, tuple)) else [value]:
            builder.add_arg(argument)
        self.send_bytes(builder.build().dgram)

    def send_bytes(self, datagram: bytes) -> None:
        self.sender.sendto(datagram, ("127.0.0.1", self.osc.port))

    def settle(self) -> None:
        """Wait until everything the system kept has been read; what comes too fast it drops, as UDP may."""
        seen = -1
        while seen != self.received():
            seen = self.received()
            time.sleep(0.1)

    def received(self) -> int:
        status = self.osc.status()
        return status.messages + status.malformed

    def close(self) -> None:
        self.osc.stop()
        self.sender.close()

    def value(self, address: str) -> Value:
        return self.controls.store.get(address)

    def taken(self) -> list[str]:
        return [command.name for command in self.controls.commands.take()]


@pytest.fixture
def rig() -> Iterator[Rig]:
    made = Rig()
    yield made
    made.close()


@pytest.mark.parametrize(
    ("address", "sent", "parameter", "held"),
    [
        ("/vj/prompt/2/weight", 0.5, "/vj/prompt/2/weight", 0.5),
        ("/vj/prompt/2/weight", 7.0, "/vj/prompt/2/weight", 1.0),
        ("/vj/prompt/2/weight", "0.25", "/vj/prompt/2/weight", 0.25),
        ("/vj/prompt/2/weight", True, "/vj/prompt/2/weight", 1.0),
        ("/vj/prompt/2/weight", [0.75, 0.1, 0.2], "/vj/prompt/2/weight", 0.75),
        ("/vj/prompt/2/weight/raw", 0.5, "/vj/prompt/2/weight", 0.5),
        ("/vj/sink/decay/raw", 0.5, "/vj/sink/decay", 0.5),
        ("/vj/output/blackout", 1, "/vj/output/blackout", True),
        ("/vj/output/blackout", 1.0, "/vj/output/blackout", True),
        ("/vj/output/level", 0, "/vj/output/level", 0.0),
        ("/vj/seed/value", 123, "/vj/seed/value", 123),
        ("/vj/seed/value", 123.4, "/vj/seed/value", 123),
        ("/vj/seed/value", str(SEED_MAX), "/vj/seed/value", SEED_MAX),
        ("/vj/seed/value", -5, "/vj/seed/value", 0),
        ("/vj/prompt/blend", "spherical", "/vj/prompt/blend", "spherical"),
        ("/vj/prompt/blend", 1, "/vj/prompt/blend", "spherical"),
        ("/vj/prompt/3/text", "墨 in water", "/vj/prompt/3/text", "墨 in water"),
    ],
)
def test_a_message_moves_its_parameter(rig, address, sent, parameter, held):
    rig.send(address, sent)
    assert rig.value(parameter) == held
    assert rig.controls.moved_by(parameter).source == "osc 127.0.0.1"
    assert rig.osc.status().last_problem == ""


@pytest.mark.parametrize(
    ("address", "before", "sent", "held"),
    [
        ("/vj/output/level", 0.5, ["+", 0.25], 0.75),
        ("/vj/output/level", 0.5, ["-", 0.25], 0.25),
        ("/vj/output/level", 0.5, ["*", 1.5], 0.75),
        ("/vj/output/level", 0.5, ["a", 0.125], 0.125),
        ("/vj/output/level", 0.5, ["+", 7.0], 1.0),
        ("/vj/effect/zoom", 2.5, ["+", 0.5], 4.0),  # in fader positions
        ("/vj/effect/zoom/raw", 2.5, ["+", 0.5], 3.0),
        ("/vj/effect/zoom/raw", 2.0, ["*", 1.25], 2.5),
        ("/vj/seed/value", 10, ["+", 1], 11),
        ("/vj/seed/value", 10, ["-", 100], 0),
        ("/vj/seed/value", 10, ["a", "77"], 77),
        ("/vj/prompt/blend", "linear", ["+", 1], "spherical"),
        ("/vj/prompt/blend", "spherical", ["+", 1], "spherical"),
        ("/vj/output/blackout", False, ["+", 1], True),
        ("/vj/prompt/1/text", "ink", ["a", "+"], "+"),
        ("/vj/prompt/1/text", "ink", ["+"], "+"),
        ("/vj/prompt/1/text", "ink", [7], "7"),
        ("/vj/prompt/1/text", "ink", [0.5], "0.5"),
        ("/vj/prompt/blend", "linear", ["Spherical"], "spherical"),
        ("/vj/prompt/blend", "linear", ["1"], "spherical"),
    ],
)
def test_steps_factors_and_loose_words_are_read(rig, address, before, sent, held):
    parameter = address.removesuffix("/raw")
    rig.controls.set(parameter, before, "panel")
    rig.send(address, sent)
    assert rig.value(parameter) == pytest.approx(held)
    assert rig.osc.status().last_problem == ""


def test_steps_of_one_burst_add_up(rig):
    rig.controls.set("/vj/seed/value", 100, "panel")
    for _ in range(50):
        rig.throw("/vj/seed/value", ["+", 1])
    rig.throw("/vj/seed/value", 500)
    rig.throw("/vj/seed/value", ["+", 1])
    wait_until(lambda: rig.value("/vj/seed/value") == 501)
    for _ in range(50):
        rig.throw("/vj/seed/value", ["+", 1])
    wait_until(lambda: rig.value("/vj/seed/value") == 551)


def test_a_prompt_longer_than_any_is_cut(rig):
    rig.send("/vj/prompt/2/text", "x" * 60000)
    assert rig.value("/vj/prompt/2/text") == "x" * TEXT_CHARACTERS


@pytest.mark.parametrize("address", ["/vj/cut/hard", "/vj/cut/soft"])
@pytest.mark.parametrize(
    ("sent", "presses"),
    [
        ((), 1),
        (1, 1),
        (1.0, 1),
        (True, 1),
        ("bang", 1),
        (None, 1),
        (0, 0),
        (0.0, 0),
        (False, 0),
        ("off", 0),
        ("0", 0),
        ("?", 0),
        (float("nan"), 0),
    ],
)
def test_a_trigger_fires_on_a_press(rig, address, sent, presses):
    rig.send(address, sent)
    assert rig.taken() == [address.removeprefix("/vj/")] * presses


def test_every_parameter_answers(rig):
    for address, parameter in ALL_PARAMETERS.items():
        value = {"float": 0.5, "int": 2, "switch": 1, "choice": 1, "text": "x", "trigger": 1}[parameter.kind]
        rig.send(address, value)
        if parameter.kind == "float":
            assert rig.value(address) == pytest.approx(parameter.from_normalised(0.5))
        elif parameter.kind != "trigger":
            assert rig.value(address) == parameter.coerce(value)
    assert rig.osc.status().unknown == rig.osc.status().refused == 0


def test_a_text_is_asked_of_the_engine(rig):
    rig.send("/vj/prompt/2/text", "a red river")
    (command,) = rig.controls.commands.take()
    assert command.arguments == {"pad": 2, "text": "a red river"}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "loud", b"\x01"])
def test_senseless_values_change_nothing_and_are_told(rig, value):
    rig.send("/vj/prompt/1/weight", value)
    assert rig.controls.store.version == 0
    assert rig.osc.status().refused == 1
    assert "/vj/prompt/1/weight" in rig.osc.status().last_problem


def test_a_value_without_argument_is_told(rig):
    rig.send("/vj/seed/value")
    assert "/vj/seed/value came without a value" in rig.osc.status().last_problem


def test_unknown_addresses_are_counted_with_a_suggestion(rig):
    rig.send("/vj/promt/1/weight", 0.5)
    status = rig.osc.status()
    assert status.unknown == 1
    assert "did you mean '/vj/prompt/1/weight'" in status.last_problem
    assert status.last_message == "/vj/promt/1/weight 0.5"


@pytest.mark.parametrize("suffix_of", ["/vj/seed/value", "/vj/output/blackout", "/vj/prompt/1/text", "/vj/cut/hard"])
def test_only_continuous_parameters_have_units(suffix_of):
    assert find_targets(f"{suffix_of}/raw") == ()


@pytest.mark.parametrize(
    ("pattern", "addresses"),
    [
        ("/vj/prompt/*/weight", [f"/vj/prompt/{n}/weight" for n in range(1, PROMPT_PADS + 1)]),
        ("/vj/prompt/[2-3]/weight", ["/vj/prompt/2/weight", "/vj/prompt/3/weight"]),
        ("/vj/prompt/[!2-9]/text", ["/vj/prompt/1/text"]),
        ("/vj/cut/{hard,soft}", ["/vj/cut/hard", "/vj/cut/soft"]),
        ("/vj/outpu?/level", ["/vj/output/level"]),
        ("/vj/*", []),
        ("/vj/[", []),
        ("/vj/{", []),
        ("*" * 5000, []),
    ],
)
def test_patterns_mean_what_osc_says(pattern, addresses):
    assert [target.address for target in find_targets(pattern)] == addresses


@pytest.mark.parametrize(
    "pattern",
    [
        "/vj/" + "{,}" * 80 + "x",
        "/" + "".join(f"{{{c},{c},{c}}}" for c in "vj/prompt/1/text") + "x",
        "/vj/" + "*?" * 99,
    ],
)
def test_a_hostile_pattern_costs_no_time(pattern):
    began_s = time.monotonic()
    assert find_targets(pattern) == ()
    assert time.monotonic() - began_s < 2.0


def test_a_pattern_moves_all_it_means(rig):
    rig.send("/vj/prompt/*/weight", 0.5)
    assert [rig.value(f"/vj/prompt/{n}/weight") for n in (1, 2, 3, 4)] == [0.5] * 4


def test_a_bundle_from_the_future_is_played_at_once(rig):
    bundle = OscBundleBuilder(time.time() + 3600.0)
    for address, value in (("/vj/prompt/2/weight", 0.5), ("/vj/seed/value", 9)):
        message = OscMessageBuilder(address)
        message.add_arg(value)
        bundle.add_content(message.build())
    rig.send_bytes(bundle.build().dgram)
    wait_until(lambda: rig.value("/vj/seed/value") == 9)
    assert rig.value("/vj/prompt/2/weight") == 0.5


def test_malformed_packets_are_survived_and_the_last_value_holds(rig):
    rng = random.Random(3)
    hostile = [
        b"#bundle\0" + bytes(8) + struct.pack(">i", -4),  # would be read for ever
        b"/vj/prompt/1/text\0\0\0,s\0\0" + b"x" * 64000 + b"\0" * 4,
        b"/vj/prompt/1/weight\0,f\0\0" + struct.pack(">f", float("nan")),
        *(rng.randbytes(rng.randrange(1, 200)) for _ in range(500)),
        *(b"/vj/" + rng.randbytes(30) for _ in range(500)),
    ]
    for k, datagram in enumerate(hostile):
        rig.send_bytes(datagram)
        if k % 100 == 0:
            rig.settle()
    rig.settle()
    rig.throw("/vj/seed/value", 77)
    wait_until(lambda: rig.value("/vj/seed/value") == 77)
    assert rig.osc.status().malformed > 400


def test_presses_between_values_stay_in_order(rig):
    seeds = []
    rig.controls.answer("/vj/clock/tap", lambda press: seeds.append(rig.value("/vj/seed/value")))
    for seed in range(1, 41):
        rig.throw("/vj/seed/value", seed)
        rig.throw("/vj/clock/tap", ())
    wait_until(lambda: len(seeds) == 40)
    assert seeds == list(range(1, 41))


def test_nan_in_a_burst_leaves_the_value_before_it(rig):
    for value in (0.25, 0.5, float("nan"), float("inf")):
        rig.throw("/vj/output/level", value)
    wait_until(lambda: rig.osc.status().refused == 2)
    assert rig.value("/vj/output/level") == 0.5


def test_units_and_positions_of_one_burst_keep_their_order(rig):
    for _ in range(20):
        rig.throw("/vj/effect/zoom", 0.0)
        rig.throw("/vj/effect/zoom/raw", 2.0)
    wait_until(lambda: rig.osc.status().messages == 40)
    assert rig.value("/vj/effect/zoom") == 2.0


def test_opening_to_the_network_is_shown():
    controls = Controls(ParameterStore(), CommandQueue())
    at_home = OscInput(controls, ANY_PORT)
    in_public = OscInput(controls, OscEndpoint("0.0.0.0", 0, is_default=False))
    try:
        assert str(at_home.reach) == f"127.0.0.1:{at_home.port}"
        assert in_public.reach.is_open
        assert str(in_public.reach).endswith(f":{in_public.port} · open to the network")
        assert not in_public.reach.address.startswith("0.0.0.0")
    finally:
        at_home.stop()
        in_public.stop()


def test_a_fast_sender_keeps_its_last_value(rig):
    for k in range(2000):
        rig.throw("/vj/prompt/2/weight", k / 2000)
    rig.settle()
    rig.throw("/vj/prompt/2/weight", 0.5)
    wait_until(lambda: rig.value("/vj/prompt/2/weight") == 0.5)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("9001", "127.0.0.1", 9001),
        ("0.0.0.0:9001", "0.0.0.0", 9001),
        ("localhost:7000", "localhost", 7000),
        ("[::1]:9001", "::1", 9001),
    ],
)
def test_endpoints_are_read(text, host, port):
    assert parse_endpoint(text) == OscEndpoint(host, port, is_default=False)


@pytest.mark.parametrize("text", ["", "abc", "70000", "-1", "host:", ":9000", "1.2.3.4", "9" * 5000, "host:9x", "²"])
def test_endpoints_that_are_none_are_refused_with_the_form(text):
    with pytest.raises(ValueError, match=r"has no port; write \[HOST:\]PORT|has no host; write 127"):
        parse_endpoint(text)


def test_the_default_port_moves_on_when_it_is_taken_and_says_so():
    controls = Controls(ParameterStore(), CommandQueue())
    first = OscInput(controls)
    second = OscInput(controls)
    try:
        assert first.host == second.host == "127.0.0.1"
        assert DEFAULT_PORT < second.port <= LAST_DEFAULT_PORT
        assert second.port > first.port
        assert second.port_moved
    finally:
        first.stop()
        second.stop()


def test_a_port_given_explicitly_and_taken_is_an_error():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        with pytest.raises(OscPortError, match=f"port {port} on 127.0.0.1 is taken.*--osc"):
            OscInput(Controls(ParameterStore(), CommandQueue()), OscEndpoint("127.0.0.1", port, is_default=False))


@pytest.mark.parametrize("host", ["203.0.113.7", "a" * 70 + ".invalid", "..", "\0"])
def test_a_host_that_is_not_ours_is_an_error(host):
    with pytest.raises(OscPortError, match="OSC cannot listen on"):
        OscInput(Controls(ParameterStore(), CommandQueue()), OscEndpoint(host, 0, is_default=False))


def test_targets_cover_the_table():
    assert {target.address for target in TARGETS.values()} == set(ALL_PARAMETERS)
    assert {f"{a}/raw" for a, p in PARAMETERS.items() if p.kind == "float"} <= set(TARGETS)


def test_stopping_frees_the_port():
    osc = OscInput(Controls(ParameterStore(), CommandQueue()), ANY_PORT)
    osc.start()
    osc.stop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as next_user:
        next_user.bind(("127.0.0.1", osc.port))
