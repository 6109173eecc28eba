"""The thread that waits for disks: what goes wrong again and again is told once."""

from __future__ import annotations

import threading
from pathlib import Path

from vj.presets.disk_thread import DiskThread
from vj.written_files import FileError


def test_a_disk_that_stays_full_is_told_once_until_it_is_well_again():
    sentences: list[str] = []
    is_full, saves, rounds = True, [], threading.Semaphore(0)

    def save() -> None:
        saves.append(is_full)
        rounds.release()
        if is_full:
            raise FileError(Path("state.toml"), "cannot be written (disk full)")

    def look_broken() -> None:
        raise FileError(Path("look.toml"), "cannot be written (disk full)")

    disk = DiskThread(sentences.append, save, every_s=0.01)
    disk.start()
    for _ in range(5):
        assert rounds.acquire(timeout=10.0)
    disk.do(look_broken)
    disk.do(look_broken)
    is_full = False
    while saves[-1]:
        assert rounds.acquire(timeout=10.0)
    is_full = True
    while not saves[-1]:
        assert rounds.acquire(timeout=10.0)
    disk.stop()
    assert [sentence.split(":")[0] for sentence in sentences].count("state.toml") == 2
    assert [sentence.split(":")[0] for sentence in sentences].count("look.toml") == 2
