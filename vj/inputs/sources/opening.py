"""Which class plays a source's text. Extras are loaded by those that need them."""

from __future__ import annotations

from pathlib import Path

from vj.inputs.params import InputParams
from vj.inputs.source_text import read_source
from vj.inputs.sources.clip import ClipSource
from vj.inputs.sources.device import device_source
from vj.inputs.sources.lavfi import GraphSource
from vj.inputs.sources.ndi import NdiSource
from vj.inputs.sources.screen import screen_source
from vj.inputs.sources.source import Source
from vj.inputs.sources.spout import SpoutSource
from vj.inputs.sources.still import StillSource
from vj.inputs.sources.stream import stream_source
from vj.inputs.sources.syphon import SyphonSource


def open_source(settings: InputParams) -> Source:
    """Open what `settings.source` names. May take seconds. Raises SourceError."""
    asked = read_source(settings.source)
    match asked.kind:
        case "clip":
            return ClipSource(Path(asked.name), settings)
        case "still":
            return StillSource(Path(asked.name))
        case "stream":
            return stream_source(asked.name)
        case "lavfi":
            return GraphSource(asked.name)
        case "screen":
            return screen_source(asked.name, settings)
        case "ndi":
            return NdiSource(asked.name)
        case "spout":
            return SpoutSource(asked.name)
        case "syphon":
            return SyphonSource(asked.name)
    return device_source(asked.name, settings)
