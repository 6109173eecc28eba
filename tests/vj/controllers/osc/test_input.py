"""Real datagrams on a real port move the instrument; nothing that arrives stops the listener."""

import random
import socket
import struct
import time
from collections.abc import Iterator

import pytest
from pythonosc.osc_bundle_builder import OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder

from engine.parameter import Value
from engine.params import SEED_MAX
from tests.vj.controllers.osc.rig import ANY_PORT, wait_until
from vj.commands import CommandQueue
from vj.controllers.osc.addresses import TARGETS
from vj.controllers.osc.input import OscInput
from vj.controllers.osc.packet import encode_bundles, encode_message
from vj.controllers.osc.reading import TEXT_CHARACTERS
from vj.controls import Controls
from vj.parameters import ALL_PARAMETERS, ParameterStore

SEED = "/vj/seed/value"


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
    for address in (address for address in TARGETS if address in ALL_PARAMETERS):
        parameter = ALL_PARAMETERS[address]
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
    pressed = []
    for n in range(1, 17):
        rig.controls.answer(f"/vj/look/{n}/recall", lambda press: pressed.append((press.address, rig.value(SEED))))
    for n in range(1, 17):
        rig.throw(SEED, n)
        rig.throw(f"/vj/look/{n}/recall", ())
    wait_until(lambda: len(pressed) == 16)
    assert pressed == [(f"/vj/look/{n}/recall", n) for n in range(1, 17)]


def test_a_press_that_bounces_counts_once(rig):
    (bounce,) = encode_bundles([encode_message("/vj/cut/hard", 1)] * 30)
    rig.send_bytes(bounce)
    wait_until(lambda: rig.osc.status().messages == 30)
    assert 1 <= len(rig.taken()) < 10
    time.sleep(0.02)
    rig.send("/vj/cut/soft")
    time.sleep(0.02)
    rig.throw("/vj/cut/soft", 1)
    wait_until(lambda: rig.osc.status().messages == 32)
    assert rig.taken() == ["cut/soft", "cut/soft"]


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


def test_a_fast_sender_keeps_its_last_value(rig):
    for k in range(2000):
        rig.throw("/vj/prompt/2/weight", k / 2000)
    rig.settle()
    rig.throw("/vj/prompt/2/weight", 0.5)
    wait_until(lambda: rig.value("/vj/prompt/2/weight") == 0.5)
