"""When an engine counts as hung, and when the next one is started: rules over numbers, without processes or clocks."""

from __future__ import annotations

from engine.messages import GeneratorStatus

HANG_CHUNKS = 12  # times the expected time of a chunk; one that comes ten times late is late, not hung
HANG_LEAST_S = 5.0
ORDINARY_CHUNK_S = 0.75  # twelve frames at 16 fps: quicker chunks make nobody less patient
LOADING_S = 600.0  # weights come from slow disks too
FIRST_CHUNK_S = 600.0  # of a model nobody has timed yet: kernels are built, caches filled
FIRST_CHUNK_LEAST_S = 30.0
ABSENT_NS = 1_000_000_000  # a watcher that did not look for so long was itself stopped
BARREN_STARTS = 3  # in a row without a chunk: from here on a start waits
LONGEST_WAIT_S = 30.0


class HangWatch:
    """Judges one engine by what it says. Used by one thread."""

    def __init__(self, now_ns: int, known_chunk_s: float = 0.0) -> None:
        """`known_chunk_s` is what a chunk of the same model took an earlier engine; 0 = nobody knows."""
        self._known_chunk_s = known_chunk_s
        self._looked_ns = self._awake_ns = now_ns

    def stood_still_s(self, status: GeneratorStatus | None, now_ns: int) -> float:
        """Seconds without progress when that is too long, else 0. To be asked many times a second."""
        if now_ns - self._looked_ns > ABSENT_NS:
            self._awake_ns = now_ns  # what the engine said meanwhile has not been read yet
        self._looked_ns = now_ns
        moved_ns = max(self._awake_ns, status.moved_ns if status is not None else 0)
        still_s = (now_ns - moved_ns) / 1e9
        return still_s if still_s > self.limit_s(status) else 0.0

    def limit_s(self, status: GeneratorStatus | None) -> float:
        """How long this engine may take for its next step."""
        if status is None or status.state != "streaming":
            return LOADING_S
        if status.chunks == 0:
            return max(FIRST_CHUNK_LEAST_S, HANG_CHUNKS * self._known_chunk_s) if self._known_chunk_s else FIRST_CHUNK_S
        return max(HANG_LEAST_S, HANG_CHUNKS * max(status.chunk_s, ORDINARY_CHUNK_S))


class RestartPlan:
    """How long to wait before the next start: not at all, until start after start has brought no chunk."""

    def __init__(self) -> None:
        self._barren = 0

    def wait_s(self, has_delivered: bool) -> float:
        """Take in the end of an engine; seconds until the next one is to be started."""
        if has_delivered:
            self._barren = 0
            return 0.0
        self._barren += 1
        if self._barren < BARREN_STARTS:
            return 0.0
        # 2 ** 10 is far beyond the longest wait, and a night of tries must not make a huge number
        return min(LONGEST_WAIT_S, 2.0 ** min(10, self._barren - BARREN_STARTS))
