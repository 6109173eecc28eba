"""LoRAs mixed into a playing model between two chunks: W = W0 + sum of weight times change, from a kept W0.

Nothing is left behind by any number of moves, and nothing is spent while nothing moves. Knows nothing of prompts.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import torch
from torch import Tensor, nn

from engine.lora.lora_file import LoraFile, read_lora
from engine.lora.slots import LoraWeight
from engine.weight_files import CheckpointError

LORA_SUFFIXES = (".safetensors", ".pt", ".pth", ".bin")


class LoraMixer:
    """Owned by the generator's thread; files are read on a thread of its own, so that adding one never waits.

    A file that is not read yet, or cannot be used, is simply not heard; `failures` says why.
    """

    def __init__(self, model: nn.Module, folders: Sequence[Path] = ()) -> None:
        """`folders` are looked in, in order, for files written without a folder."""
        self._model = model
        self._folders = tuple(folders)
        self._shapes = {name: tuple(p.shape) for name, p in model.named_parameters()}
        self._parameters = dict(model.named_parameters())
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="lora")
        self._files: dict[str, Future[LoraFile]] = {}
        self._base: dict[str, Tensor] = {}  # parameters that some LoRA has touched, as they were
        self._applied: tuple[LoraWeight, ...] = ()

    def apply(self, wanted: Sequence[LoraWeight], *, kept: Sequence[str] = (), wait: bool = False) -> bool:
        """Bring the model to the wanted mix, as far as files are read; True when a weight of the model changed.

        Weight 0 is the model itself, bit for bit. Files in `kept` stay in memory though they are not heard. `wait`
        reads files to the end first (offline), and raises CheckpointError for one that cannot be used.
        """
        heard = tuple(slot for slot in wanted if slot.path and slot.weight != 0.0 and self._is_ready(slot.path, wait))
        self._forget({slot.path for slot in (*wanted, *self._applied)} | set(kept))
        if heard == self._applied:
            return False
        before = self._touched(self._applied)
        after = self._touched(heard)
        for name in before | after:
            self._merge(name, heard)
        self._applied = heard
        return bool(before | after)

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
        """What of a file was left out; empty when nothing was."""
        future = self._files.get(path)
        return future.result().note() if future is not None and future.done() and not future.exception() else ""

    def close(self) -> None:
        """End the reading thread."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _is_ready(self, path: str, wait: bool) -> bool:
        self.request(path)
        future = self._files[path]
        if wait:
            future.result()
        return future.done() and future.exception() is None

    def _read(self, path: str) -> LoraFile:
        return read_lora(find_lora(path, self._folders), self._shapes)

    def _forget(self, kept: set[str]) -> None:
        for path in [path for path, future in self._files.items() if path not in kept and future.done()]:
            del self._files[path]

    def _touched(self, slots: Sequence[LoraWeight]) -> set[str]:
        """Names of the parameters these slots change."""
        names: set[str] = set()
        for slot in slots:
            for module, change in self._files[slot.path].result().modules.items():
                if change.parts.keys() - {"alpha", "bias_difference", "up_bias"}:
                    names.add(f"{module}.weight")
                if change.parts.keys() & {"bias_difference", "up_bias"} and f"{module}.bias" in self._parameters:
                    names.add(f"{module}.bias")
        return names

    @torch.inference_mode()
    def _merge(self, name: str, slots: Sequence[LoraWeight]) -> None:
        parameter = self._parameters[name]
        base = self._base.setdefault(name, parameter.detach().clone())
        total: Tensor | None = None
        for slot in slots:
            delta = self._delta(self._files[slot.path].result(), name, parameter)
            if delta is not None:
                total = slot.weight * delta if total is None else total.add_(delta, alpha=slot.weight)
        if total is None:
            parameter.data.copy_(base)
            del self._base[name]
            return
        # summed in float32 and rounded once
        parameter.data.copy_(total.add_(base.float()))

    @staticmethod
    def _delta(file: LoraFile, name: str, parameter: Tensor) -> Tensor | None:
        module, _, kind = name.rpartition(".")
        change = file.modules.get(module)
        if change is None:
            return None
        if kind == "bias":
            return change.bias_delta(parameter.device)
        return change.weight_delta(parameter.shape, parameter.device)


def find_lora(written: str, folders: Sequence[Path]) -> Path:
    """Path of a LoRA file by path, or by name (suffix optional) in one of `folders`. Raises CheckpointError."""
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
    known = sorted({p.name for folder in folders if folder.is_dir() for p in folder.iterdir()})
    looked = f"; in {folders[0]} there are: {', '.join(known[:12]) or 'none'}" if folders else ""
    raise CheckpointError(f"{written}: there is no such LoRA file{looked}")


def lora_folders() -> tuple[Path, ...]:
    """Where LoRAs are looked for by name: the user's own folder, where platformdirs can tell it."""
    try:
        import platformdirs
    except ModuleNotFoundError:
        return ()  # a machine that only trains or renders
    return (platformdirs.user_data_path("vj", appauthor=False) / "loras",)
