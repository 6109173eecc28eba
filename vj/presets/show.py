"""A show as one folder that moves to another machine: its file, and the looks, mappings, timelines and media it uses.

LoRAs are too large to travel: their names and hashes do. May wait for the disk; knows nothing of what plays.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from engine.parameter import Value
from engine.params import LORA_SLOTS, LORA_SUFFIXES
from engine.preset_table import did_you_mean
from vj.presets.show_file import FILE_NAME, LoraUse, ShowState, read_show, show_text
from vj.presets.timeline_files import looks_of_timeline
from vj.shipped_files import LOOKS, MAPPINGS, TIMELINES, Library, show_folder
from vj.written_files import FileError, replace_file, write_text

LORAS, MEDIA = "loras", "media"
NOT_KEPT = ("/vj/output/blackout", "/vj/record/on")  # a moment of the last evening is no part of the next one
_HASH_BYTES = 1 << 20


@dataclass(frozen=True)
class Show:
    """What a folder holds. Frozen."""

    state: ShowState

    def save(self, folder: Path, library: Library) -> tuple[str, ...]:
        """Write the show into `folder`, made if it is not there; return sentences on what could not come along.

        Each file is replaced whole or not at all, the show's own file last. Raises FileError.
        """
        state = self.state
        missing: list[str] = []
        timeline = _file_of(state.timeline, TIMELINES, library)
        wanted = {
            LOOKS: _named(library, LOOKS, [*(state.slots or ()), *(cue.look for cue in state.cues)]),
            MAPPINGS: _named(library, MAPPINGS, state.mappings),
            TIMELINES: {timeline.name: timeline} if timeline is not None else {},
        }
        for path in wanted[TIMELINES].values():
            wanted[LOOKS] |= _named(library, LOOKS, looks_of_timeline(path))
        for kind, files in wanted.items():
            own = {path.name: path for path in library.own_files(kind).values()}
            for name, path in (own | files).items():
                missing += _copy(path, show_folder(folder, kind) / name)
        if library.show is not None:
            missing += _copy_media(library.show / MEDIA, folder / MEDIA)
        loras, unknown = _lora_uses(state.values)
        missing += unknown
        values = {address: value for address, value in state.values.items() if address not in NOT_KEPT}
        kept = dataclasses.replace(
            state,
            name=state.name or folder.name,
            folder="",
            timeline=timeline.stem if timeline is not None else "",
            loras=loras,
            mappings=tuple(Path(name).stem for name in state.mappings),
            values=values,
        )
        write_text(folder / FILE_NAME, show_text(kept))
        return tuple(missing)

    @classmethod
    def load(cls, folder: Path) -> tuple[Show, tuple[str, ...]]:
        """Read a show's folder, or its show.toml; return it and a sentence for each thing that is not on this machine.

        LoRAs that lie in the show's own loras/ are taken from there. Raises FileError when there is no show at all.
        """
        if folder.name == FILE_NAME:
            folder = folder.parent
        state, problems = read_show(folder / FILE_NAME)
        library = Library(folder)
        sentences = [*map(str, problems), *_missing_looks(state, library)]
        for kind, names in ((TIMELINES, [state.timeline] if state.timeline else []), (MAPPINGS, state.mappings)):
            for name in names:
                try:
                    library.find_file(name, kind)
                except FileError as error:
                    sentences.append(f"{FILE_NAME}: {Path(kind).name}: {error}")
        values, lost = _found_loras(folder, state)
        state = dataclasses.replace(state, values=values, name=state.name or folder.name, folder=str(folder))
        return cls(state), (*sentences, *lost)


def _named(library: Library, kind: str, names: Iterable[str]) -> dict[str, Path]:
    """Files by name or path; one that is not there is passed over: the show tells it when it is used."""
    found = [path for name in names if (path := _file_of(name, kind, library)) is not None]
    return {path.name: path for path in found}


def _file_of(name: str, kind: str, library: Library) -> Path | None:
    if not name:
        return None
    with contextlib.suppress(FileError):
        return library.find_file(name, kind)
    return None


def _copy(source: Path, target: Path) -> list[str]:
    """Copy one file whole; return a sentence when that did not work."""
    try:
        if target.exists() and source.samefile(target):
            return []
        with source.open("rb") as original:
            replace_file(target, lambda copy: shutil.copyfileobj(original, copy))
    except OSError as error:
        return [f"{source} could not come along ({error.strerror or error})"]
    except FileError as error:
        return [f"{source} could not come along: {error}"]
    return []


def _copy_media(source: Path, target: Path) -> list[str]:
    if not source.is_dir():
        return []
    return [
        sentence
        for path in sorted(source.rglob("*"))
        if path.is_file()
        for sentence in _copy(path, target / path.relative_to(source))
    ]


def _missing_looks(state: ShowState, library: Library) -> list[str]:
    known = library.list_files(LOOKS)
    used = {f"look_slots.{n}": name for n, name in enumerate(state.slots or (), start=1) if name}
    used |= {f"cues[{n}].look": cue.look for n, cue in enumerate(state.cues, start=1) if cue.look}
    return [
        f"{FILE_NAME}: {key}: there is no look {name!r}{did_you_mean(name, known)}"
        for key, name in used.items()
        if name not in known
    ]


# -- LoRAs ---------------------------------------------------------------------------------------------------------


def lora_address(slot: int) -> str:
    """Address of the file of LoRA slot 1.."""
    return f"/vj/lora/{slot}/file"


def _lora_uses(values: Mapping[str, Value]) -> tuple[tuple[LoraUse, ...], list[str]]:
    uses: list[LoraUse] = []
    missing: list[str] = []
    for slot in range(1, LORA_SLOTS + 1):
        written = str(values.get(lora_address(slot), ""))
        if not written:
            continue
        digest = ""
        try:
            digest = file_sha256(find_lora(written))
        except (ValueError, OSError) as error:
            missing.append(f"LoRA slot {slot}: {error}; the show keeps its name without a hash")
        uses.append(LoraUse(slot, re.split(r"[/\\]", written)[-1], digest))
    return tuple(uses), missing


def _found_loras(folder: Path, state: ShowState) -> tuple[dict[str, Value], list[str]]:
    """Point each slot at a file with the right content; say what is not here or is another file."""
    values = dict(state.values)
    sentences: list[str] = []
    for use in state.loras:
        address = lora_address(use.slot)
        if address not in values:
            continue
        found: list[Path] = []
        for written in (str(values[address]), str(folder / LORAS / use.file), use.file):
            with contextlib.suppress(ValueError, OSError):
                found.append(find_lora(written))
        matching = [path for path in dict.fromkeys(found) if not use.sha256 or _has_hash(path, use.sha256)]
        if matching:
            values[address] = str(matching[0])
        elif found:
            sentences.append(
                f"{FILE_NAME}: loras: {found[0]} is not the file the show was made with (sha256 {use.sha256[:12]}...); "
                f"it is played all the same"
            )
            values[address] = str(found[0])
        else:
            sentences.append(
                f"{FILE_NAME}: loras: {use.file} (slot {use.slot}, sha256 {use.sha256[:12] or 'unknown'}...) is not on "
                f"this machine: put it into {folder / LORAS}"
            )
    return values, sentences


def find_lora(written: str) -> Path:
    """Resolve a LoRA's path, or its name in the user's folder, as the engine does. Raises OSError, ValueError."""
    own = platformdirs.user_data_path("vj", appauthor=False) / LORAS
    for path in (Path(written), own / written, *(own / f"{written}{suffix}" for suffix in LORA_SUFFIXES)):
        if path.is_file():
            return path
    raise FileNotFoundError(f"there is no LoRA file {written!r} here or in {own}")


def _has_hash(path: Path, digest: str) -> bool:
    try:
        return file_sha256(path) == digest
    except OSError:
        return False


def file_sha256(path: Path) -> str:
    """Hash a file's content. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_HASH_BYTES):
            digest.update(block)
    return digest.hexdigest()
