"""What every way of sending is to whoever has pictures. Knows no particular one."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from fractions import Fraction
from types import ModuleType
from typing import Protocol

import numpy as np

from vj.sharing.kinds import Kind


class SenderError(Exception):
    """A sender cannot be opened, or takes no pictures any more; the sentence says why. It is tried again."""


@dataclass(frozen=True)
class Opening:
    """What a sender is opened with; another one is another sender."""

    name: str
    width: int  # pixels, even
    height: int
    rate: Fraction  # pictures a second, as receivers are told
    has_alpha: bool = False


class Sender(Protocol):
    """One open sender. Opened, used and closed by one thread."""

    name: str  # what receivers list it as
    note: str  # what stands in receivers' way, one sentence; empty = nothing known

    @property
    def receivers(self) -> int | None:
        """How many receive, as far as the library tells; None = it does not."""
        ...

    def send(self, pixels: np.ndarray) -> None:
        """Send (H, W, 4) uint8 RGBA of the opening's size, contiguous. May wait for the driver. Raises SenderError."""
        ...

    def close(self) -> None:
        """Let receivers go."""
        ...


def load(kind: Kind, module: str) -> ModuleType:
    """Load a module of a kind's extra. Raises SenderError that says what to install."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        missing = (error.name or module).partition(".")[0]
        raise SenderError(f"{kind.label} needs {missing}, which is not installed: {kind.install}") from None
