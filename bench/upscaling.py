"""How sharp the output's enlarging is: a sharp picture made small and drawn at four times its size.

`python -m bench.upscaling --json bench/results/upscaling.json`; needs a display; `--pictures` keeps them.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from bench.environment import describe

SMALL, TIMES = (832, 480), 4  # what the published model makes, and how far a 4K wall enlarges it
EDGES = 0.02  # the steepest share of the sharp picture's pixels
LARGE = (SMALL[0] * TIMES, SMALL[1] * TIMES)


def sharp_picture() -> np.ndarray:
    """Letters, lines, gradients and even surfaces: (H, W, 3) uint8."""
    from vj.output.test_card import draw_test_card

    return np.ascontiguousarray(draw_test_card("Ag 88 Wm", *LARGE, 60.0)[..., :3])


def bilinear(small: np.ndarray) -> np.ndarray:
    """Enlarge as graphics cards do by themselves."""
    import torch.nn.functional as functional

    picture = torch.from_numpy(small).permute(2, 0, 1)[None].float()
    wide = functional.interpolate(picture, scale_factor=TIMES, mode="bilinear", align_corners=False)
    return wide[0].permute(1, 2, 0).round().clamp(0, 255).byte().numpy()


def drawn(small: np.ndarray, amounts: tuple[float, ...]) -> list[np.ndarray]:
    """Enlarge as the output does, once for each amount of sharpening."""
    from OpenGL import GL
    from PyQt6.QtGui import QOffscreenSurface, QOpenGLContext

    from engine.frame_ring import Frame
    from vj.output.continuity import Layer, Scene
    from vj.output.displays import output_format
    from vj.output.frame_reader import Picture
    from vj.output.gl_objects import Surface
    from vj.output.params import OutputParams
    from vj.output.renderer import Renderer

    context, surface = QOpenGLContext(), QOffscreenSurface()
    context.setFormat(output_format())
    context.create()
    surface.setFormat(context.format())
    surface.create()
    context.makeCurrent(surface)
    pixels = np.concatenate([small, np.full((*small.shape[:2], 1), 255, np.uint8)], axis=-1)
    frame = Frame(pixels, stream_id=1, index=0, rate_fps=16.0, generation_id=1, params_version=0, made_ns=0)

    class Still:
        def scene_at(self, now_ns: int, params: OutputParams) -> Scene:
            return Scene((Layer(Picture(frame, frame, 0.0), 1.0),), "live")

    renderer, target = Renderer(Still()), Surface.create(*LARGE, bits=8)
    pictures = []
    renderer.draw(OutputParams(), 1, LARGE, target.framebuffer)  # the fade from the shader picture begins here
    for number, amount in enumerate(amounts):
        renderer.draw(OutputParams(sharpen=amount), (number + 2) * 10**10, LARGE, target.framebuffer)
        GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, target.framebuffer)
        data = GL.glReadPixels(0, 0, *LARGE, GL.GL_RGBA, GL.GL_UNSIGNED_BYTE)
        pictures.append(np.frombuffer(data, np.uint8).reshape(LARGE[1], LARGE[0], 4)[::-1, :, :3].copy())
    context.doneCurrent()
    return pictures


def figures(got: np.ndarray, sharp: np.ndarray, small: np.ndarray) -> dict[str, float]:
    """Nearness to the sharp picture, steepness of its edges, and how much lies beyond all that was around."""
    error = ((got.astype(np.float32) - sharp) ** 2).mean()
    steep = _steepness(sharp)
    edges = steep >= np.quantile(steep, 1.0 - EDGES)
    padded = np.pad(small, ((1, 1), (1, 1), (0, 0)), mode="edge")
    around = np.stack([padded[y : y + SMALL[1], x : x + SMALL[0]] for y in range(3) for x in range(3)])
    lowest, highest = (np.kron(edge(around, 0), np.ones((TIMES, TIMES, 1), np.uint8)) for edge in (np.min, np.max))
    beyond = np.maximum(lowest.astype(np.int16) - got, got - highest.astype(np.int16))
    return {
        "psnr_db": round(float(10.0 * np.log10(255.0**2 / error)), 2),
        "edge_steepness": round(float(_steepness(got)[edges].mean() / steep[edges].mean()), 3),
        "halo_share": round(float((beyond > 4).mean()), 4),
    }


def _steepness(picture: np.ndarray) -> np.ndarray:
    grey = picture.astype(np.float32).mean(axis=-1)
    across, down = np.gradient(grey)
    return np.hypot(across, down)


def main() -> int:
    """Enlarge by every filter; print a table, write JSON."""
    from PyQt6.QtGui import QGuiApplication

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    parser.add_argument("--pictures", type=Path, help="folder to keep the pictures in, as .npy")
    arguments = parser.parse_args()
    application = QGuiApplication(["bench"])  # fonts and GL need it for as long as there are pictures to draw
    sharp = sharp_picture()
    small = sharp.reshape(SMALL[1], TIMES, SMALL[0], TIMES, 3).mean(axis=(1, 3)).round().astype(np.uint8)
    amounts = (0.0, 0.5, 1.0)
    pictures = {"bilinear": bilinear(small)}
    pictures |= {f"output, sharpen {a:g}": one for a, one in zip(amounts, drawn(small, amounts), strict=True)}
    rows = {name: figures(picture, sharp, small) for name, picture in pictures.items()}
    for name, row in rows.items():
        print(f"{name:<22} {row}")
    del application
    if arguments.pictures:
        for name, picture in pictures.items():
            np.save(arguments.pictures / f"{name.replace(', ', '_').replace(' ', '_')}.npy", picture)
    if arguments.json:
        found = {"environment": describe(torch.device("cpu")), "small": SMALL, "times": TIMES, "filters": rows}
        arguments.json.write_text(json.dumps(found, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
