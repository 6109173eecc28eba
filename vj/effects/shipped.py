"""The effects and crossfades that come with the instrument, read once from their files.

What is declared comes from here. A file that cannot be read is left out and named in `FAULTS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from vj.effects.isf_file import Effect, read_effect
from vj.shipped_files import CROSSFADES, EFFECTS, list_shipped
from vj.written_files import FileError

NOT_SAID = 1 << 10  # of a place in the chain: behind all that is


def _read(kind: str) -> tuple[dict[str, Effect], dict[str, str]]:
    found, faults = {}, {}
    for name, path in list_shipped(kind).items():
        try:
            found[name] = read_effect(path)
        except FileError as error:
            faults[name] = str(error)
    return found, faults


_effects, _effect_faults = _read(EFFECTS)
_fades, _fade_faults = _read(CROSSFADES)
SHIPPED: Mapping[str, Effect] = MappingProxyType(
    dict(sorted(_effects.items(), key=lambda item: (item[1].place or NOT_SAID, item[0])))
)
"""Effects by name, in the order of the chain."""
SHIPPED_FADES: Mapping[str, Effect] = MappingProxyType(_fades)
"""Crossfades by name."""
FAULTS: Mapping[str, str] = MappingProxyType(_effect_faults | _fade_faults)
"""What could not be read, by name: sentences."""
