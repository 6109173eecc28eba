"""How loud the sound and its bands are on a scale of 0 to 1, with a gain that follows the music if asked to."""

from __future__ import annotations

from collections.abc import Sequence

HALF_LIFE_S = 5.0  # of the loud parts' memory; nothing is forgotten in silence
ATTACK = 0.35  # per block: one click alone does not turn the gain down
ABOVE_FLOOR = 8.0  # loud parts are at least 18 dB above the floor: a quiet room is not lifted to full scale
BAND_LIFT = 0.06  # and a band's are at most 24 dB under the whole sound's


class Loudness:
    """Fed the amplitudes of one block, by one thread."""

    def __init__(self, block_s: float, band_count: int) -> None:
        """Take the time from block to block in seconds."""
        self._decay = 0.5 ** (block_s / HALF_LIFE_S)
        self._loud = [0.0] * (1 + band_count)

    def feed(self, amplitudes: Sequence[float], floor: float, has_auto_gain: bool) -> list[float]:
        """Return level and bands, 0..1, from their linear amplitudes (level first); `floor` is linear too."""
        for k, amplitude in enumerate(amplitudes):
            loud = self._loud[k] * self._decay
            self._loud[k] = loud + max(0.0, ATTACK * (amplitude - loud))
        if not has_auto_gain:
            return [min(amplitude, 1.0) for amplitude in amplitudes]
        least = max(BAND_LIFT * self._loud[0], floor)
        full = [max(self._loud[0], ABOVE_FLOOR * floor), *(max(loud, least) for loud in self._loud[1:])]
        return [min(amplitude / loud, 1.0) for amplitude, loud in zip(amplitudes, full, strict=True)]
