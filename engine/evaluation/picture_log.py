"""A few numbers of every frame of a video, taken as it passes: all that the measures need. Keeps no pictures."""

from __future__ import annotations

import numpy as np

LOOK_LEVELS = 4  # of each of red, green and blue: 64 kinds of colour
EDGE_LIMITS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)  # between kinds of edges, in 0..255 per pixel
LUMA = (0.2126, 0.7152, 0.0722)  # BT.709, of the encoded values


class PictureLog:
    """Takes frames in order; hours of them are a few megabytes."""

    def __init__(self) -> None:
        self._rows: list[tuple[float, float, float, float]] = []
        self._looks: list[np.ndarray] = []
        self._last: list[np.ndarray] = []  # up to two frames before the newest

    def add(self, frame: np.ndarray) -> None:
        """Take the next frame, (H, W, 3) uint8. Raises ValueError when its size is not that of the frames before."""
        if self._last and frame.shape != self._last[-1].shape:
            raise ValueError(f"frame {len(self._rows)} is {_size(frame)}, the one before {_size(self._last[-1])}")
        luma = (frame @ np.array(LUMA, np.float32)).astype(np.float32)
        change = _difference(frame, self._last[-1]) if self._last else np.nan
        self._rows.append((float(luma.mean()), float(luma.std()), change, self._unevenness(frame)))
        self._looks.append(_look(frame, luma))
        self._last = [*self._last[-1:], frame]

    def _unevenness(self, frame: np.ndarray) -> float:
        """How far the frame before is from half way between its neighbours."""
        if len(self._last) < 2:
            return np.nan
        before, middle = self._last
        half_way = (before.astype(np.float32) + frame) / 2.0
        return float(np.abs(half_way - middle).mean())

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def luminance(self) -> np.ndarray:
        """Mean luminance of every frame, 0..255."""
        return self._column(0)

    @property
    def contrast(self) -> np.ndarray:
        """RMS contrast of every frame: the deviation of its luminance, 0..127."""
        return self._column(1)

    @property
    def change(self) -> np.ndarray:
        """Mean absolute difference of every frame to the one before, 0..255; entry 0 is the second frame's."""
        return self._column(2)[1:]

    @property
    def unevenness(self) -> np.ndarray:
        """For every frame with two neighbours: mean absolute difference to the mean of the two, 0..255."""
        return self._column(3)[2:]

    @property
    def looks(self) -> np.ndarray:
        """Shares of colours and edges of every frame, (frames, 72): what it looks like, wherever things are."""
        return np.array(self._looks).reshape(len(self._looks), -1)

    def _column(self, index: int) -> np.ndarray:
        return np.array([row[index] for row in self._rows], np.float64)


def _difference(frame: np.ndarray, other: np.ndarray) -> float:
    return float((np.maximum(frame, other) - np.minimum(frame, other)).mean(dtype=np.float64))


def _look(frame: np.ndarray, luma: np.ndarray) -> np.ndarray:
    levels = frame // (256 // LOOK_LEVELS)
    kinds = (levels[..., 0].astype(np.int32) * LOOK_LEVELS + levels[..., 1]) * LOOK_LEVELS + levels[..., 2]
    colours = np.bincount(kinds.ravel(), minlength=LOOK_LEVELS**3) / kinds.size
    edges = np.digitize(np.abs(np.diff(luma, axis=1)).ravel(), EDGE_LIMITS)
    return np.concatenate([colours, np.bincount(edges, minlength=len(EDGE_LIMITS) + 1) / max(edges.size, 1)])


def _size(frame: np.ndarray) -> str:
    return f"{frame.shape[1]}x{frame.shape[0]}"
