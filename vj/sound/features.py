"""What is known of the sound at one moment, and which frequencies its four bands hold. Knows nothing of devices."""

from __future__ import annotations

from dataclasses import dataclass

BANDS = ("bass", "low_mid", "high_mid", "high")
BAND_EDGES_HZ = (20.0, 150.0, 800.0, 4000.0, 16000.0)
"""Band n reaches from edge n to edge n + 1; the last is cut where the device's sample rate ends."""

FourFloats = tuple[float, float, float, float]
FourTimes = tuple[int, int, int, int]


@dataclass(frozen=True)
class SoundFeatures:
    """The sound of one block of about 11 ms. Times are time.monotonic_ns() at the microphone; 0 = never.

    A reader slower than the blocks misses values of `onsets`: it takes `onset_times_ns`, which stay until the next one.
    """

    time_ns: int = 0  # when the block's last sample was captured
    level: float = 0.0  # 0..1, linear amplitude after the gain
    bands: FourFloats = (0.0, 0.0, 0.0, 0.0)  # 0..1 each, linear, each band by its own loud parts with auto gain
    onsets: FourFloats = (0.0, 0.0, 0.0, 0.0)  # 1 in the block in which something began in that band, else 0
    onset_times_ns: FourTimes = (0, 0, 0, 0)  # when it last began in that band
    centroid: float = 0.0  # 0..1: the spectrum's centre, by octaves over all bands (dull to bright)
    bpm: float = 0.0  # 0 = not known
    bpm_confidence: float = 0.0  # 0..1; under about 0.3 it is a guess
    beat_time_ns: int = 0  # the last beat at or before time_ns; the next is 60e9 / bpm later
    is_clipping: bool = False  # held for half a second after samples at full scale
    has_signal: bool = False  # louder than the floor


SILENCE = SoundFeatures()
