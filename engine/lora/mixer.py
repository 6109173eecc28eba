"""LoRAs mixed into a playing model between two chunks: W = W0 + sum of weight times change, from a kept W0.

Nothing is left behind by any number of moves, and nothing is spent while nothing moves. Knows nothing of prompts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from torch import nn

from engine.downloads.loras import published_lora
from engine.lora.kept_weights import KeptWeights
from engine.lora.lora_file import LoraFile, read_lora
from engine.lora.slots import LoraWeight
from engine.params import LORA_SUFFIXES
from engine.weight_files import CheckpointError

KEPT_MIXES = 64
SHIPPED = Path(__file__).parents[1] / "ember" / "loras"  # of the model that ships


class LoraMixer:
    """Owned by the generator's thread; files are read on a thread of its own, so that adding one never waits.

    A file that is not read yet, or cannot be used, is simply not heard; `failure` says why.
    """

    def __init__(self, model: nn.Module, folders: Sequence[Path] = ()) -> None:
        """`folders` are looked in, in order, for files written without a folder."""
        self._folders = tuple(folders)
        self._weights = KeptWeights(model)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="lora")
        self._files: dict[str, Future[LoraFile]] = {}
        self._unwanted: dict[str, int] = {}  # file -> mixes in a row that did not ask for it
        self._applied: tuple[LoraWeight, ...] = ()  # sorted: the same mix gives the same bits, however it came about

    def apply(self, wanted: Sequence[LoraWeight], *, kept: Sequence[str] = (), wait: bool = False) -> bool:
        """Bring the model to the wanted mix, as far as files are read; True when a weight of the model changed.

        Weight 0 is the model itself, bit for bit. Files in `kept` stay in memory though they are not heard. `wait`
        reads files to the end first (offline), and raises CheckpointError for one that cannot be used.
        """
        heard = [slot for slot in wanted if slot.path and slot.weight != 0.0 and self._is_ready(slot.path, wait)]
        heard.sort(key=lambda slot: (slot.path, slot.weight))
        self._forget({slot.path for slot in (*wanted, *self._applied)} | set(kept))
        before, after = Counter(self._applied), Counter(heard)
        names = {name for slot in (before - after) + (after - before) for name in self._file(slot).changed}
        for name in names:
            changes = [(self._file(slot).changed.get(name), slot.weight) for slot in heard]
            self._weights.mix(name, [(change, weight) for change, weight in changes if change is not None])
        self._applied = tuple(heard)
        return bool(names)

    def request(self, path: str) -> None:
        """Begin to read a file; returns at once."""
        if path and path not in self._files:
            self._files[path] = self._pool.submit(self._read, path)

    def is_ready(self, path: str) -> bool:
        """Whether a file is read and can be mixed, or none is asked for; never waits."""
        return not path or self._is_ready(path, wait=False)

    def failure(self, path: str) -> str:
        """Why a file is not heard; empty while it is being read, or when it is heard."""
        future = self._files.get(path)
        error = future.exception() if future is not None and future.done() else None
        return str(error) if error else ""

    def note(self, path: str) -> str:
        """What a file is and what of it is left out; empty while it is being read, or when it cannot be used."""
        future = self._files.get(path)
        return future.result().summary if future is not None and future.done() and not future.exception() else ""

    def close(self) -> None:
        """End the reading thread."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _is_ready(self, path: str, wait: bool) -> bool:
        self.request(path)
        future = self._files[path]
        if wait:
            future.result()
        return future.done() and future.exception() is None

    def _file(self, slot: LoraWeight) -> LoraFile:
        return self._files[slot.path].result()

    def _read(self, path: str) -> LoraFile:
        return read_lora(find_lora(path, self._folders), self._weights.shapes).to(self._weights.device)

    def _forget(self, kept: set[str]) -> None:
        """Let go of files nobody has wanted for a while: streams that take turns keep each other's."""
        for path, future in list(self._files.items()):
            self._unwanted[path] = 0 if path in kept else self._unwanted.get(path, 0) + 1
            if self._unwanted[path] > KEPT_MIXES and future.done():
                del self._files[path], self._unwanted[path]


def find_lora(written: str, folders: Sequence[Path]) -> Path:
    """Path of a LoRA file by path, by name (suffix optional) in one of `folders`, or by a published one's name.

    Raises CheckpointError.
    """
    path = Path(written)
    try:
        if path.is_file():
            return path
        for folder in folders:
            for candidate in (folder / written, *(folder / f"{written}{suffix}" for suffix in LORA_SUFFIXES)):
                if candidate.is_file():
                    return candidate
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{written[:200]!r} can be no LoRA file's name ({error})") from None
    published = published_lora(written)
    if published is not None:
        if published.is_file():
            return published
        raise CheckpointError(f"{written}: it is not on this machine; `vj models download {written}` fetches it")
    known = sorted({p.name for folder in folders if folder.is_dir() for p in folder.iterdir()})
    looked = f"; in {' and '.join(map(str, folders))} there are: {', '.join(known[:12]) or 'none'}" if folders else ""
    raise CheckpointError(f"{written}: there is no such LoRA file{looked}")


def lora_folders() -> tuple[Path, ...]:
    """Where LoRAs are looked for by name: the user's own folder, where platformdirs can tell it, then ember's."""
    try:
        import platformdirs
    except ModuleNotFoundError:
        return (SHIPPED,)  # a machine that only trains or renders
    return (platformdirs.user_data_path("vj", appauthor=False) / "loras", SHIPPED)
