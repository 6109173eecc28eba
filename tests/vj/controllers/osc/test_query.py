"""OSCQuery as other programs use it: over real HTTP, a real websocket, mDNS, and an independent client."""

import importlib.util
import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from pythonosc.osc_message import OscMessage
from pythonoscquery.osc_query_client import OSCQueryClient
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from zeroconf import ServiceBrowser, ServiceInfo, ServiceListener, Zeroconf

from engine.parameter import Parameter
from tests.vj.controllers.osc.rig import Show, datagram, wait_until
from vj.controllers.osc.addresses import TARGETS
from vj.controllers.osc.player import OscWords
from vj.controllers.osc.query_announcement import OSC_SERVICE, QUERY_SERVICE
from vj.controllers.osc.query_server import QueryServer, QueryUnavailableError
from vj.controllers.osc.query_tree import ACCESS_BOTH, ACCESS_READ, ACCESS_WRITE, NODES
from vj.controllers.osc.state import STATE, StateSources
from vj.parameters import ALL_PARAMETERS


@pytest.fixture(scope="module")
def show() -> Iterator[Show]:
    made = Show()
    wait_until(lambda: made.network.query.port > 0)
    assert made.told == []
    yield made
    made.close()


@pytest.fixture
def socket(show: Show) -> Iterator[ClientConnection]:
    with connect(f"ws://127.0.0.1:{show.network.query.port}/") as opened:
        yield opened


def get(show: Show, path: str) -> Any:
    with urllib.request.urlopen(f"http://127.0.0.1:{show.network.query.port}{path}", timeout=5) as answer:
        body = answer.read()
        return json.loads(body) if body else answer.status


def listen(socket: ClientConnection, path: str) -> None:
    socket.send(json.dumps({"COMMAND": "LISTEN", "DATA": path}))


def hear(socket: ClientConnection, timeout_s: float = 5.0) -> tuple[str, list[object]]:
    message = OscMessage(socket.recv(timeout_s))
    return message.address, message.params


def leaves(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "TYPE" in node:
        yield node
    for child in node.get("CONTENTS", {}).values():
        yield from leaves(child)


def test_the_whole_instrument_is_looked_up_at_once(show: Show):
    listed = {node["FULL_PATH"]: node for node in leaves(get(show, "/"))}
    assert set(listed) == set(ALL_PARAMETERS) | set(STATE)
    for address, parameter in ALL_PARAMETERS.items():
        node = listed[address]
        usual = ACCESS_BOTH if address in TARGETS else ACCESS_READ
        assert node["ACCESS"] == (ACCESS_WRITE if parameter.kind == "trigger" else usual)
        assert node["DESCRIPTION"].startswith(parameter.help)
        assert node["TYPE"] in expected_tags(parameter)
        assert "CONTENTS" not in node
    assert {listed[address]["ACCESS"] for address in STATE} == {ACCESS_READ}


def expected_tags(parameter: Parameter) -> str:
    return {"float": "f", "int": "i", "switch": "TF", "choice": "s", "text": "s", "trigger": "I"}[parameter.kind]


def test_a_node_says_what_it_is(show: Show):
    show.controls.set("/vj/effect/zoom", 2.5, "panel")
    zoom = get(show, "/vj/effect/zoom")
    assert zoom["VALUE"] == [0.5]
    assert zoom["RANGE"] == [{"MIN": 0.0, "MAX": 1.0}]
    assert "0 to 1 is 1 to 4 x" in zoom["DESCRIPTION"]
    raw = get(show, "/vj/effect/zoom/raw")
    assert (raw["VALUE"], raw["RANGE"], raw["UNIT"]) == ([2.5], [{"MIN": 1.0, "MAX": 4.0}], ["x"])
    assert get(show, "/vj/prompt/blend")["RANGE"] == [{"VALS": ["linear", "spherical"]}]
    assert get(show, "/vj/output/blackout")["TYPE"] == "F"
    assert get(show, "/vj/state/beat/bpm")["VALUE"] == [120.0]


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/vj/seed/second?VALUE", {"VALUE": [1]}),
        ("/vj/seed/second?TYPE", {"TYPE": "i"}),
        ("/vj/seed/second?UNIT", 204),
        ("/vj/prompt?CONTENTS=x&y", None),
    ],
)
def test_one_attribute_is_answered_alone(show: Show, path: str, answer: object):
    found = get(show, path)
    assert found == answer if answer is not None else set(found) == {"CONTENTS"}


@pytest.mark.parametrize(("path", "status"), [("/vj/nothing", 404), ("/vj/%ff", 404), ("/vj/output/level?SIZE", 400)])
def test_what_is_not_there_is_answered_so(show: Show, path: str, status: int):
    with pytest.raises(urllib.error.HTTPError) as refused:
        get(show, path)
    assert refused.value.code == status
    refused.value.close()


def test_host_info_names_the_ports(show: Show):
    info = get(show, "/?HOST_INFO")
    assert (info["OSC_IP"], info["OSC_PORT"], info["OSC_TRANSPORT"]) == ("127.0.0.1", show.port, "UDP")
    assert info["WS_PORT"] == show.network.query.port
    assert info["EXTENSIONS"]["LISTEN"]
    assert not info["EXTENSIONS"]["PATH_CHANGED"]


def test_who_listens_is_told_the_value_and_every_change(show: Show, socket: ClientConnection):
    show.controls.set("/vj/output/level", 0.25, "panel")
    listen(socket, "/vj/output/level")
    assert hear(socket) == ("/vj/output/level", [0.25])
    show.controls.set("/vj/output/level", 0.75, "panel")
    assert hear(socket) == ("/vj/output/level", [0.75])
    socket.send(json.dumps({"COMMAND": "IGNORE", "DATA": "/vj/output/level"}))
    time.sleep(0.1)
    show.controls.set("/vj/output/level", 0.5, "panel")
    with pytest.raises(TimeoutError):
        socket.recv(0.2)


def test_every_kind_is_told_in_its_own_type(show: Show, socket: ClientConnection):
    for path, value, told in [
        ("/vj/effect/zoom/raw", 3.0, [3.0]),
        ("/vj/model/steps", 2, [2]),
        ("/vj/output/blackout", False, [False]),
        ("/vj/prompt/blend", "spherical", ["spherical"]),
        ("/vj/prompt/4/text", "墨", ["墨"]),
    ]:
        show.controls.set(NODES[path].parameter.address, value, "panel")
        listen(socket, path)
        assert hear(socket) == (path, told)
    listen(socket, "/vj/cut/hard")
    time.sleep(0.1)
    show.controls.trigger("/vj/cut/hard", "panel")
    assert hear(socket) == ("/vj/cut/hard", [])


def test_the_state_streams(show: Show, socket: ClientConnection):
    listen(socket, "/vj/state/beat/phase")
    phases = [hear(socket)[1][0] for _ in range(20)]
    assert len(set(phases)) == 20
    assert all(0.0 <= phase < 1.0 for phase in phases)


def test_the_websocket_plays_and_is_not_echoed(show: Show, socket: ClientConnection):
    listen(socket, "/vj/effect/hue")
    hear(socket)
    socket.send(datagram("/vj/effect/hue", 0.75))
    wait_until(lambda: show.values()["/vj/effect/hue"] == 90.0)
    assert show.controls.moved_by("/vj/effect/hue").source.startswith("oscquery 127.0.0.1:")
    with pytest.raises(TimeoutError):
        socket.recv(0.15)
    assert hear(socket) == ("/vj/effect/hue", [0.75])


def test_a_question_by_websocket_is_answered_there(show: Show, socket: ClientConnection):
    socket.send(datagram("/vj/seed/second", "?"))
    assert hear(socket) == ("/vj/seed/second", [1.0])


@pytest.mark.parametrize(
    "frame",
    ["", "{", "[" * 20000, "7", '{"COMMAND": "LISTEN"}', '{"COMMAND": "LISTEN", "DATA": 7}', b"", b"\xff" * 500, b"/x"]
    + ['{"COMMAND": "LISTEN", "DATA": "/nothing"}', '{"COMMAND": "DANCE", "DATA": "/vj/output/level"}'],
)
def test_senseless_frames_are_passed_over(show: Show, socket: ClientConnection, frame: str | bytes):
    socket.send(frame)
    show.controls.set("/vj/output/level", 0.5, "panel")
    listen(socket, "/vj/output/level")
    assert hear(socket) == ("/vj/output/level", [0.5])


def test_a_page_of_the_web_is_refused(show: Show):
    with pytest.raises(InvalidStatus):
        connect(f"ws://127.0.0.1:{show.network.query.port}/", origin="https://evil.example")
    with connect(f"ws://127.0.0.1:{show.network.query.port}/", origin="http://localhost:5000") as opened:
        listen(opened, "/vj/output/level")
        assert hear(opened)[0] == "/vj/output/level"


def test_without_the_extra_everything_else_plays(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    bare = Show()
    try:
        assert bare.network.query is None
        bare.send("/vj/output/level", 0.5)
        wait_until(lambda: bare.values()["/vj/output/level"] == 0.5)
        with pytest.raises(QueryUnavailableError, match=r"pip install 'vj\[oscquery\]'"):
            QueryServer(bare.controls, StateSources(), OscWords(), ("127.0.0.1", 0), bare.told.append)
    finally:
        bare.close()


def test_without_zeroconf_it_is_served_and_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "zeroconf", None)
    nameless = Show()
    try:
        wait_until(lambda: nameless.told != [])
        assert "pip install 'vj[oscquery]'" in nameless.told[0]
        assert get(nameless, "/vj/output/level?TYPE") == {"TYPE": "f"}
    finally:
        nameless.close()


def test_an_independent_client_finds_it_by_name_and_reads_it(show: Show):
    """python-oscquery and zeroconf: nothing of ours on the other side."""
    found: dict[str, ServiceInfo] = {}

    class Finder(ServiceListener):
        def add_service(self, zc: Zeroconf, type_: str, name: str) -> None:
            info = zc.get_service_info(type_, name)
            if info is not None and info.port in (show.network.query.port, show.port):
                found[type_] = info

        update_service = add_service

        def remove_service(self, zc: Zeroconf, type_: str, name: str) -> None: ...

    with Zeroconf(interfaces=["127.0.0.1"]) as zeroconf:
        browser = ServiceBrowser(zeroconf, [QUERY_SERVICE, OSC_SERVICE], Finder())
        wait_until(lambda: len(found) == 2, timeout_s=15.0, what="the announcement")
        browser.cancel()
    assert found[OSC_SERVICE].port == show.port
    client = OSCQueryClient(found[QUERY_SERVICE])
    assert client.get_host_info().name == "vj"
    root = client.query_node("/")
    assert root is not None
    level = root.find_subnode("/vj/output/level")
    assert level.description.startswith(ALL_PARAMETERS["/vj/output/level"].help)
