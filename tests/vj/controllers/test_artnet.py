"""Art-Net as a desk sends it: stupidArtnet's sender on a real port, and packets no desk would send."""

import random
import socket
import time
from collections.abc import Callable, Iterator

import pytest
from stupidArtnet import StupidArtnet

from vj.controllers.artnet import ArtNetInput, DmxFrame, decode_frame
from vj.controllers.events import ControlEvent, check_control
from vj.controllers.osc.endpoint import OscEndpoint, OscPortError


def wait_until(is_true: Callable[[], bool], timeout_s: float = 5.0) -> None:
    end = time.monotonic() + timeout_s
    while not is_true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.002)


class Desk:
    """A desk of stupidArtnet's and what we heard of it."""

    def __init__(self, played: set[str]) -> None:
        self.events: list[ControlEvent] = []
        endpoint = OscEndpoint("127.0.0.1", 0, is_default=False)
        self.input = ArtNetInput(endpoint, self.events.append, played.__contains__)
        self.input.start()
        self._senders: dict[int, StupidArtnet] = {}

    def show(self, levels: dict[int, int], universe: int = 0) -> None:
        """Set channels (from 1) and send the universe."""
        sender = self._senders.get(universe)
        if sender is None:
            sender = StupidArtnet("127.0.0.1", universe, 512, 30, True, False, port=self.input.port)
            self._senders[universe] = sender
        for channel, level in levels.items():
            sender.set_single_value(channel, level)
        before = self.input.status.frames
        sender.show()
        wait_until(lambda: self.input.status.frames > before)

    def heard(self) -> list[tuple[str, float]]:
        return [(event.control, event.value) for event in self.events]

    def close(self) -> None:
        self.input.stop()
        for sender in self._senders.values():
            sender.close()


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk({"dmx/0/1", "dmx/0/512", "dmx/7/3", "dmx16/0/10"})
    yield made
    made.close()


def test_a_channel_moves_its_control(desk: Desk):
    desk.show({1: 255, 512: 51})
    wait_until(lambda: desk.heard() == [("dmx/0/1", 1.0), ("dmx/0/512", 0.2), ("dmx16/0/10", 0.0)])
    desk.events.clear()
    desk.show({1: 0})
    wait_until(lambda: desk.heard() == [("dmx/0/1", 0.0)])
    assert {event.device for event in desk.events} == {"dmx"}


def test_universes_are_apart(desk: Desk):
    desk.show({3: 255}, universe=7)
    wait_until(lambda: desk.heard() == [("dmx/7/3", 1.0)])
    assert desk.input.status.universes == (7,)


def test_a_pair_of_channels_is_one_fine_control(desk: Desk):
    desk.show({})
    wait_until(lambda: len(desk.events) == 3)
    desk.events.clear()
    desk.show({10: 0x12, 11: 0x34})
    wait_until(lambda: ("dmx16/0/10", 0x1234 / 65535) in desk.heard())


def test_a_hand_on_an_unmapped_fader_is_heard_and_a_light_cue_is_not(desk: Desk):
    desk.show({})
    time.sleep(0.05)
    desk.events.clear()
    desk.show({100: 128})
    wait_until(lambda: desk.heard() == [("dmx/0/100", 128 / 255)])
    desk.events.clear()
    desk.show(dict.fromkeys(range(100, 200), 77))
    time.sleep(0.1)
    assert desk.events == []


def test_a_fast_desk_is_played_by_its_newest_frame(desk: Desk):
    for level in range(200):
        desk.show({1: level})
    wait_until(lambda: desk.events[-1].value == 199 / 255)
    assert len(desk.events) < 200


def test_a_late_frame_is_left_out(desk: Desk):
    def packet(sequence: int, level: int) -> bytes:
        return b"Art-Net\0\0\x50\0\x0e" + bytes([sequence, 0, 0, 0, 0, 2, level, 0])

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for sequence, level in [(250, 10), (249, 99), (255, 20), (1, 30), (254, 99)]:
            sender.sendto(packet(sequence, level), ("127.0.0.1", desk.input.port))
            time.sleep(0.03)
    assert [value for control, value in desk.heard() if control == "dmx/0/1"] == [10 / 255, 20 / 255, 30 / 255]


def test_bytes_nobody_meant_are_counted(desk: Desk):
    rng = random.Random(4)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for length in (0, 1, 8, 12, 17, 18, 19):
            sender.sendto((b"Art-Net\0\0\x50" + rng.randbytes(30))[:length], ("127.0.0.1", desk.input.port))
        for _ in range(200):
            sender.sendto(rng.randbytes(rng.randrange(600)), ("127.0.0.1", desk.input.port))
    wait_until(lambda: desk.input.status.malformed > 150)
    desk.show({1: 255})
    wait_until(lambda: ("dmx/0/1", 1.0) in desk.heard())


def test_a_frame_is_read_as_written():
    levels = bytes(range(256)) * 2
    packet = b"Art-Net\0\0\x50\0\x0e" + bytes([9, 0, 0x23, 0x01, 2, 0]) + levels
    assert decode_frame(packet) == DmxFrame(0x123, 9, levels)
    assert decode_frame(packet[:-1]) is None
    assert decode_frame(b"Art-Net\0\0\x20\0\x0e" + bytes(20)) is None


def test_a_port_that_is_taken_is_told_with_the_option():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        endpoint = OscEndpoint("127.0.0.1", other.getsockname()[1], is_default=False)
        with pytest.raises(OscPortError, match=r"the Art-Net port .* is taken .*--artnet"):
            ArtNetInput(endpoint, print, bool)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("dmx/0", "write dmx/<universe>/<channel>"),
        ("dmx/0/0", "1 to 512"),
        ("dmx16/0/512", "1 to 511"),
        ("dmx/40000/1", "0 to 32767"),
    ],
)
def test_names_of_channels_are_checked(name: str, words: str):
    assert check_control("dmx/01/005") == "dmx/1/5"
    with pytest.raises(ValueError, match=words):
        check_control(name)
