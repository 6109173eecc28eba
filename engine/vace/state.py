"""What one stream carries of what guides it from chunk to chunk."""

from __future__ import annotations

from dataclasses import dataclass

from engine.vae.latents import EncoderState


@dataclass
class VaceState:
    """Emptied by a hard cut; references are not in it: they are held across cuts."""

    inactive: EncoderState | None = None
    reactive: EncoderState | None = None
