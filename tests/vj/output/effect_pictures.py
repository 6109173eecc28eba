"""Every shipped effect and crossfade as a small picture: what the references in tests/data/effects.png are made of.

`python -m tests.vj.output.effect_pictures` writes the references anew, on the display in DISPLAY (llvmpipe).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.parameter import Value
from vj.effects.shipped import SHIPPED, SHIPPED_FADES
from vj.output.offscreen import OffscreenOutput

REFERENCES = Path(__file__).resolve().parents[2] / "data" / "effects.png"
WIDTH, HEIGHT = 128, 72
COLUMNS = 4
REFRESH_S = 1 / 30
REFRESHES = 12
# settings at which an effect shows what it does; the rest stays at its defaults
SETTINGS: dict[str, dict[str, Value]] = {
    "rotate_zoom": {"angle": 25.0, "zoom": 0.8, "x": 0.1},
    "displacement": {"amount": 0.1, "by": "noise"},
    "kaleidoscope": {"angle": 10.0, "x": 0.4},
    "feedback": {"trail": 3.0, "growth": 0.6, "turn": 40.0},
    "blur": {"radius": 0.06},
    "edge": {"style": "coloured", "width": 8.0},
    "rgb_split": {"apart": 0.04, "angle": 20.0},
    "bloom": {"strength": 1.5, "threshold": 0.5},
    "strobe": {"light": "negative", "rate": 0.5, "share": 0.95},
    "grain": {"amount": 0.6, "size": 8.0, "coloured": True},
}
PICTURES = (*SHIPPED, *(f"fade {name}" for name in SHIPPED_FADES))


def source(number: int = 0) -> np.ndarray:
    """A picture with colours, gradients, edges and a bright square that wanders with `number`; (H, W, 3) uint8."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    u, v = x / WIDTH, y / HEIGHT
    ring = 0.5 + 0.5 * np.sin(24.0 * np.hypot(u - 0.35, 0.6 * (v - 0.45)))
    picture = np.stack([0.75 * u * ring, 0.2 + 0.5 * v * (1.0 - ring), 0.15 + 0.6 * (1.0 - u)], -1)
    left = 70 + 2 * number
    picture[20:36, left : left + 16] = (1.0, 0.95, 0.8)
    picture[50:64, 12:40] = (0.05, 0.05, 0.08)
    return np.clip(picture * 255.0 + 0.5, 0, 255).astype(np.uint8)


def draw_effect(output: OffscreenOutput, name: str, began_s: float) -> np.ndarray:
    """Run one effect for some refreshes over a moving picture; return the last."""
    values: dict[str, Value] = {f"/vj/effect/{name}/mix": 1.0}
    values |= {f"/vj/effect/{name}/{key}": value for key, value in SETTINGS.get(name, {}).items()}
    for number in range(REFRESHES):
        seen = output.draw(began_s + number * REFRESH_S, source(number), values)
    return seen


def draw_fade(output: OffscreenOutput, name: str, began_s: float) -> np.ndarray:
    """A crossfade at 40 %: to the same picture upside down."""
    return output.draw(began_s, source(), {"/vj/effect/crossfade": name}, over=(source()[::-1], 0.4))


def draw_all(output: OffscreenOutput) -> dict[str, np.ndarray]:
    """Draw everything, each from the same moment of the clock on."""
    began_s = output.settle(source())
    pictures = {}
    for number, name in enumerate(PICTURES):
        at_s = began_s + 2.0 * number
        is_fade = name.startswith("fade ")
        pictures[name] = draw_fade(output, name[5:], at_s) if is_fade else draw_effect(output, name, at_s)
    return pictures


def sheet_of(pictures: dict[str, np.ndarray]) -> np.ndarray:
    """Lay them side by side, in the order of PICTURES."""
    rows = -(-len(PICTURES) // COLUMNS)
    sheet = np.zeros((rows * HEIGHT, COLUMNS * WIDTH, 3), np.uint8)
    for number, name in enumerate(PICTURES):
        sheet[tile_of(number)] = pictures[name]
    return sheet


def tile_of(number: int) -> tuple[slice, slice]:
    """Where on the sheet a picture is."""
    top, left = number // COLUMNS * HEIGHT, number % COLUMNS * WIDTH
    return slice(top, top + HEIGHT), slice(left, left + WIDTH)


if __name__ == "__main__":
    import cv2
    from PyQt6.QtGui import QGuiApplication

    application = QGuiApplication(["effect pictures"])
    offscreen = OffscreenOutput((WIDTH, HEIGHT))
    assert not offscreen.problems()
    cv2.imwrite(str(REFERENCES), sheet_of(draw_all(offscreen))[..., ::-1])
    offscreen.close()
