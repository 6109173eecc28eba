"""From values as they are sent to what a chunk is made with: addresses that are known, in range, of the right type.

Knows nothing of how they travel.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from engine.parameter import Value
from engine.params import ENGINE_PARAMETERS, ChunkParams

_LOG = logging.getLogger(__name__)
_PARAMETERS = {parameter.address: parameter for parameter in ENGINE_PARAMETERS}


def chunk_params(values: Mapping[str, Value]) -> ChunkParams:
    """Build a chunk's parameters; what makes no sense is logged and keeps its default."""
    sensible: dict[str, Value] = {}
    for address, value in values.items():
        if (parameter := _PARAMETERS.get(address)) is None:
            continue
        try:
            sensible[address] = parameter.coerce(value)
        except ValueError as error:
            _LOG.warning("%s", error)
    return ChunkParams.from_values(sensible)
