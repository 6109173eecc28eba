"""A desk with its store, as a performance has it, and a ring that a test writes in the stage's place."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.servers.given_output import RING_NAME, GivenOutput
from vj.parameters import ParameterStore
from vj.sharing.desk import SharingDesk
from vj.sharing.messages import ShareState

RATE_FPS = 30.0


class Rig:
    """Everything but the stage."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = ParameterStore()
        self.told: list[str] = []
        self.wanted: dict[str, bool] = {}
        self.output = GivenOutput(folder, (320, 180), RATE_FPS, seconds_kept=2.0)
        self.desk = SharingDesk(
            self.store.snapshot, folder / RING_NAME, self.wanted.__setitem__, self.told.append, folder / "logs"
        )
        self.desk.follow_display(lambda: RATE_FPS)

    def set(self, word: str, **values: object) -> None:
        self.store.set_many({f"/vj/share/{word}/{name}": value for name, value in values.items()}, "test")

    def wait(self, condition: Callable[[], bool], what: str, timeout_s: float = 15.0) -> None:
        until_s = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < until_s, f"{what}: {self.desk.states} {self.told} {self._logs()}"
            time.sleep(0.02)

    def wait_sending(self, word: str, but_not: int = 0) -> ShareState:
        """Wait until it sends, by another process than `but_not`; return how it stands."""

        def is_sending() -> bool:
            state = self.desk.states[word]
            return state.state == "sending" and state.process_id != but_not

        self.wait(is_sending, f"{word} sending")
        return self.desk.states[word]

    def _logs(self) -> list[str]:
        return [path.read_text("utf-8", "replace")[-400:] for path in (self.folder / "logs").glob("*")]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """A rig that runs: pictures are written, nothing is on."""
    rig = Rig(tmp_path)
    with rig.output:
        rig.desk.start()
        yield rig
        rig.desk.stop()


@pytest.fixture
def stood_in_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have sending processes find the stand-ins of `fakes/` first."""
    paths = [str(Path(__file__).parent / "fakes"), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
