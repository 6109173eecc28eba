"""What of a model is on this machine: present, partial, missing or spoiled, file by file. Reaches no network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.downloads.catalogue import RemoteFile, Wanted
from engine.downloads.checksums import read_pin
from engine.downloads.places import PIECE, locate, own_path
from engine.downloads.progress import size_words

STATES = ("present", "partial", "missing", "spoiled")  # of a file, and of the worst file of a model
SHIPPED = "ships"


@dataclass(frozen=True)
class FileState:
    """One file as it lies here; `spoiled` means it has another size than was published."""

    file: RemoteFile
    word: str  # one of STATES
    path: Path
    owner: str  # whose folder it is in; empty when it is nowhere
    size_bytes: int | None  # published or pinned
    found_bytes: int  # of the file; 0 when there is none
    piece_bytes: int  # of what was fetched so far

    @classmethod
    def of(cls, file: RemoteFile) -> FileState:
        """Look at the disk."""
        pin = read_pin(file)
        size = file.size_bytes or (pin.size_bytes if pin else None)
        found = locate(file, size)
        own = own_path(file)
        if found:
            path, owner = found
            found_bytes = _bytes(path)
            return cls(file, "present", path, owner, size or found_bytes, found_bytes, 0)
        piece_bytes = max((_bytes(path) for path in own.parent.glob(f"{own.name}*{PIECE}")), default=0)
        if own.is_file():
            return cls(file, "spoiled", own, "vj", size, _bytes(own), piece_bytes)
        return cls(file, "partial" if piece_bytes else "missing", own, "", size, 0, piece_bytes)


@dataclass(frozen=True)
class ModelState:
    """All files of a model, a part or a set."""

    wanted: Wanted
    files: tuple[FileState, ...]

    @property
    def word(self) -> str:
        """One of STATES, or `ships`."""
        words = {file.word for file in self.files}
        if not words:
            return SHIPPED
        if "spoiled" in words:
            return "spoiled"
        if len(words) == 1:
            return words.pop()
        return "partial"

    @property
    def size_words(self) -> str:
        """Bytes of all files, in words: "18.2 GB"; "> 18.2 GB" when the size of one is not known before it is asked."""
        if not self.files:
            return ""
        known = sum(file.size_bytes or 0 for file in self.files)
        is_whole = all(file.size_bytes for file in self.files)
        return size_words(known) if is_whole else f"> {size_words(known)}" if known else "?"

    @property
    def owners(self) -> list[str]:
        """Whose folders the files are in."""
        return list(dict.fromkeys(file.owner for file in self.files if file.owner))

    def as_data(self) -> dict[str, object]:
        """All of it as JSON takes it."""
        wanted = self.wanted
        head = {"name": wanted.name, "kind": wanted.kind, "licence": wanted.licence, "description": wanted.description}
        files = [
            {"reference": f.file.reference, "state": f.word, "path": str(f.path), "size_bytes": f.size_bytes}
            for f in self.files
        ]
        return {**head, "state": self.word, "files": files}


def look_at(wanted: Wanted) -> ModelState:
    """Look at every file of a model, a part or a set."""
    return ModelState(wanted, tuple(FileState.of(file) for file in wanted.files))


def _bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
