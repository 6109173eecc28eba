"""Which parameters an OSC address or address pattern means, and in which units.

Derived from the parameter table. Knows nothing of sockets.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass

from engine.parameter import Parameter
from vj.controllers.osc.params import OSC_PARAMETERS
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
        if parameter in OSC_PARAMETERS:
            continue
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
    """Match as OSC 1.0 says: `*` and `?` stay inside one part of the address, `[!a-z]`, `{one,two}`.

    Part by part, each against the few words that stand there: a hostile pattern costs milliseconds.
    """
    parts = pattern.split("/")
    found = _BY_DEPTH.get(len(parts), ())
    try:
        for depth, part in enumerate(parts):
            tokens = _PATTERN_PART.findall(part)
            words = {word for word in {words[depth] for words, _ in found} if _is_match(tokens, word)}
            found = [(address, target) for address, target in found if address[depth] in words]
    except re.error:
        return ()  # a character range that runs backwards
    return tuple(target for _, target in found)


def _by_depth() -> dict[int, list[tuple[list[str], OscTarget]]]:
    found: dict[int, list[tuple[list[str], OscTarget]]] = {}
    for address, target in TARGETS.items():
        words = address.split("/")
        found.setdefault(len(words), []).append((words, target))
    return found


_BY_DEPTH = _by_depth()


def _is_match(tokens: list[str], word: str) -> bool:
    """Walk all readings of a pattern side by side: a regular expression tries one after another, for years if asked."""
    reached = {0}
    for token in tokens:
        reached = {end for start in reached for end in _ends(token, word, start)}
    return len(word) in reached


def _ends(token: str, word: str, start: int) -> Iterable[int]:
    """Where one token of a pattern may end when it begins at `start`."""
    if token.startswith("{") and len(token) > 2:
        choices = token[1:-1].split(",")
        return {start + len(choice) for choice in choices if word.startswith(choice, start)}
    if token.startswith("*"):
        return range(start, len(word) + 1)
    is_one = start < len(word) and _matches_character(token, word[start])
    return (start + 1,) if is_one else ()


def _matches_character(token: str, character: str) -> bool:
    if token == "?":
        return True
    if token.startswith("[") and len(token) > 2:
        negation, characters = ("^", token[2:-1]) if token[1] == "!" else ("", token[1:-1])
        ranges = re.escape(characters).replace("\\-", "-")
        return re.fullmatch(f"[{negation}{ranges}]", character) is not None
    return token == character
