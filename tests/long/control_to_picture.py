"""From a key, a note or an OSC message to the swap that shows what it did, by the ids of the frame on screen.

The real program with ember on the processor. Of what the output does itself (effect, blackout) the swap is looked for
that is drawn with the new value; of what chunks are made with, the first one that shows a frame of a chunk made with
it; of a hard cut, the first frame of the new stream.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.engine.lora.files import write_random_lora
from tests.servers import JackServer
from tests.servers.midi_box import MidiBox
from tests.servers.process import wait_until
from tests.servers.seen_frames import FIELDS, read_seen
from tests.servers.watched_show import WatchedShow
from tests.servers.x_keys import XKeys
from tests.servers.xvfb import XDisplay

TIMES = 20
HANDS = ("key", "midi", "osc")
CHUNKS = (3, 1)
DISPLAY = (640, 360)
REST_S = (0.8, 1.6)  # between two presses: any moment of a chunk
LOOK_S = 0.004
LIMIT_S = 15.0
QUIET_S = 0.5  # the values' version must stand for so long before a press: nothing else moves
BOX = "cue box"
LORA_STRENGTH = 0.03
TIME, STREAM, VERSION, BLACKOUT, HUE = (
    FIELDS.index(name) for name in ("time_ns", "stream_id", "params_version", "blackout", "hue")
)

Row = np.ndarray  # one swap, as FIELDS


@dataclass(frozen=True)
class Control:
    """Two presses, one after the other, that each change what is seen; `lines` are a mapping's, per press."""

    lines: tuple[str, str]
    osc: tuple[tuple[tuple[str, object], ...], tuple[tuple[str, object], ...]]  # addresses and values, per press
    is_seen: Callable[[Row, Row], bool]  # from the swap before the press to one after it


def _made_with(before: Row, now: Row) -> bool:
    return now[VERSION] > before[VERSION]


def _value(address: str, first: float, second: float, is_seen: Callable[[Row, Row], bool]) -> Control:
    lines = tuple(f'{{ parameter = "{address}", value = {value} }}' for value in (first, second))
    return Control(lines, (((address, first),), ((address, second),)), is_seen)


def _go(*also: str, is_seen: Callable[[Row, Row], bool]) -> Control:
    presses = [(f"/vj/prompt/{pad}/go", *also) for pad in (2, 1)]
    lines = tuple("[" + ", ".join(f'{{ command = "{address}" }}' for address in press) + "]" for press in presses)
    return Control(lines, tuple(tuple((address, 1) for address in press) for press in presses), is_seen)


CONTROLS = {
    "effect": _value("/vj/effect/hue", 90.0, 0.0, lambda before, now: now[HUE] != before[HUE]),
    "blackout": Control(
        ('{ parameter = "/vj/output/blackout" }',) * 2,
        ((("/vj/output/blackout", 1),), (("/vj/output/blackout", 0),)),
        lambda before, now: now[BLACKOUT] != before[BLACKOUT],
    ),
    "prompt blend": _value("/vj/prompt/3/weight", 0.3, 0.0, _made_with),
    "prompt cut soft": _go(is_seen=_made_with),
    "prompt cut hard": _go("/vj/cut/hard", is_seen=lambda before, now: now[STREAM] != before[STREAM]),
    "seed": Control(
        ('{ command = "/vj/seed/next" }',) * 2, ((("/vj/seed/next", 1),), (("/vj/seed/next", 1),)), _made_with
    ),
    "lora weight": _value("/vj/lora/1/weight", 0.6, 0.2, _made_with),
}
KEYS = "zxcvuywdeghjkt"  # two per control
FIRST_NOTE = 60
VALUES = (
    ("/vj/transition/time", 0.0),
    ("/vj/prompt/2/text", "golden sparks rising fast"),
    ("/vj/prompt/3/text", "deep blue plasma"),
    *((f"/vj/prompt/{pad}/weight", 0.0) for pad in range(2, 17)),
    ("/vj/lora/1/on", 1),
)


def run(times: int = TIMES, controls: tuple[str, ...] = tuple(CONTROLS), chunks: tuple[int, ...] = CHUNKS) -> dict:
    """Measure everything so often; raises AssertionError where something is not seen."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        jack = stack.enter_context(JackServer(folder))
        os.environ.update(jack.env)
        hands = stack.enter_context(_hands(folder, jack.env))
        began_load = os.getloadavg()[0]
        paths = {
            f"{name} by {hand}, chunk {chunk}": hands.measure(name, hand, times)
            for chunk in chunks
            if hands.choose_chunk(chunk)
            for name in controls
            for hand in HANDS
        }
        swaps = read_seen(hands.file)[:, TIME]
        return {
            "paths": paths,
            "refreshes_a_second": round((len(swaps) - 1) * 1e9 / (swaps[-1] - swaps[0]), 1),
            "cores": os.cpu_count(),
            "machine_load": [round(began_load, 1), round(os.getloadavg()[0], 1)],
        }


@contextlib.contextmanager
def _hands(folder: Path, env: dict[str, str]) -> Iterator[Hands]:
    mappings = [_write_mapping(folder / f"{hand}.toml", hand) for hand in ("key", "midi")]
    file, lora = folder / "seen.bin", _write_lora(folder)
    with XDisplay(folder, *DISPLAY) as display, XKeys(display.name) as keys:
        words = ["run", "--fullscreen", "--osc", "0", "--fresh", "--lora", f"{lora}:0.2"]
        words += ["--mapping", *mappings]
        command = [sys.executable, "-m", "tests.servers.seen_frames", str(file)]
        show = WatchedShow(display, folder, words, env, command)
        box = MidiBox(BOX)
        try:
            show.wait_live(90.0)
            for address, value in VALUES:
                show.send(address, value)
            yield Hands(show, keys, box, file)
        finally:
            show.vj.stop()
            box.unplug()


def _write_mapping(path: Path, hand: str) -> str:
    lines = [f'device = "{"keyboard" if hand == "key" else BOX}"', "[controls]"]
    presses = [line for control in CONTROLS.values() for line in control.lines]
    for number, (letter, line) in enumerate(zip(KEYS, presses, strict=True)):
        control = f"key/{letter.upper()}" if hand == "key" else f"note/1/{FIRST_NOTE + number}"
        lines.append(f'"{control}" = {line}')
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return str(path)


def _write_lora(folder: Path) -> Path:
    from engine.generator_loading import load_generator
    from engine.model_presets import load_preset

    generator = load_generator(load_preset("ember"), width=96, height=64, device="cpu", dtype="float32", threads=1)
    weights = {name: p.detach() for name, p in generator._model.named_parameters()}
    generator.close()
    return write_random_lora(folder / "lora", "PEFT", weights, seed=0, strength=LORA_STRENGTH)


class Hands:
    """What presses, and what has been seen."""

    def __init__(self, show: WatchedShow, keys: XKeys, box: MidiBox, file: Path) -> None:
        self.file = file
        self._show, self._keys, self._box = show, keys, box
        self._rng = np.random.default_rng(9)

    def choose_chunk(self, latent_frames: int) -> bool:
        """Have all later chunks made with so many latent frames."""
        self._show.send("/vj/model/chunk", latent_frames)
        time.sleep(4.0)
        return True

    def measure(self, name: str, hand: str, times: int) -> dict[str, float]:
        """Milliseconds from a press to the swap that shows it."""
        control = CONTROLS[name]
        taken_ms = []
        for number in range(2 * ((times + 1) // 2)):
            before = self._rest()
            sent_ns = time.monotonic_ns()
            self._press(name, hand, number % 2)
            seen_ns = self._see(control, before, sent_ns, f"{name} by {hand}")
            taken_ms.append((seen_ns - sent_ns) * 1e-6)
        p50, p95 = np.percentile(taken_ms, [50, 95])
        return {
            "times": len(taken_ms),
            "ms_p50": round(float(p50), 1),
            "ms_p95": round(float(p95), 1),
            "ms_max": round(max(taken_ms), 1),
        }

    def _press(self, name: str, hand: str, which: int) -> None:
        number = 2 * list(CONTROLS).index(name) + which
        if hand == "key":
            self._keys.press(KEYS[number])
        elif hand == "midi":
            self._box.send(0x90, FIRST_NOTE + number, 127)
            self._box.send(0x80, FIRST_NOTE + number, 0)
        else:
            for address, value in CONTROLS[name].osc[which]:
                self._show.send(address, value)

    def _rest(self) -> Row:
        """Wait until nothing moves, and a little longer; the swap that was last then."""
        time.sleep(self._rng.uniform(*REST_S))

        def is_quiet() -> bool:
            rows = read_seen(self.file, max(0, self.file.stat().st_size // (8 * len(FIELDS)) - 300))
            late = rows[rows[:, TIME] > time.monotonic_ns() - QUIET_S * 1e9]
            return len(late) > 3 and bool((late[:, VERSION] == late[-1, VERSION]).all())

        wait_until(is_quiet, "the values' rest", LIMIT_S, every_s=LOOK_S)
        return read_seen(self.file, self.file.stat().st_size // (8 * len(FIELDS)) - 1)[-1]

    def _see(self, control: Control, before: Row, sent_ns: int, what: str) -> int:
        first = self.file.stat().st_size // (8 * len(FIELDS)) - 2
        while True:
            for row in read_seen(self.file, first):
                if row[TIME] >= sent_ns and control.is_seen(before, row):
                    return int(row[TIME])
            assert time.monotonic_ns() - sent_ns < LIMIT_S * 1e9, (
                f"{what} was not seen: {self._show.vj.output()[-900:]}"
            )
            time.sleep(LOOK_S)
