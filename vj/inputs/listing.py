"""What can be opened as an input: cameras, cards, the screen, what other programs share. Looked for in its own process.

Run as a module it writes the list to stdout, as JSON.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass

import av

from engine.terminal import take_stdout
from vj.inputs.sources.device import Device, list_devices
from vj.inputs.sources.ndi import list_ndi
from vj.inputs.sources.source import SourceError
from vj.inputs.sources.spout import list_spout
from vj.inputs.sources.syphon import list_syphon
from vj.processes.asked import AskedProcess, NoAnswerError
from vj.processes.child import end_with_parent

MOST_FORMATS = 24  # of one device
LONGEST_S = 20.0  # for all of it, the network's some seconds included
_LOG = logging.getLogger(__name__)
_FORMAT_LINE = re.compile(r"(?:Raw|Compressed)\s*:\s*(\S+) : .* : (.+)|(?:vcodec|pixel_format)=(\S+) .*max s=(\S+)")


@dataclass(frozen=True)
class Listed:
    """One thing that can be opened."""

    kind: str  # camera | screen | ndi | spout | syphon
    source: str  # text for /vj/input/{n}/source
    name: str  # for people
    formats: tuple[str, ...] = ()  # texts for /vj/input/{n}/format; empty = its own only, or not known


class Listing:
    """Asks for the list and picks it up when it is there. `ask`, `take` and `stop` belong to one thread."""

    def __init__(self) -> None:
        self.found: tuple[Listed, ...] = ()  # any thread
        self.times = 0  # how often it was looked; 0 = never yet
        self._asked = AskedProcess("vj.inputs.listing")
        self.stop = self._asked.stop

    def ask(self) -> None:
        """Begin, unless that is under way or no process can be had."""
        self._asked.ask(LONGEST_S)

    def take(self) -> None:
        """Take up the list once it is there; after a driver that hangs or spoils it the old one stays."""
        try:
            written = self._asked.take()
        except NoAnswerError as error:
            _LOG.warning("inputs cannot be listed: %s", error)
            return
        if written is None:
            return
        with contextlib.suppress(ValueError, TypeError, KeyError):
            self.found = tuple(_read_listed(one) for one in json.loads(written))
        self.times += 1


def list_sources(*, with_network: bool = True) -> tuple[Listed, ...]:
    """List everything there is; a kind without its package is left out. Takes some seconds with the network."""
    listed = [Listed("camera", one.name, one.name, device_formats(one)) for one in list_devices()]
    listed.append(Listed("screen", "screen", "the screen of this computer"))
    kinds: tuple[tuple[str, Callable[[], tuple[str, ...]], bool], ...] = (
        ("ndi", list_ndi, with_network),
        ("spout", list_spout, sys.platform == "win32"),
        ("syphon", list_syphon, sys.platform == "darwin"),
    )
    for kind, names, is_wanted in kinds:
        if is_wanted:
            with contextlib.suppress(SourceError):
                listed += [Listed(kind, f"{kind}:{name}", name) for name in names()]
    return tuple(listed)


def device_formats(device: Device) -> tuple[str, ...]:
    """Formats a device says it has, as texts to ask for them; empty where it does not say."""
    if sys.platform == "linux":
        where, driver, options = device.place, "v4l2", {"list_formats": "all"}
    elif sys.platform == "win32":
        where, driver, options = f"video={device.place}", "dshow", {"list_options": "true"}
    else:
        return ()
    level = av.logging.get_level()
    av.logging.set_level(av.logging.INFO)
    try:
        with av.logging.Capture() as lines, contextlib.suppress(av.FFmpegError, OSError):
            av.open(where, format=driver, options=options).close()
        return read_formats([line for _, _, line in lines])
    finally:
        av.logging.set_level(level)


def read_formats(lines: list[str]) -> tuple[str, ...]:
    """Read what FFmpeg's drivers print about a device's formats."""
    found: dict[str, None] = {}
    for line in lines:
        if match := _FORMAT_LINE.search(line):
            codec, sizes = match[1] or match[3], match[2] or match[4]
            found |= dict.fromkeys(f"{codec} {size}" for size in re.findall(r"\d+x\d+", sizes))
    return tuple(found)[:MOST_FORMATS]


def _read_listed(fields: dict[str, object]) -> Listed:
    formats = fields.pop("formats")
    return Listed(**fields, formats=tuple(formats))


if __name__ == "__main__":
    output = os.fdopen(take_stdout(), "w")
    end_with_parent()
    with output:
        json.dump([dataclasses.asdict(one) for one in list_sources()], output)
