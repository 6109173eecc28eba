"""OSC 1.0 packets, bytes to messages and back: any bundle, any nesting, any time tag, every type tag.

The decoder is for input nobody vouches for: bounded work, one error type. Knows nothing of sockets or parameters.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

BUNDLE_HEADER = b"#bundle\0"
TIME_TAG_BYTES = 8
IMMEDIATELY = struct.pack(">Q", 1)  # the time tag that means now
BUNDLE_DEPTH = 16  # nesting real senders never reach
DATAGRAM_BYTES = 1400  # what one network packet carries everywhere; a larger one may arrive in parts, or not

Argument = float | int | bool | str | bytes | None

_FIXED = {tag: struct.Struct(form) for tag, form in {"i": ">i", "f": ">f", "h": ">q", "d": ">d", "t": ">Q"}.items()}
_RAW_WORD = struct.Struct(">4s")  # colours and MIDI bytes, kept as they are
_CONSTANTS: dict[str, Argument] = {"T": True, "F": False, "N": None, "I": None}  # I, impulse: a press without a value


class PacketError(ValueError):
    """Bytes that are no OSC packet."""


@dataclass(frozen=True)
class OscMessage:
    """An address (or a pattern) and its arguments. Arrays are spread out."""

    address: str
    arguments: tuple[Argument, ...]


def decode_packet(packet: bytes) -> Iterator[OscMessage]:
    """Yield the messages of a packet in order, whatever their time tags.

    Raises PacketError at the first thing that cannot be read; what came before it has been yielded.
    """
    for element in split_packet(packet):
        yield decode_message(element)


def split_packet(packet: bytes, depth: int = 0) -> Iterator[bytes]:
    """Yield the messages of a packet as bytes, unread. Raises PacketError at a bundle that does not fit."""
    element = packet
    if element.startswith(b"/"):
        yield element
        return
    if not element.startswith(BUNDLE_HEADER):
        raise PacketError("begins with neither an address nor #bundle")
    if depth >= BUNDLE_DEPTH:
        raise PacketError(f"bundles nested deeper than {BUNDLE_DEPTH}")
    position = len(BUNDLE_HEADER) + TIME_TAG_BYTES
    while position < len(element):
        size, position = _read_int(element, position)
        # a size below 1 would read the same bytes again and again
        if size < 1 or position + size > len(element):
            raise PacketError(f"a bundle element of {size} bytes does not fit")
        yield from split_packet(element[position : position + size], depth + 1)
        position += size


def decode_message(element: bytes) -> OscMessage:
    """Read one message. Raises PacketError."""
    address, position = _read_text(element, 0)
    if position >= len(element):
        return OscMessage(address, ())  # senders older than type tags: no arguments means a press
    tags, position = _read_text(element, position)
    if not tags.startswith(","):
        raise PacketError(f"{address}: type tags must begin with a comma")
    arguments: list[Argument] = []
    for tag in tags[1:]:
        if tag in "[]" or tag == "I":
            continue
        argument, position = _read_argument(element, position, tag)
        arguments.append(argument)
    return OscMessage(address, tuple(arguments))


def _read_argument(element: bytes, position: int, tag: str) -> tuple[Argument, int]:
    if tag in _CONSTANTS:
        return _CONSTANTS[tag], position
    if tag in "sS":
        return _read_text(element, position)
    if tag == "b":
        size, position = _read_int(element, position)
        if size < 0 or position + size > len(element):
            raise PacketError(f"a blob of {size} bytes does not fit")
        return element[position : position + size], position + size + -size % 4
    if tag == "c":
        code, position = _read_int(element, position)
        return chr(code) if 0 <= code <= 0x10FFFF else "", position
    form = _RAW_WORD if tag in "rm" else _FIXED.get(tag)
    if form is None:
        raise PacketError(f"unknown type tag {tag!r}")
    if position + form.size > len(element):
        raise PacketError(f"cut short in an argument of type {tag}")
    return form.unpack_from(element, position)[0], position + form.size


def _read_int(element: bytes, position: int) -> tuple[int, int]:
    if position + 4 > len(element):
        raise PacketError("cut short in a size")
    return _FIXED["i"].unpack_from(element, position)[0], position + 4


def _read_text(element: bytes, position: int) -> tuple[str, int]:
    end = element.find(b"\0", position)
    if end < 0:
        raise PacketError("cut short in a text")
    try:
        text = element[position:end].decode()
    except UnicodeDecodeError:
        raise PacketError("a text is not UTF-8") from None
    return text, end + 4 - (end - position) % 4


def encode_message(address: str, *arguments: float | int | bool | str) -> bytes:
    """Write one message. Whole numbers beyond 32 bits go as 64."""
    tags, payload = ",", b""
    for argument in arguments:
        if isinstance(argument, bool):
            tags += "T" if argument else "F"
        elif isinstance(argument, str):
            tags += "s"
            payload += _encode_text(argument)
        elif isinstance(argument, int):
            tag = "i" if -(2**31) <= argument < 2**31 else "h"
            tags += tag
            payload += _FIXED[tag].pack(argument)
        else:
            tags += "f"
            payload += _FIXED["f"].pack(argument)
    return _encode_text(address) + _encode_text(tags) + payload


def encode_bundles(messages: Iterable[bytes], limit: int = DATAGRAM_BYTES) -> Iterator[bytes]:
    """Pack messages, in order, into as few datagrams of at most `limit` bytes as they need.

    A message alone needs no bundle; one that is too long for any goes alone.
    """
    held: list[bytes] = []
    size = _EMPTY_BUNDLE_BYTES
    for message in messages:
        if held and size + 4 + len(message) > limit:
            yield _encode_bundle(held)
            held, size = [], _EMPTY_BUNDLE_BYTES
        held.append(message)
        size += 4 + len(message)
    if held:
        yield _encode_bundle(held)


_EMPTY_BUNDLE_BYTES = len(BUNDLE_HEADER) + TIME_TAG_BYTES


def _encode_bundle(messages: list[bytes]) -> bytes:
    if len(messages) == 1:
        return messages[0]
    elements = (part for message in messages for part in (_FIXED["i"].pack(len(message)), message))
    return b"".join((BUNDLE_HEADER, IMMEDIATELY, *elements))


def _encode_text(text: str) -> bytes:
    raw = text.encode("utf-8", "replace").replace(b"\0", b"")  # a zero would end the text for whoever reads it
    return raw + bytes(4 - len(raw) % 4)
