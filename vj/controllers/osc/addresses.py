"""Which parameters an OSC address or address pattern means, and in which units.

Derived from the parameter table. Knows nothing of sockets.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass

from engine.parameter import Parameter
from vj.parameters import ALL_PARAMETERS

RAW_SUFFIX = "/raw"
PATTERN_CHARACTERS = frozenset("*?[{")
PATTERN_MAX_LENGTH = 256  # longer ones match nothing here and cost time
_PATTERN_PART = re.compile(r"\*+|\?|\[[^\]]*\]|\{[^}]*\}|.", re.DOTALL)


@dataclass(frozen=True)
class OscTarget:
    """One address that answers."""

    parameter: Parameter
    is_position: bool  # arguments are fader positions 0..1, not native units

    @property
    def address(self) -> str:
        """The parameter's own, without /raw."""
        return self.parameter.address


def _targets() -> dict[str, OscTarget]:
    found: dict[str, OscTarget] = {}
    for address, parameter in ALL_PARAMETERS.items():
        found[address] = OscTarget(parameter, parameter.kind == "float")
        if parameter.kind == "float":
            found[address + RAW_SUFFIX] = OscTarget(parameter, False)
    return found


TARGETS: dict[str, OscTarget] = _targets()


def find_targets(address: str) -> tuple[OscTarget, ...]:
    """List what an address or a pattern means; empty when nothing answers to it."""
    if address in TARGETS:
        return (TARGETS[address],)
    if PATTERN_CHARACTERS.isdisjoint(address) or len(address) > PATTERN_MAX_LENGTH:
        return ()
    return _match_pattern(address)


@functools.lru_cache(maxsize=512)
def _match_pattern(pattern: str) -> tuple[OscTarget, ...]:
    """Match as OSC 1.0 says: `*` and `?` stay inside one part of the address, `[!a-z]`, `{one,two}`."""
    parts = _PATTERN_PART.findall(pattern)
    try:
        return tuple(target for address, target in TARGETS.items() if _is_match(parts, address))
    except re.error:
        return ()  # a character range that runs backwards


def _is_match(parts: list[str], address: str) -> bool:
    """Walk all readings of a pattern side by side: a regular expression tries one after another, for years if asked."""
    reached = {0}
    for part in parts:
        reached = {end for start in reached for end in _ends(part, address, start)}
    return len(address) in reached


def _ends(part: str, address: str, start: int) -> Iterable[int]:
    """Where one part of a pattern may end when it begins at `start`."""
    if part.startswith("{") and len(part) > 2:
        words = part[1:-1].split(",")
        return {start + len(word) for word in words if address.startswith(word, start)}
    if part.startswith("*"):
        slash = address.find("/", start)
        return range(start, (len(address) if slash < 0 else slash) + 1)
    is_one = start < len(address) and _matches_character(part, address[start])
    return (start + 1,) if is_one else ()


def _matches_character(part: str, character: str) -> bool:
    if part == "?":
        return character != "/"
    if part.startswith("[") and len(part) > 2:
        negation, characters = ("^", part[2:-1]) if part[1] == "!" else ("", part[1:-1])
        ranges = re.escape(characters).replace("\\-", "-")
        return re.fullmatch(f"[{negation}{ranges}]", character) is not None
    return part == character
