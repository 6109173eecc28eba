"""OSC 1.0 packets, bytes to messages: any bundle, any nesting, any time tag, every type tag.

A pure decoder for input nobody vouches for: bounded work, one error type. Knows nothing of sockets or parameters.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

BUNDLE_HEADER = b"#bundle\0"
TIME_TAG_BYTES = 8
BUNDLE_DEPTH = 16  # nesting real senders never reach

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
    yield from _decode_element(packet, 0)


def _decode_element(element: bytes, depth: int) -> Iterator[OscMessage]:
    if element.startswith(b"/"):
        yield _decode_message(element)
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
        yield from _decode_element(element[position : position + size], depth + 1)
        position += size


def _decode_message(element: bytes) -> OscMessage:
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
