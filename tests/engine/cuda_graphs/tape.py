"""A stand-in for CUDA graphs on a CPU: every operation on tensors is taped with its very tensors, and played back.

As with a graph, Python does not run again at a repeat: numbers, branches and places are those of the recording, and
recording itself changes nothing. What would wait for the device cannot be recorded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

Work = Callable[[], None]
WAITING = {"_local_scalar_dense", "nonzero", "masked_select", "equal", "is_nonzero", "unique_dim", "_unique2"}


class Tape(TorchDispatchMode):
    """Records the operations done within it, and undoes what they wrote."""

    def __init__(self) -> None:
        super().__init__()
        self._calls: list[tuple[Any, tuple, dict, list[Tensor]]] = []
        self._made: set[int] = set()  # memory that came into being while recording
        self._before: dict[int, tuple[Tensor, Tensor]] = {}  # what was written over: view of all of it, copy

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        if func.overloadpacket.__name__ in WAITING:
            raise RuntimeError(f"{func} waits for the device while work is recorded")
        for argument, given in zip(func._schema.arguments, args, strict=False):
            if argument.alias_info is not None and argument.alias_info.is_write and isinstance(given, Tensor):
                self._keep(given)
        out = func(*args, **kwargs)
        inputs = {_memory(leaf) for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)}
        outs = [leaf for leaf in tree_leaves(out) if isinstance(leaf, Tensor)]
        fresh = [leaf for leaf in outs if _memory(leaf) not in inputs]
        self._made |= {_memory(leaf) for leaf in fresh}
        if fresh or func._schema.is_mutable:
            self._calls.append((func, args, kwargs, fresh))
        return out

    def undo(self) -> None:
        """Put back what was written over while recording."""
        for everything, copy in self._before.values():
            everything.copy_(copy)

    def play(self) -> None:
        """Do all of it again, into the same memory."""
        for func, args, kwargs, fresh in self._calls:
            again = func(*args, **kwargs)
            results = [leaf for leaf in tree_leaves(again) if isinstance(leaf, Tensor)]
            for place, result in zip(fresh, results if fresh else [], strict=False):
                place.copy_(result)

    def _keep(self, given: Tensor) -> None:
        memory = _memory(given)
        if memory not in self._made and memory not in self._before:
            everything = torch.empty(0, dtype=torch.uint8).set_(given.untyped_storage())
            self._before[memory] = (everything, everything.clone())


def _memory(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


class TapeRecorder:
    """A `Recorder` that tapes; `fails` makes it refuse."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails
        self.recordings = 0

    def warm_up(self, work: Work) -> None:
        work()

    def record(self, work: Work) -> Work:
        if self.fails:
            raise RuntimeError("operation not permitted when stream is capturing\nmore lines")
        tape = Tape()
        with tape:
            work()
        tape.undo()
        self.recordings += 1
        return tape.play
