"""The decoder against python-osc's encoder, and against bytes nobody meant."""

import contextlib
import random
import struct

import pytest
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder

from vj.controllers.osc.packet import BUNDLE_DEPTH, OscMessage, PacketError, decode_packet


def encode(address: str, *arguments: object):
    builder = OscMessageBuilder(address)
    for argument in arguments:
        builder.add_arg(argument)
    return builder.build()


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        (1,),
        (-7, 0.5),
        ("ink",),
        ("",),
        ("grün, 墨",),
        (True, False, None),
        (b"\x00\x01\x02",),
        (2**40,),
        ("abcd", 3),
    ],
)
def test_what_python_osc_writes_is_read(arguments):
    message = encode("/vj/seed/value", *arguments)
    assert list(decode_packet(message.dgram)) == [OscMessage("/vj/seed/value", arguments)]


def test_arrays_are_spread_out():
    message = encode("/a", [1, [2.5, "x"]], 3)
    assert next(decode_packet(message.dgram)).arguments == (1, 2.5, "x", 3)


@pytest.mark.parametrize("time_tag", [IMMEDIATELY, 2.0e9])
def test_bundles_are_read_at_once_whatever_their_time(time_tag):
    inner = OscBundleBuilder(time_tag)
    inner.add_content(encode("/b", 2))
    outer = OscBundleBuilder(time_tag)
    outer.add_content(encode("/a", 1))
    outer.add_content(inner.build())
    outer.add_content(encode("/c", 3))
    assert [m.address for m in decode_packet(outer.build().dgram)] == ["/a", "/b", "/c"]


def test_tags_python_osc_drops_are_read():
    packet = b"/a\0\0,ISch\0\0\0" + b"sym\0" + struct.pack(">i", ord("x")) + struct.pack(">q", 9)
    assert next(decode_packet(packet)).arguments == ("sym", "x", 9)


def test_a_message_without_type_tags_has_no_arguments():
    assert list(decode_packet(b"/vj/cut/hard\0\0\0\0")) == [OscMessage("/vj/cut/hard", ())]


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"\0\0\0\0",
        b"hello",
        b"/unfinished",
        b"/a\0\0nocomma\0",
        b"/a\0\0,f\0\0\x01",
        b"/a\0\0,s\0\0abc",
        b"/a\0\0,Z\0\0",
        b"/\xff\xfe\0",
        b"/a\0\0,b\0\0" + struct.pack(">i", -1),
        b"#bundle\0" + bytes(8) + struct.pack(">i", -4),
        b"#bundle\0" + bytes(8) + struct.pack(">i", 0),
        b"#bundle\0" + bytes(8) + struct.pack(">i", 2**31 - 1),
        b"#bundle\0" + bytes(8) + b"\0\0",
        (b"#bundle\0" + bytes(8)) * 3,
    ],
)
def test_what_is_no_packet_is_an_error_of_one_kind(packet):
    with pytest.raises(PacketError):
        list(decode_packet(packet))


def test_nesting_is_bounded():
    packet = b"/a\0\0,\0\0\0"
    for _ in range(BUNDLE_DEPTH + 1):
        packet = b"#bundle\0" + bytes(8) + struct.pack(">i", len(packet)) + packet
    with pytest.raises(PacketError, match="nested"):
        list(decode_packet(packet))


def test_random_and_damaged_bytes_raise_nothing_else():
    rng = random.Random(5)
    bundle = OscBundleBuilder(IMMEDIATELY)
    bundle.add_content(encode("/vj/prompt/1/text", "ink", 2.0, [1, "b"], b"blob"))
    bundle.add_content(encode("/vj/seed/value", 2**40, True))
    whole = bundle.build().dgram
    for k in range(20000):
        if k % 2:
            packet = rng.randbytes(rng.randrange(80))
        else:
            damaged = bytearray(whole[: rng.randrange(len(whole) + 1)])
            for _ in range(rng.randrange(4)):
                if damaged:
                    damaged[rng.randrange(len(damaged))] = rng.randrange(256)
            packet = bytes(damaged)
        with contextlib.suppress(PacketError):
            list(decode_packet(packet))
