"""Embeddings kept on disk by hash: a prompt that was ever encoded costs a file read. Knows nothing of pads or models.

What cannot be read or written is encoded, or kept in memory alone: a full disk never stops a show.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from engine.text.prompts import TextEncoder

KEPT_FILES = 4096  # the oldest go first


def embeddings_folder() -> Path | None:
    """Where embeddings are kept on this machine; None where platformdirs cannot tell it."""
    try:
        import platformdirs
    except ModuleNotFoundError:
        return None
    return platformdirs.user_cache_path("vj", appauthor=False) / "embeddings"


class KeptEmbeddings:
    """A text encoder whose results are kept in a folder. Used by one thread."""

    def __init__(self, encoder: TextEncoder, folder: Path, identity: str) -> None:
        """`identity` is what makes embeddings of two encoders differ: file, size, number type."""
        self._encoder = encoder
        self._folder = folder
        self._identity = identity

    def encode(self, text: str) -> Tensor:
        """Text -> (text_len, text_dim) float32 on the CPU, from the disk where it was encoded before."""
        name = hashlib.sha256("\0".join((self._identity, text)).encode()).hexdigest()
        path = self._folder / f"{name}.safetensors"
        kept = self._read(path)
        if kept is not None:
            return kept
        rows = self._encoder.encode(text)
        self._write(path, rows)
        return rows

    @staticmethod
    def _read(path: Path) -> Tensor | None:
        try:
            stored = load_file(path)
            rows = torch.zeros(tuple(stored["shape"].tolist()))
            rows[: len(stored["rows"])] = stored["rows"].float()
            path.touch()
        except (OSError, SafetensorError, KeyError, RuntimeError, ValueError):
            return None
        return rows

    def _write(self, path: Path, rows: Tensor) -> None:
        """Keep the rows that hold something: the others are zeros past the prompt's end."""
        used = int(rows.any(dim=1).nonzero().max()) + 1 if rows.any() else 0
        partial = path.with_name(f"{path.name}.{os.getpid()}")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            save_file({"rows": rows[:used].contiguous(), "shape": torch.tensor(rows.shape)}, partial)
            partial.replace(path)
            self._trim()
        except (OSError, SafetensorError):
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)

    def _trim(self) -> None:
        files = list(self._folder.glob("*.safetensors"))
        if len(files) > KEPT_FILES:
            for old in sorted(files, key=lambda file: file.stat().st_mtime)[: len(files) - KEPT_FILES]:
                old.unlink(missing_ok=True)
