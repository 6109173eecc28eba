"""Hosts and ports as people write them, ports that are taken, and who can reach the one that is open."""

import socket

import pytest

from tests.vj.controllers.osc.rig import ANY_PORT
from vj.commands import CommandQueue
from vj.controllers.osc.endpoint import DEFAULT_PORT, LAST_DEFAULT_PORT, OscEndpoint, OscPortError, parse_endpoint
from vj.controllers.osc.input import OscInput
from vj.controls import Controls
from vj.parameters import ParameterStore


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


def test_stopping_frees_the_port():
    osc = OscInput(Controls(ParameterStore(), CommandQueue()), ANY_PORT)
    osc.start()
    osc.stop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as next_user:
        next_user.bind(("127.0.0.1", osc.port))
