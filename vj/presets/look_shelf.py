"""All looks at hand, in memory, and the sixteen slots that call them up and save them.

Knows nothing of windows or controllers; files are read once and written by whoever is given as the writer.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from engine.preset_table import did_you_mean
from vj.controls import Press
from vj.presets.looks import Look, load_look, look_from, look_text
from vj.presets.params import LOOK_SLOTS
from vj.presets.recall import Recall
from vj.shipped_files import LOOKS, Library, shipped_folder, user_folder
from vj.written_files import FileError

Writer = Callable[[Path, str], None]  # takes a file and its text; does not wait for the disk


class UnknownLookError(ValueError):
    """No look of that name; the sentence names the nearest."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"there is no look {name!r}{did_you_mean(name, known)}")


class LookShelf:
    """Looks by their file's name without suffix. Any thread may call any method; none waits for a disk.

    A slot holds a look's name or nothing.
    """

    def __init__(self, recall: Recall, library: Library, write: Writer, tell: Callable[[str], None]) -> None:
        """Read every look there is. `tell` takes a sentence per problem."""
        self._recall = recall
        self._write = write
        self._tell = tell
        self._lock = threading.Lock()
        self._looks: Mapping[str, Look] = {}
        self._own: Mapping[str, Path] = {}  # files that may be overwritten, by name
        self._home = user_folder(LOOKS)  # where new ones go
        self._slots: tuple[str, ...] = ("",) * LOOK_SLOTS
        self.version = 0  # counts changes
        self.read(library)
        for n in range(1, LOOK_SLOTS + 1):
            recall.controls.answer(f"/vj/look/{n}/recall", lambda press, n=n: self._recall_pressed(n, press))
            recall.controls.answer(f"/vj/look/{n}/save", lambda press, n=n: self._save_pressed(n))

    @property
    def looks(self) -> Mapping[str, Look]:
        """Every look by name, in order of name; the mapping never changes again."""
        return self._looks

    @property
    def slots(self) -> tuple[str, ...]:
        """Name of the look in each slot, empty = none."""
        return self._slots

    def look(self, name: str) -> Look:
        """Return a look by name. Raises UnknownLookError."""
        if name not in self._looks:
            raise UnknownLookError(name, tuple(self._looks))
        return self._looks[name]

    def assign(self, slot: int, name: str) -> None:
        """Put a look into slot 1..16; an empty name clears it. Raises UnknownLookError."""
        if name:
            self.look(name)
        with self._lock:
            slots = list(self._slots)
            slots[slot - 1] = name
            self._slots = tuple(slots)
            self.version += 1

    def recall(self, name: str, source: str = "") -> None:
        """Call a look up over the transition time. Raises UnknownLookError."""
        self._recall.play(self.look(name).values, source or f"look {name}")

    def save(self, title: str, description: str = "") -> str:
        """Save what plays as one of the user's looks; return its name. One of the same name is replaced."""
        name = file_name(title)
        self._put(name, title, description)
        return name

    def _put(self, name: str, title: str, description: str) -> None:
        look = look_from(self._recall.controls.store.snapshot(), title, description)
        with self._lock:
            self._looks = dict(sorted({**self._looks, name: look}.items()))
            path = self._own.get(name, self._home / f"{name}.toml")
            self._own = {**self._own, name: path}
            self.version += 1
        self._write(path, look_text(look))

    def _recall_pressed(self, slot: int, press: Press) -> None:
        name = self._slots[slot - 1]
        if name:
            self.recall(name)
        else:
            self._tell(f"look slot {slot} is empty ({press.source})")

    def _save_pressed(self, slot: int) -> None:
        """Replace the slot's look if it is the user's own; else make a new one: what shipped is never covered."""
        name = self._slots[slot - 1]
        if name in self._own:
            self._put(name, self._looks[name].name, self._looks[name].description)
        else:
            self.assign(slot, self.save(f"Slot {slot}"))

    def settle_in(self, library: Library) -> None:
        """Write looks into this library's first folder from now on: a show's looks stay with the show."""
        with self._lock:
            self._own = library.own_files(LOOKS)
            self._home = library.folders(LOOKS)[0]

    def read(self, library: Library) -> None:
        """Read every look anew and fill the slots as shipped. May wait for the disk."""
        looks: dict[str, Look] = {}
        for name, path in library.list_files(LOOKS).items():
            try:
                looks[name], problems = load_look(path)
            except FileError as error:
                self._tell(str(error))
                continue
            for problem in problems:
                self._tell(str(problem))
        shipped = sorted(path.stem for path in shipped_folder(LOOKS).glob("*.toml"))
        ordered = [name for name in shipped if name in looks] + [name for name in looks if name not in shipped]
        with self._lock:
            self._looks = looks
            self._own = library.own_files(LOOKS)
            self._home = library.folders(LOOKS)[0]
            self._slots = (*ordered[:LOOK_SLOTS], *[""] * (LOOK_SLOTS - len(ordered)))
            self.version += 1


def file_name(title: str) -> str:
    """Turn a title into a name every file system takes: letters, digits, - and _, at most 60, never empty."""
    return re.sub(r"[^\w-]+", "_", title.strip().lower()).strip("_")[:60] or "untitled"
