"""`python -m tests.servers.osc_sender PORT KIND RATE COUNT`: datagrams at a steady rate from a process of its own.

KIND is `moves` (faders, choices, presses, bundles) or `malformed` (bytes nobody means, values no parameter takes).
"""

from __future__ import annotations

import random
import socket
import struct
import sys
import time
from collections.abc import Callable

from pythonosc.osc_bundle_builder import OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder

from vj.parameters import PARAMETERS

SLICE_S = 0.002  # between two bursts
SEED = 11
VARIETIES = 10_000
LONG_TEXT = "x" * 65000
PRESS_SHARE = 0.0002  # at 20,000 messages a second as often as hands can: each press is obeyed, a cut is work
PRESSES = ("/vj/cut/hard", "/vj/cut/soft", "/vj/seed/next")
QUIET_ADDRESSES = (
    "/vj/audio/",
    "/vj/mod/",
    "/vj/clock/",
    "/vj/lock/",
    "/vj/timeline/",
)  # set the machine, not the hand

COSTLY = "/mix"  # every effect at once takes a software rasteriser its rate


def message(address: str, *arguments: object) -> bytes:
    """One message as python-osc writes it."""
    builder = OscMessageBuilder(address)
    for argument in arguments:
        builder.add_arg(argument)
    return builder.build().dgram


def moves(rng: random.Random) -> bytes:
    """What fast hands and programs of channels send: single messages, bundles of eight, and a press now and then."""
    moved = (a for a, p in PARAMETERS.items() if p.kind in ("float", "choice") and not a.startswith(QUIET_ADDRESSES))
    faders = [address for address in moved if not address.endswith(COSTLY)]
    if rng.random() < PRESS_SHARE:
        return message(rng.choice(PRESSES), 1)
    if rng.random() < 0.9:
        return message(rng.choice(faders), rng.random())
    bundle = OscBundleBuilder(time.time() + 10.0)
    for address in rng.sample(faders, 8):
        builder = OscMessageBuilder(address)
        builder.add_arg(rng.random())
        bundle.add_content(builder.build())
    return bundle.build().dgram


def malformed(rng: random.Random) -> bytes:
    """One of the things a broken sender, a fuzzer or another protocol sends."""
    whole = moves(random.Random(rng.random()))
    nothing = struct.pack(">i", rng.choice([-4, 0, 2**31 - 1, 3]))
    kinds: list[Callable[[], bytes]] = [
        lambda: rng.randbytes(rng.randrange(1400)),
        lambda: b"/vj/" + rng.randbytes(rng.randrange(60)),
        lambda: b"#bundle\0" + bytes(8) + nothing + rng.randbytes(20),
        lambda: (b"#bundle\0" + bytes(8)) * 40,
        lambda: whole[: rng.randrange(1, len(whole))],
        lambda: message("/vj/output/level", float("nan")),
        lambda: message("/vj/effect/zoom", float("inf")),
        lambda: message("/vj/prompt/1/weight", rng.randbytes(40)),
        lambda: message("/vj/prompt/2/weight", "loud"),
        lambda: message("/vj/seed/value", "not a seed"),
        lambda: message("/vj/nobody/home", 1.0),
        lambda: message("/vj/" + "*?" * 60, 1.0),
        lambda: message("/vj/{" + "a,b," * 50 + "}", 1.0),
        lambda: message("/some/other/program", rng.random()),
        lambda: message("/vj/prompt/3/text", LONG_TEXT[: rng.randrange(60000, 65000)]),
    ]
    # the long ones are one in a hundred: 64 KB each
    return kinds[-1]() if rng.random() < 0.01 else rng.choice(kinds[:-1])()


def send(port: int, kind: str, rate_hz: float, count: int) -> None:
    """Send `count` datagrams at `rate_hz`; late ones are sent at once."""
    rng = random.Random(SEED)
    make = {"moves": moves, "malformed": malformed}[kind]
    datagrams = [make(rng) for _ in range(VARIETIES)]
    began_s = time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sent = 0
        while sent < count:
            due = min(count, int((time.monotonic() - began_s) * rate_hz) + 1)
            for number in range(sent, due):
                sender.sendto(datagrams[number % VARIETIES], ("127.0.0.1", port))
            sent = max(sent, due)
            time.sleep(SLICE_S)
    print(f"{time.monotonic() - began_s:.3f}")


if __name__ == "__main__":
    send(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]), int(sys.argv[4]))
