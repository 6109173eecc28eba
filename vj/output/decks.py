"""Two decks behind one reader: the one on air plays, the other lies ready and is cut or faded in at its moment.

The cut needs nobody: its frames are in a ring already. Belongs to the thread that draws. Knows nothing of looks.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from engine.frame_ring import Frame
from vj.output.frame_reader import FrameReader, Picture
from vj.output.playback import PlaybackStatus

LATE_NS = 5_000_000_000  # a take whose stream has not come so long after its moment is given up


@dataclass(frozen=True)
class Take:
    """Order to put the free deck on air, carried out once."""

    stream_id: int = 0  # of the frames that lie ready; 0 = no order
    at_ns: int = 0  # when it is to be seen (time.monotonic_ns)
    fade_s: float = 0.0  # how long both are seen; 0 = a cut


class DeckReader:
    """Reads the deck on air like a `FrameReader`. All belongs to the drawing thread, but for what says otherwise."""

    def __init__(self, path: Path, deck_path: Path) -> None:
        """`path` is where the ring on air lies, `deck_path` where the free deck's comes and goes."""
        self._path, self._deck_path = path, deck_path
        self._on_air, self._free = FrameReader(path), FrameReader(deck_path)
        self._take = Take()
        self._fading: FrameReader | None = None
        self._faded_ns = self._fade_ns = 0
        self._repeats = 0  # of decks that were on air before
        self._ordered = Take()  # last
        self.display_lag_ns = 0  # from a refresh until its light; set by the thread that draws
        self.cut_ns = 0  # refresh at which the other deck came on air (time.monotonic_ns)

    @property
    def status(self) -> PlaybackStatus:
        """What the deck on air is doing. Any thread."""
        status = self._on_air.status
        return dataclasses.replace(status, repeats=status.repeats + self._repeats)

    @property
    def frame_on_screen(self) -> Frame | None:
        """The nearer frame of the pair drawn last. Any thread; the frame is never changed."""
        return self._on_air.frame_on_screen

    def order(self, take: Take) -> None:
        """Take a stream at its moment; the same order again changes nothing."""
        if take != self._ordered:
            self._take = self._ordered = take

    def picture_at(self, now_ns: int) -> Picture | None:
        """Move the deck on air on to `now_ns` and return what to draw; None until the first stream."""
        self._on_air.display_lag_ns = self.display_lag_ns
        self._free.look(now_ns)
        if self._take.stream_id and self._is_due(now_ns):
            self._cut(now_ns)
        return self._on_air.picture_at(now_ns)

    def fading_at(self, now_ns: int) -> tuple[Picture, float] | None:
        """What the deck before still shows, and its share (1..0); None when nothing fades."""
        if self._fading is None:
            return None
        done = (now_ns - self._faded_ns) / self._fade_ns
        picture = self._fading.picture_at(now_ns) if 0.0 <= done < 1.0 else None
        if picture is None:
            self._fading.close()
            self._fading = None
            return None
        return picture, 1.0 - done * done * (3.0 - 2.0 * done)

    def close(self) -> None:
        """Let go of every ring. The last picture stays available."""
        for reader in (self._on_air, self._free, self._fading):
            if reader is not None:
                reader.close()
        self._fading = None

    def _is_due(self, now_ns: int) -> bool:
        take = self._take
        if now_ns - take.at_ns > LATE_NS:
            self._take = Take()  # it came by another way, or not at all
            return False
        # the refresh whose light is nearest to the moment
        is_time = now_ns + self.display_lag_ns + self._on_air.refresh_ns() / 2 >= take.at_ns
        return is_time and self._free.newest_stream_id == take.stream_id

    def _cut(self, now_ns: int) -> None:
        take, before = self._take, self._on_air
        self._on_air, self._free = self._free, FrameReader(self._deck_path)
        self._on_air.go_on_air(self._path, before)
        self._repeats += before.status.repeats
        self._take, self.cut_ns = Take(), now_ns
        if self._fading is not None:
            self._fading.close()
        self._fading = None
        if take.fade_s > 0.0:
            self._fading, self._faded_ns, self._fade_ns = before, now_ns, int(take.fade_s * 1e9)
            before.go_off_air(now_ns + self._fade_ns)
        else:
            before.close()
