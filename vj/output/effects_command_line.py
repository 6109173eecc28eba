"""`vj effects` on the command line: what ships, whether a file of one's own compiles here, a sheet of all of them."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vj.effects.isf_file import EffectFileError, read_effect
from vj.effects.params import mix_address
from vj.effects.shipped import SHIPPED
from vj.output.displays import DisplayError, check_display_server
from vj.written_files import FileError

if TYPE_CHECKING:
    from vj.output.offscreen import OffscreenOutput

EXIT_DONE, EXIT_FAILED, EXIT_WRONG_USE = 0, 1, 2
TILE_WIDTH, TILE_HEIGHT, WORDS_HEIGHT, COLUMNS = 320, 180, 22, 4
PLAYED_FRAMES = 24  # of the film, before a tile is taken: trails need a past
FRAME_S = 1 / 16
# settings at which a still tile shows what an effect does; the rest is at its defaults
SHOWN = {
    "rotate_zoom": {"angle": 20.0, "zoom": 0.8},
    "displacement": {"amount": 0.1},
    "feedback": {"trail": 4.0, "growth": 0.6, "turn": 30.0},
    "edge": {"style": "coloured"},
    "rgb_split": {"apart": 0.03},
    "bloom": {"strength": 1.5},
    "strobe": {"light": "negative", "rate": 0.5, "share": 0.95},
    "grain": {"amount": 0.5},
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the three actions."""
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    actions.add_parser("list", help="list the effects that ship, with their inputs").set_defaults(command=list_effects)
    check = actions.add_parser("check", help="read and compile files: the line of the first fault in each")
    check.add_argument("files", nargs="+", type=Path, metavar="FILE.fs", help="effects in ISF form")
    check.set_defaults(command=check_files)
    sheet = actions.add_parser("sheet", help="draw every effect that ships over a film, side by side")
    sheet.add_argument("film", type=Path, metavar="FILM", help="a film or a picture")
    sheet.add_argument("--out", type=Path, required=True, metavar="FILE.jpg", help="what to write")
    sheet.set_defaults(command=draw_sheet)


def list_effects(args: argparse.Namespace) -> int:
    """Print what ships; return the exit code."""
    for name, effect in SHIPPED.items():
        print(f"{name:14} {effect.description}")
        for held in effect.inputs:
            span = ", ".join(held.choices) or f"{held.minimum[0]:g} to {held.maximum[0]:g} {held.unit}".strip()
            print(f"    {held.name:11} {'on or off' if held.kind == 'bool' else span}: {held.help}")
    return EXIT_DONE


def check_files(args: argparse.Namespace) -> int:
    """Print what is wrong with each file, or what it has; return the exit code."""
    is_well = True
    try:
        with _offscreen((64, 36)) as output:
            for path in args.files:
                is_well &= _check(path, output)
    except DisplayError as error:
        sys.stderr.write(f"vj: {error}; the files are read and not compiled\n")
        for path in args.files:
            is_well &= _check(path, None)
    return EXIT_DONE if is_well else EXIT_FAILED


def draw_sheet(args: argparse.Namespace) -> int:
    """Write a picture of every effect; return the exit code."""
    import cv2

    try:
        frames = _frames(args.film)
        with _offscreen((TILE_WIDTH, TILE_HEIGHT)) as output:
            tiles = [_labelled(name, tile) for name, tile in _tiles(output, frames)]
    except (DisplayError, FileError) as error:
        sys.stderr.write(f"vj: {error}\n")
        return EXIT_FAILED
    blank = np.zeros_like(tiles[0])
    tiles += [blank] * (-len(tiles) % COLUMNS)
    sheet = np.vstack([np.hstack(tiles[k : k + COLUMNS]) for k in range(0, len(tiles), COLUMNS)])
    if not cv2.imwrite(str(args.out), sheet[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 86]):
        sys.stderr.write(f"vj: {args.out} cannot be written\n")
        return EXIT_FAILED
    print(f"{args.out}: {len(SHIPPED)} effects")
    return EXIT_DONE


@contextmanager
def _offscreen(size: tuple[int, int]) -> Iterator[OffscreenOutput]:
    """An output without a window, and the application it needs. Raises DisplayError."""
    check_display_server()
    from PyQt6.QtGui import QGuiApplication

    from vj.output.offscreen import OffscreenOutput

    os.environ.setdefault("QT_LOGGING_RULES", "*=false")
    application = QGuiApplication.instance() or QGuiApplication(["vj"])
    output = OffscreenOutput(size)
    try:
        yield output
    finally:
        output.close()
        del application


def _check(path: Path, output: OffscreenOutput | None) -> bool:
    try:
        effect = read_effect(path)
        if output is not None:
            output.library.compile_once(path, effect)
    except EffectFileError as error:
        print(error.told)
        return False
    except FileError as error:
        print(error)
        return False
    inputs = ", ".join(held.label for held in effect.inputs) or "no inputs"
    print(f"{path.name}: {'well' if output is not None else 'can be read'}; {inputs}")
    return True


def _tiles(output: OffscreenOutput, frames: list[np.ndarray]) -> Iterator[tuple[str, np.ndarray]]:
    output.library.look()
    at_s = output.settle(frames[0])
    yield "none", output.draw(at_s, frames[-1])
    for name in SHIPPED:
        values = {mix_address(name): 1.0}
        values |= {f"/vj/effect/{name}/{key}": value for key, value in SHOWN.get(name, {}).items()}
        at_s += 1.0
        for frame in frames:
            at_s += FRAME_S
            seen = output.draw(at_s, frame, values)
        yield name, seen


def _labelled(name: str, tile: np.ndarray) -> np.ndarray:
    import cv2

    foot = np.zeros((WORDS_HEIGHT, TILE_WIDTH, 3), np.uint8)
    words = name.replace("_", " ")
    cv2.putText(foot, words, (6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (241, 244, 248), 1, cv2.LINE_AA)
    return np.vstack([tile, foot])


def _frames(path: Path) -> list[np.ndarray]:
    import av

    try:
        with av.open(str(path)) as film:
            frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    except (OSError, IndexError) as error:  # PyAV's own errors are OSError
        raise FileError(path, f"is no film that can be read ({error})") from None
    return frames[-PLAYED_FRAMES:]
