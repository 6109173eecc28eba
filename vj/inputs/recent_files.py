"""Files that inputs have shown before, the newest first, kept from show to show. The disk thread reads and writes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from vj.inputs.source_text import read_source
from vj.shipped_files import user_folder
from vj.written_files import read_text, write_text

KEPT = 12
FILE_NAME = "recent_inputs.txt"  # a path per line
Job = Callable[[], None]


class RecentFiles:
    """`files` and `note` may be used by any thread; `on_disk` has a job done on the disk thread."""

    def __init__(self, on_disk: Callable[[Job], None]) -> None:
        self.files: tuple[Path, ...] = ()
        self._on_disk = on_disk
        self._path = user_folder("") / FILE_NAME
        on_disk(self._read)

    def note(self, source: str) -> None:
        """Remember the text of an input's source, if it is a file that is there. Never waits."""
        if source:
            self._on_disk(lambda: self._note(source))

    def _read(self) -> None:
        if self._path.exists():
            self.files = tuple(Path(line) for line in read_text(self._path).splitlines() if line)[:KEPT]

    def _note(self, source: str) -> None:
        asked = read_source(source)
        path = Path(asked.name)
        if asked.kind not in ("clip", "still") or not path.is_file() or path in self.files[:1]:
            return
        self.files = (path, *(one for one in self.files if one != path))[:KEPT]
        write_text(self._path, "".join(f"{one}\n" for one in self.files))
