"""The pictures of docs/: pages of the panels and a short clip of a show, made by the program itself.

`python -m tests.pictures` plays ember on a display and a sound server of its own and writes into docs/show/.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import time
import wave
from pathlib import Path

import av
import numpy as np
from PIL import Image

from tests.servers import PulseServer, XDisplay
from tests.servers.instrument import ROOT, vj_command
from tests.servers.process import find_program, start_tied, stop_group, wait_until
from tests.servers.watched_show import WatchedShow
from tests.vj.sound.signals import RATE_HZ, drums

SHOW = ROOT / "docs" / "show"
DISPLAY_SIZE, PANELS_SIZE = (1920, 1080), (1280, 720)  # the output lies beside the panels, in the lower right corner
LIVE_S, SETTLE_S, SCENE_S = 90.0, 4.0, 3.5
BPM = 120.0
CLIP_SIZE, CLIP_FPS, CLIP_QUALITY = (384, 216), 12, 55
PAGES = {"play": "1", "modulation": "3", "effects": "0"}  # keys that show them, with Ctrl
LOOKS = ("deep_sea", "glacier", "furnace", "northern_lights", "jade_marble", "with_sound_echo")


def main() -> None:
    """Play the show and write its pictures."""
    SHOW.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        display = stack.enter_context(XDisplay(folder, *DISPLAY_SIZE))
        pulse = stack.enter_context(PulseServer(folder))
        stack.callback(stop_group, _play_kicks(folder, pulse))
        words = ["run", "--model", "ember", "--osc", "0", "--fresh"]
        show = WatchedShow(display, folder, words, pulse.env, vj_command())
        stack.callback(show.vj.stop)
        show.wait_live(LIVE_S)
        show.send("/vj/clock/bpm/raw", BPM)
        film = _record(show, folder / "films")
        for page, key in PAGES.items():
            _press(display, f"ctrl+{key}")
            time.sleep(SETTLE_S)
            width, height = PANELS_SIZE
            Image.fromarray(display.grab()[:height, :width]).save(SHOW / f"{page}.jpg", quality=88)
        _write_clip(film, SHOW / "show.webp")


def _play_kicks(folder: Path, pulse: PulseServer) -> subprocess.Popen[bytes]:
    """Play drums for four minutes: kicks that looks answer to."""
    sound, _ = drums("house", BPM, 240.0)
    path = folder / "drums.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes((np.clip(sound, -1.0, 1.0) * 32000).astype(np.int16).tobytes())
    return start_tied([find_program("paplay"), str(path)], folder / "paplay.log", {**os.environ, **pulse.env})


def _record(show: WatchedShow, films: Path) -> Path:
    """Play looks while the program records itself; return its film."""
    films.mkdir()
    show.send("/vj/record/folder", str(films))
    _recall(show, LOOKS[0])
    time.sleep(SETTLE_S)
    show.send("/vj/record/on", 1)
    for look in LOOKS:
        _recall(show, look)
        time.sleep(SCENE_S)
    show.send("/vj/record/on", 0)
    wait_until(lambda: any(films.iterdir()), "the film", LIVE_S)
    time.sleep(SETTLE_S)
    return next(films.iterdir())


def _recall(show: WatchedShow, look: str) -> None:
    names = sorted(path.stem for path in (ROOT / "presets" / "looks").glob("*.toml"))
    show.send(f"/vj/look/{names.index(look) + 1}/recall", 1)


def _press(display: XDisplay, keys: str) -> None:
    # the output hands on to the panels what is not its own: whichever window has the keyboard
    subprocess.run([find_program("xdotool"), "key", keys], env={**os.environ, **display.env}, check=True)


def _write_clip(film: Path, path: Path) -> None:
    with av.open(str(film)) as container:
        frames, due_s = [], 0.0
        for frame in container.decode(video=0):
            if frame.time >= due_s:
                frames.append(Image.fromarray(frame.to_ndarray(format="rgb24")).resize(CLIP_SIZE, Image.LANCZOS))
                due_s += 1.0 / CLIP_FPS
    duration_ms = round(1000 / CLIP_FPS)
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=duration_ms, quality=CLIP_QUALITY, loop=0)


if __name__ == "__main__":
    main()
