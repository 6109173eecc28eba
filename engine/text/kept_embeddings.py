"""Embeddings kept on disk by hash: a prompt that was ever encoded costs a file read. Knows nothing of pads or models.

What cannot be read or written, or was spoiled, is encoded anew; a full disk never stops a show.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import zlib
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from engine.text.prompts import TextEncoder

KEPT_FILES = 4096  # the oldest go first
KEPT_BYTES = 2_000_000_000  # likewise
TRIM_EVERY = 16  # writes
_BLOCK_BYTES, _BLOCKS = 1 << 16, 128


def embeddings_folder() -> Path | None:
    """Where embeddings are kept on this machine; None where platformdirs cannot tell it."""
    try:
        import platformdirs
    except ModuleNotFoundError:
        return None
    return platformdirs.user_cache_path("vj", appauthor=False) / "embeddings"


def fingerprint(file: Path) -> str:
    """A hash of a weight file that does not read all of its gigabytes: size, both ends, and blocks in between.

    A .pth file's end holds the checksums of everything in it. Raises OSError.
    """
    if file.is_dir():
        return " ".join(fingerprint(part) for part in sorted(file.iterdir()) if part.is_file())
    size = file.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with file.open("rb") as opened:
        last = max(0, size - _BLOCK_BYTES)
        for number in range(_BLOCKS):
            opened.seek(last * number // (_BLOCKS - 1))
            digest.update(opened.read(_BLOCK_BYTES))
    return digest.hexdigest()


class KeptEmbeddings:
    """A text encoder whose results are kept in a folder. Used by one thread."""

    def __init__(self, encoder: TextEncoder, folder: Path, identity: str, *, keeps_all: bool = False) -> None:
        """`identity` is what makes embeddings of two encoders differ: files' fingerprints, number type.

        With `keeps_all` nothing is ever deleted: a list of prompts for training is longer than a show's.
        """
        self._encoder = encoder
        self._folder = folder
        self._identity = identity
        self._keeps_all = keeps_all
        self._written = 0

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
            if _checksum(stored["rows"]) != int(stored["checksum"]):
                return None
            rows = torch.zeros(tuple(stored["shape"].tolist()))
            rows[: len(stored["rows"])] = stored["rows"].float()
            path.touch()
        except (OSError, SafetensorError, KeyError, RuntimeError, ValueError):
            return None
        return rows

    def _write(self, path: Path, rows: Tensor) -> None:
        """Keep the rows that hold something: the others are zeros past the prompt's end."""
        used = int(rows.any(dim=1).nonzero().max()) + 1 if rows.any() else 0
        kept = rows[:used].contiguous()
        if torch.equal(kept.bfloat16().float(), kept):
            kept = kept.bfloat16()  # computed in it: half the room
        tensors = {"rows": kept, "shape": torch.tensor(rows.shape), "checksum": torch.tensor(_checksum(kept))}
        partial = path.with_name(f"{path.name}.{os.getpid()}")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            save_file(tensors, partial)
            partial.replace(path)
            if not self._keeps_all and self._written % TRIM_EVERY == 0:
                self._trim()
            self._written += 1
        except (OSError, SafetensorError):
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)

    def _trim(self) -> None:
        """Delete what was used longest ago, down to the bounds."""
        found = sorted((file.stat().st_mtime, file.stat().st_size, file) for file in self._folder.glob("*.safetensors"))
        files, total = len(found), sum(size for _, size, _ in found)
        for _, size, file in found:
            if files <= KEPT_FILES and total <= KEPT_BYTES:
                break
            file.unlink(missing_ok=True)
            files, total = files - 1, total - size


def _checksum(rows: Tensor) -> int:
    return zlib.crc32(rows.contiguous().view(torch.uint8).numpy().tobytes()) if rows.numel() else 0
