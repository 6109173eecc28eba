"""Bytes of a device become events: plain messages, 14-bit pairs in either order, NRPN with running data."""

import random

import pytest

from vj.controllers.midi_decoder import MidiDecoder

MS = 1_000_000


def read(decoder: MidiDecoder, *messages: list[int], start_ms: int = 0) -> list[tuple[str, float]]:
    """Play messages a tenth of a millisecond apart; return name and value of every event."""
    events = [
        event for k, message in enumerate(messages) for event in decoder.read(message, start_ms * MS + k * MS // 10)
    ]
    return [(event.control, event.value) for event in events]


@pytest.mark.parametrize(
    ("message", "control", "value"),
    [
        ([0xB0, 70, 127], "cc/1/70", 1.0),
        ([0xBF, 64, 0], "cc/16/64", 0.0),
        ([0x90, 60, 127], "note/1/60", 1.0),
        ([0x90, 60, 0], "note/1/60", 0.0),
        ([0x80, 60, 64], "note/1/60", 0.0),
        ([0xE1, 0, 0], "bend/2", 0.0),
        ([0xE1, 0, 64], "bend/2", 0.5),
        ([0xE1, 127, 127], "bend/2", 1.0),
        ([0xD0, 127], "pressure/1", 1.0),
        ([0xA0, 60, 127], "pressure/1/60", 1.0),
        ([0xC4, 5], "program/5/5", 1.0),
    ],
)
def test_plain_messages_become_events(message, control, value):
    assert read(MidiDecoder("box"), message) == [(control, value)]


@pytest.mark.parametrize(
    "message", [[], [0xF8], [0xB0, 7], [0xB0, 7, 200], [0x40], [0xE0, 0], [0xF0, 1, 0xF7], [0xB0, 7, 1, 1], [300, 1, 1]]
)
def test_other_bytes_are_passed_over(message):
    assert MidiDecoder("box").read(message, 0) == []


def wide(value: int, is_fine_first: bool = False) -> list[list[int]]:
    halves = [[0xB0, 7, value >> 7], [0xB0, 39, value & 127]]
    return halves[::-1] if is_fine_first else halves


@pytest.mark.parametrize("is_fine_first", [False, True])
def test_14_bits_arrive_in_either_order_and_never_overshoot(is_fine_first):
    decoder = MidiDecoder("box")
    read(decoder, *wide(8000, is_fine_first))
    ways = [range(8000, 9000, 37), range(8950, 7000, -53)]
    seen: list[float] = []
    for start_ms, way in zip((100, 9000), ways, strict=True):
        for k, value in enumerate(way):
            events = read(decoder, *wide(value, is_fine_first), start_ms=start_ms + 100 * k)
            heard = [round(held * 16383) for name, held in events if name == "cc14/1/7"]
            assert heard[-1] == value
            seen += heard
        is_up = way.step > 0
        assert seen == sorted(seen, reverse=not is_up)
        seen = seen[-1:]


def test_a_pair_without_its_fine_half_still_reaches_both_ends():
    decoder = MidiDecoder("box")
    assert read(decoder, [0xB0, 7, 0], [0xB0, 7, 127])[1::2] == [("cc14/1/7", 0.0), ("cc14/1/7", 1.0)]


def test_fine_halves_alone_move_a_pair():
    decoder = MidiDecoder("box")
    read(decoder, *wide(8000))
    events = read(decoder, [0xB0, 39, 65], [0xB0, 39, 70], start_ms=200)
    assert [round(value * 16383) for name, value in events if name == "cc14/1/7"] == [7936 + 65, 7936 + 70]


def nrpn(number: int) -> list[list[int]]:
    return [[0xB2, 99, number >> 7], [0xB2, 98, number & 127]]


def heard(events: list[tuple[str, float]]) -> list[tuple[str, int]]:
    return [(name, round(value * 16383)) for name, value in events if name.startswith("nrpn")]


def test_nrpn_with_running_data():
    decoder = MidiDecoder("box")
    events = read(decoder, *nrpn(1234), [0xB2, 6, 64], [0xB2, 38, 5], [0xB2, 6, 65], [0xB2, 38, 0])
    assert heard(events)[1] == ("nrpn/3/1234", 64 << 7 | 5)
    assert heard(events)[-1] == ("nrpn/3/1234", 65 << 7)


def test_nrpn_of_seven_bits_reaches_full_scale():
    assert heard(read(MidiDecoder("box"), *nrpn(5), [0xB2, 6, 127])) == [("nrpn/3/5", 16383)]


def test_nrpn_increments_are_clicks():
    decoder = MidiDecoder("box")
    for message in nrpn(300):
        decoder.read(message, 0)
    (up,) = [event for event in decoder.read([0xB2, 96, 0], 0) if event.clicks]
    (down,) = [event for event in decoder.read([0xB2, 97, 0], 0) if event.clicks]
    assert (up.control, up.clicks, down.clicks) == ("nrpn/3/300", 1, -1)


@pytest.mark.parametrize("selection", [[], [[0xB2, 99, 9]], [[0xB2, 99, 127], [0xB2, 98, 127]]])
def test_data_for_no_nrpn_is_a_plain_control(selection):
    assert heard(read(MidiDecoder("box"), *selection, [0xB2, 6, 64])) == []


def test_a_registered_parameter_ends_an_nrpn():
    decoder = MidiDecoder("box")
    assert heard(read(decoder, *nrpn(1), [0xB2, 101, 0], [0xB2, 100, 0], [0xB2, 6, 2])) == []


def test_noise_never_raises_and_stays_in_range():
    chance = random.Random(7)
    decoder = MidiDecoder("box")
    for k in range(20_000):
        message = [chance.choice([0xB0, 0xB0, 0xE0, 0x90, chance.randrange(256)])]
        message += [chance.randrange(128) for _ in range(chance.choice([2, 2, 2, 0, 1, 3]))]
        for event in decoder.read(message, k * chance.randrange(MS)):
            assert 0.0 <= event.value <= 1.0
