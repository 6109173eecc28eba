"""Many files at once: asked for, the disk's room checked before the first byte, fetched side by side.

The calling thread shows how far it is and may be interrupted at any moment; pieces stay and are gone on with.
"""

from __future__ import annotations

import queue
import shutil
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from engine.downloads.catalogue import RemoteFile
from engine.downloads.hub import DownloadError, Offer, ask, fetch, size_of
from engine.downloads.progress import ByteProgress, size_words

AT_ONCE = 4
LOOK_EVERY_S = 0.2
SPARE_BYTES = 64 << 20  # left free on the disk for everything else


def ask_all(files: Sequence[RemoteFile]) -> list[Offer]:
    """What the server has of each file, in order. Raises DownloadError with every problem."""
    problems: list[str] = []

    def ask_one(file: RemoteFile) -> Offer | None:
        try:
            return ask(file)
        except DownloadError as error:
            problems.append(str(error))
            return None

    with ThreadPoolExecutor(AT_ONCE) as pool:
        offers = [offer for offer in pool.map(ask_one, files) if offer is not None]
    if problems:
        raise DownloadError("\n".join(dict.fromkeys(problems)))
    return offers


def check_room(offers: Sequence[Offer], folder: Path) -> None:
    """Raise DownloadError when the disk has no room for what is missing of the files."""
    needed = sum(offer.missing_bytes for offer in offers)
    there = next(path for path in (folder, *folder.parents) if path.is_dir())
    free = shutil.disk_usage(there).free
    if needed + SPARE_BYTES > free:
        raise DownloadError(
            f"{folder}: {size_words(needed)} are to be fetched and {size_words(free)} are free there; make room for "
            f"{size_words(needed + SPARE_BYTES - free)} more, or name a folder on a larger disk in VJ_MODELS"
        )


def fetch_all(name: str, offers: Sequence[Offer]) -> list[str]:
    """Fetch the files side by side, the largest first; return the problems, one sentence each.

    KeyboardInterrupt passes through; the threads end with the process and leave their pieces.
    """
    waiting: queue.SimpleQueue[Offer] = queue.SimpleQueue()
    for offer in sorted(offers, key=lambda offer: -(offer.size_bytes or 0)):
        waiting.put(offer)
    problems: list[str] = []
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    under_way: set[str] = set()

    def work() -> None:
        while True:
            try:
                offer = waiting.get_nowait()
            except queue.Empty:
                return
            under_way.add(offer.target.name)
            try:
                fetch(offer, lines.put)
            except DownloadError as error:
                problems.append(str(error))
            under_way.discard(offer.target.name)

    total = sum(offer.size_bytes or 0 for offer in offers)
    # daemons: one that waits for a server does not hold up a Ctrl-C
    threads = [threading.Thread(target=work, name=f"download {n}", daemon=True) for n in range(AT_ONCE)]
    with ByteProgress(name, total, _done_bytes(offers)) as progress:
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            for thread in threads:
                thread.join(LOOK_EVERY_S / AT_ONCE)
            progress.show(_done_bytes(offers), ", ".join(sorted(under_way)))
            _say_all(progress, lines)
        _say_all(progress, lines)
    return problems


def _say_all(progress: ByteProgress, lines: queue.SimpleQueue[str]) -> None:
    while not lines.empty():
        progress.say(lines.get())


def _done_bytes(offers: Sequence[Offer]) -> int:
    return sum(size_of(offer.target) or size_of(offer.piece) for offer in offers)
