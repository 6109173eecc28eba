"""The real program on a small display, watched: its processes, its hands and its picture.

`with watched_show(folder, "test-pattern+stamp") as show:` begins when the stream is on the display.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from pythonosc.udp_client import SimpleUDPClient

from tests.servers.instrument import RunningVj, own_environment, stage_ids, vj_command
from tests.servers.process import wait_until
from tests.servers.stamp_watch import StampWatch
from tests.servers.xvfb import XDisplay
from vj.stage.block import BLOCK_NAME, StageBlock
from vj.stage.messages import StageState, decode_state, decode_wishes
from vj.stage.record import StageRecord

WIDTH, HEIGHT = 640, 360
PROMPT = "a burning red desert"
START_S = 90.0
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
LONGEST_STILL_S = 0.25


class WatchedShow:
    """Panels, stage and engine of one show."""

    def __init__(
        self, display: XDisplay, folder: Path, words: list[str], env: Mapping[str, str], command: list[str]
    ) -> None:
        self.display, self.folder = display, folder
        self._words, self._command = words, command
        self._env = own_environment(folder, {**display.env, **env})
        self.vj = self.start_panels()
        self._port = self._find_port()
        wait_until(lambda: len(stage_ids(folder)) == 1, "the output's record", START_S)
        (self.stage_id,) = stage_ids(folder)
        self.root = Path(f"/proc/{self.vj.process.pid}/root")  # its files, should it have a memory folder of its own
        self.run_folder = Path(_record(folder, self.stage_id).folder)
        self._block = StageBlock.attach(self.root / self.run_folder.relative_to("/") / BLOCK_NAME)

    def start_panels(self) -> RunningVj:
        """Start the program, as a performer would."""
        vj = RunningVj(self._words, self._env, self.folder, self._command)
        vj.wait_for("OSC listens at", timeout_s=START_S)
        return vj

    def replace_panels(self) -> None:
        """Start panels after the ones before have died or hung."""
        self.vj = self.start_panels()
        self._port = self._find_port()

    def send(self, address: str, *values: float | str) -> None:
        """One OSC message to the panels."""
        with SimpleUDPClient("127.0.0.1", self._port) as hand:
            hand.send_message(address, list(values))

    def state(self) -> StageState:
        """What the stage says of itself."""
        return decode_state(self._block.state.read())

    def engine_id(self) -> int | None:
        """Process id of the panels' engine that streams: the one with a ring in its memory; None = none does."""
        for process_id in self.engine_ids():
            with contextlib.suppress(OSError):
                maps = Path(f"/proc/{process_id}/maps").read_text().splitlines()
                if any(line.endswith(".ring") for line in maps):
                    return process_id
        return None

    def engine_ids(self) -> list[int]:
        """Process ids of all engines of the panels: that streams, that loads, that waits."""
        found = []
        for children in Path(f"/proc/{self.vj.process.pid}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                for child in children.read_text().split():
                    if b"engine.worker" in Path(f"/proc/{child}/cmdline").read_bytes():
                        found.append(int(child))
        return found

    def values(self) -> dict[str, object]:
        """What the panels last told the stage of the output's parameters, modulated."""
        return dict(decode_wishes(self._block.wishes.read() or b"{}").values)

    def is_running(self, process_id: int) -> bool:
        """Whether the stage of this number still is there."""
        return stage_ids(self.folder) == [process_id] and Path(f"/proc/{process_id}").exists()

    def wait_live(self, timeout_s: float) -> float:
        """Wait until an engine's stream is on the display; returns the seconds it took."""
        began = time.monotonic()
        wait_until(self._is_live, f"the stream: {self.vj.output()}", timeout_s, every_s=0.02)
        return time.monotonic() - began

    def memory_mib(self) -> dict[str, float]:
        """Memory that each process has to itself, ring and libraries excluded."""
        ids = {"panels": self.vj.process.pid, "stage": self.stage_id, "engine": self.engine_id()}
        found = {}
        for name, number in ids.items():
            with contextlib.suppress(OSError):  # one that ends between the two looks
                if number is not None:
                    found[name] = _own_mib(number)
        return found

    def _is_live(self) -> bool:
        assert self.vj.process.poll() is None, self.vj.output()
        state = self.state()
        return state.status.state == "live" and not state.status.is_starved and self.engine_id() is not None

    def _find_port(self) -> int:
        found = re.search(r"OSC listens at \S+:(\d+)", self.vj.output())
        assert found
        return int(found[1])


@contextlib.contextmanager
def watched_show(
    folder: Path,
    model: str = "test-pattern+stamp",
    *,
    words: tuple[str, ...] = (),
    env: Mapping[str, str] | None = None,
    timed: Path | None = None,
    is_stamped: bool = True,
    is_fresh: bool = True,
    small: Mapping[Path, int] = MappingProxyType({}),
) -> Iterator[tuple[WatchedShow, StampWatch]]:
    """Begin a show with one prompt on a display of its own; ended without a traceback.

    Panels that replace others bring back what those played unless `is_fresh`. `timed` is a file for the moments of the
    output's swaps; `env` reaches all processes; `small` gives the show folders in memory of its own, of so many MiB,
    which takes a superuser.
    """
    with contextlib.ExitStack() as stack:
        display = stack.enter_context(XDisplay(folder, WIDTH, HEIGHT))
        command = [sys.executable, "-m", "tests.servers.timed_vj", str(timed)] if timed else vj_command()
        if small:
            mounts = " && ".join(f"mount -t tmpfs -o size={mib}m tmpfs {place}" for place, mib in small.items())
            command = ["unshare", "--mount", "sh", "-c", f'{mounts} && exec "$@"', "sh", *command]
        run = ["run", "--model", model, "--fullscreen", "--osc", "0", *words, *(["--fresh"] if is_fresh else [])]
        show = WatchedShow(display, folder, run, env or {}, command)
        stack.callback(lambda: show.vj.stop())
        show.send("/vj/prompt/1/text", PROMPT)
        show.wait_live(START_S)
        time.sleep(3.0)  # until the loop of the last good seconds holds some
        watch = stack.enter_context(StampWatch(display, is_stamped=is_stamped))
        yield show, watch


def _record(home: Path, stage_id: int) -> StageRecord:
    import json

    return StageRecord(**json.loads((home / "vj" / f"stage-{stage_id}.json").read_text("utf-8")))


def _own_mib(process_id: int) -> float:
    resident, shared = (int(word) for word in Path(f"/proc/{process_id}/statm").read_text().split()[1:3])
    return round((resident - shared) * PAGE_BYTES / 2**20, 1)
