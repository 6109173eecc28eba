"""Hits in the sound become control events, so that mapping files can give them something to play.

Knows nothing of how hits are found or of what they do.
"""

from __future__ import annotations

from collections.abc import Callable

from vj.controllers.events import AUDIO, ControlEvent
from vj.parameters import ParameterStore
from vj.sound.features import SoundFeatures

SWITCH_ADDRESS = "/vj/audio/onsets"
HELD_NS = 120_000_000  # a hit is let go again after this long, as a pad is


class OnsetPlayer:
    """A player of the conductor's. Sends nothing while its switch is off."""

    def __init__(
        self,
        features: Callable[[], SoundFeatures],
        store: ParameterStore,
        play_event: Callable[[ControlEvent], None],
    ) -> None:
        """`features` gives the newest ones and never waits; `play_event` is the router's."""
        self._features = features
        self._store = store
        self._play_event = play_event
        self._played_ns = features().onset_times_ns
        self._held: dict[int, int] = {}  # band -> time.monotonic_ns() at which it is let go

    def tick(self, now_ns: int) -> None:
        """Play the hits since the last tick, and let go of those before."""
        for band in [band for band, until_ns in self._held.items() if now_ns >= until_ns]:
            del self._held[band]
            self._play_event(ControlEvent(AUDIO, f"audio/onset/{band}", 0.0, now_ns))
        hit_ns, before_ns = self._features().onset_times_ns, self._played_ns
        self._played_ns = hit_ns
        if not self._store.get(SWITCH_ADDRESS):
            return
        for band, (time_ns, last_ns) in enumerate(zip(hit_ns, before_ns, strict=True), start=1):
            if time_ns != last_ns:
                self._held[band] = now_ns + HELD_NS
                self._play_event(ControlEvent(AUDIO, f"audio/onset/{band}", 1.0, time_ns))
