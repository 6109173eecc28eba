"""Moving silhouettes over drawn clips: shapes no family has, so that a guide learns to be followed and not guessed.

A figure goes where the numbers of its seed take it, never twice the same way. Knows nothing of captions or models.
"""

from __future__ import annotations

import numpy as np

Points = np.ndarray  # (N, 2) float32, about -1..1, y downward
Shape = list[list[Points]]  # filled one list after the other; what lies twice within one is a hole
LETTERS = "ABEGHKMRSWXY2358&?#"
FRAME_S = 1.0 / 16.0
_SUBPIXEL_BITS = 4
_WAVES = 3


def draw_shades(rng: np.random.Generator, size: tuple[int, int], frames: int) -> np.ndarray:
    """Draw 1 to 5 moving figures, each of a shade of its own: (T, H, W) float32 in 0..1, 0 = the ground."""
    import cv2

    height, width = size
    shades = np.zeros((frames, height, width), np.float32)
    for _ in range(int(rng.integers(1, 6))):
        shape = _shape(rng)
        shade = float(rng.uniform(0.35, 1.0))
        size_px = float(height * np.exp(rng.uniform(np.log(0.12), np.log(0.6))))
        at_x, at_y = _path(rng, frames, 0.45) * width, _path(rng, frames, 0.35) * height
        angle, scale = 2.5 * _path(rng, frames, 0.5), np.exp(0.5 * _path(rng, frames, 0.5))
        for t in range(frames):
            cos, sin = np.cos(angle[t]) * scale[t] * size_px, np.sin(angle[t]) * scale[t] * size_px
            turn = np.array([[cos, sin], [-sin, cos]], np.float32)
            centre = np.array([width / 2 + at_x[t], height / 2 + at_y[t]], np.float32)
            for parts in shape:
                placed = [np.round((part @ turn + centre) * 2**_SUBPIXEL_BITS).astype(np.int32) for part in parts]
                cv2.fillPoly(shades[t], placed, shade, cv2.LINE_8, _SUBPIXEL_BITS)
    softness_px = float(rng.choice((0.6, 0.6, 1.0, 2.0, 5.0))) * height / 96
    return np.stack([cv2.GaussianBlur(shade, (0, 0), softness_px) for shade in shades])


def draw_light(rng: np.random.Generator, size: tuple[int, int], frames: int) -> np.ndarray:
    """Draw uneven light that wanders: (T, H, W) float32 in 0..1, as cameras see rooms."""
    import cv2

    height, width = size
    grid = rng.standard_normal((5, 8)).astype(np.float32), rng.standard_normal((5, 8)).astype(np.float32)
    share = 0.5 + _path(rng, frames, 0.5)
    coarse = [grid[0] * np.cos(3.0 * s) + grid[1] * np.sin(3.0 * s) for s in share]
    fields = np.stack([cv2.resize(field, (width, height), interpolation=cv2.INTER_CUBIC) for field in coarse])
    return 1.0 / (1.0 + np.exp(-1.5 * fields))


def outline(shades: np.ndarray) -> np.ndarray:
    """Where shades change: (T, H, W) in 0..1, bright lines about two pixels wide."""
    down, across = np.gradient(shades, axis=(1, 2))
    return np.clip(6.0 * np.hypot(down, across), 0.0, 1.0)


def _path(rng: np.random.Generator, frames: int, reach: float) -> np.ndarray:
    """A wandering number per frame within about -reach..reach: a few slow waves whose periods share no beat."""
    t = np.arange(frames) * FRAME_S
    rates_hz = np.exp(rng.uniform(np.log(0.05), np.log(0.7), _WAVES))
    phases, weights = rng.uniform(0.0, 2.0 * np.pi, _WAVES), rng.uniform(0.2, 1.0, _WAVES)
    waves = weights[:, None] * np.sin(2.0 * np.pi * rates_hz[:, None] * t + phases[:, None])
    offset = rng.uniform(-0.6, 0.6)
    return reach * (waves.sum(axis=0) / weights.sum() + offset)


def _shape(rng: np.random.Generator) -> Shape:
    kind = rng.choice(("blot", "box", "star", "ring", "person", "letter", "line", "hand"))
    return {
        "blot": _blot,
        "box": _box,
        "star": _star,
        "ring": _ring,
        "person": _person,
        "letter": _letter,
        "line": _line,
        "hand": _hand,
    }[str(kind)](rng)


def _round(radius: np.ndarray | float, count: int = 40) -> Points:
    angle = np.linspace(0.0, 2.0 * np.pi, count, endpoint=False)
    return np.stack((radius * np.cos(angle), radius * np.sin(angle)), axis=1).astype(np.float32)


def _blot(rng: np.random.Generator) -> Shape:
    angle = np.linspace(0.0, 2.0 * np.pi, 40, endpoint=False)
    waves = [rng.uniform(0.0, 0.35) / n * np.cos(n * angle + rng.uniform(0.0, 6.3)) for n in range(1, 6)]
    return [[_round(0.7 + np.sum(waves, axis=0))]]


def _box(rng: np.random.Generator) -> Shape:
    half = rng.uniform(0.15, 0.9, 2)
    return [[np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], np.float32) * half.astype(np.float32)]]


def _star(rng: np.random.Generator) -> Shape:
    points = int(rng.integers(3, 8))
    return [[_round(np.tile([1.0, rng.uniform(0.3, 1.0)], points), 2 * points)]]


def _ring(rng: np.random.Generator) -> Shape:
    return [[_round(1.0), _round(float(rng.uniform(0.5, 0.85)))]]


def _person(rng: np.random.Generator) -> Shape:
    head = _round(float(rng.uniform(0.22, 0.32)), 24) * np.array([0.85, 1.1], np.float32)
    head[:, 1] -= 0.45
    shoulder = float(rng.uniform(0.5, 0.8))
    body = [
        [-0.1, -0.2],
        [-shoulder, 0.05],
        [-shoulder - 0.08, 1.4],
        [shoulder + 0.08, 1.4],
        [shoulder, 0.05],
        [0.1, -0.2],
    ]
    return [head, np.array(body, np.float32)]


def _letter(rng: np.random.Generator) -> Shape:
    import cv2

    image = np.zeros((96, 96), np.uint8)
    letter = LETTERS[int(rng.integers(len(LETTERS)))]
    cv2.putText(image, letter, (12, 80), cv2.FONT_HERSHEY_DUPLEX, 3.0, 255, int(rng.integers(5, 14)))
    contours, _ = cv2.findContours(image, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    return [[(contour[:, 0].astype(np.float32) - 48.0) / 40.0 for contour in contours if len(contour) > 2]]


def _line(rng: np.random.Generator) -> Shape:
    x = np.linspace(-1.6, 1.6, 16)
    y = 0.5 * _path(rng, 16, 1.0) + rng.uniform(-0.5, 0.5) * np.sin(rng.uniform(1.0, 4.0) * x)
    half = rng.uniform(0.03, 0.14)
    upper, lower = np.stack((x, y - half), axis=1), np.stack((x, y + half), axis=1)
    return [[np.concatenate((upper, lower[::-1])).astype(np.float32)]]


def _hand(rng: np.random.Generator) -> Shape:
    parts = [[_round(0.42, 24)]]
    for angle in np.linspace(-1.2, 1.2, 5) + rng.uniform(-0.1, 0.1, 5):
        along = np.array([np.sin(angle), -np.cos(angle)], np.float32)
        side = np.array([along[1], -along[0]], np.float32) * float(rng.uniform(0.07, 0.11))
        reach = float(rng.uniform(0.85, 1.1))
        finger = np.stack((0.35 * along - side, reach * along - side, reach * along + side, 0.35 * along + side))
        parts.append([finger])
    return parts
