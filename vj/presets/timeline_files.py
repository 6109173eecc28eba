"""Timeline files: our own TOML, and Scope's JSON by its importer.

Times stay in the file's unit: seconds, beats or bars. Knows nothing of playing.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.parameter import Value
from engine.params import BLEND_MODES
from engine.preset_table import did_you_mean
from vj.parameters import PARAMETERS
from vj.presets.looks import SEED_ADDRESS, load_look, read_values
from vj.presets.scope_import import load_scope_timeline
from vj.presets.timeline import (
    CHUNK_S,
    DEFAULT_BEATS_PER_BAR,
    DEFAULT_TEMPO_BPM,
    LONGEST_S,
    Timeline,
    TimelineCue,
    Unit,
)
from vj.shipped_files import LOOKS, Library
from vj.written_files import FileError, Problem, read_text, read_toml, show_value

UNITS = ("seconds", "beats", "bars")
CUTS = ("hard", "soft")
_FILE_KEYS = ("name", "description", "unit", "tempo_bpm", "beats_per_bar", "seed", "length", "size", "model", "cues")
_CUE_KEYS = ("at", "end", "look", "values", "fade", "fade_chunks", "fade_blend", "cut")
LONGEST_FADE_CHUNKS = int(LONGEST_S / CHUNK_S)


def load_timeline(path: Path, library: Library | None = None) -> tuple[Timeline, tuple[Problem, ...]]:
    """Read a timeline of any known format, its looks out of `library`; what is wrong in ours is left out and told.

    Raises FileError when nothing is left, and for everything wrong in a foreign file.
    """
    if path.suffix.lower() == ".json" or read_text(path).lstrip().startswith("{"):
        return dataclasses.replace(load_scope_timeline(path), file=path.absolute()), ()
    timeline, problems = _Reader(path, library or Library()).read(read_toml(path))
    return dataclasses.replace(timeline, file=path.absolute()), problems


def looks_of_timeline(path: Path) -> tuple[str, ...]:
    """Return the names of the looks a timeline file plays; none for a file that cannot be read."""
    try:
        lines = read_toml(path).get("cues", []) if path.suffix.lower() == ".toml" else []
    except FileError:
        return ()
    looks = [line.get("look") for line in lines if isinstance(line, dict)] if isinstance(lines, list) else []
    return tuple(look for look in looks if isinstance(look, str))


class _Reader:
    """Collects the problems of one TOML timeline while it is read."""

    def __init__(self, path: Path, library: Library) -> None:
        self._path = path
        self._library = library
        self._problems: list[Problem] = []

    def read(self, file: Mapping[str, Any]) -> tuple[Timeline, tuple[Problem, ...]]:
        self._refuse_unknown("", file, _FILE_KEYS)
        unit, tempo_bpm, beats = self._measure(file)
        frame = Timeline("", (), unit=unit, tempo_bpm=tempo_bpm, beats_per_bar=beats)
        lines = file.get("cues")
        if not isinstance(lines, list) or not lines:
            raise FileError(self._path, "has no [[cues]]")
        cues = [cue for k, line in enumerate(lines) if (cue := self._cue(f"cues[{k + 1}]", line, frame.unit_s))]
        if not cues:
            raise FileError(self._path, f"has no cue that can be played ({self._problems[-1]})")
        timeline = dataclasses.replace(
            frame,
            name=self._text("name", file) or self._path.stem,
            description=self._text("description", file),
            cues=tuple(sorted(cues, key=lambda cue: cue.at)),
            length=self._time("length", file.get("length", 0), frame.unit_s, 0.0) or None,
            seed=self._seed(file["seed"]) if "seed" in file else None,
            size=self._size(file.get("size")),
            model=self._text("model", file),
        )
        return timeline, tuple(self._problems)

    def _measure(self, file: Mapping[str, Any]) -> tuple[Unit, float, float]:
        """Return unit, tempo and beats per bar."""
        unit = file.get("unit", UNITS[0])
        if unit not in UNITS:
            self._report("unit", f"{show_value(unit)} is not one of {', '.join(UNITS)}; seconds are taken")
            unit = UNITS[0]
        if unit != "seconds" and "tempo_bpm" not in file:
            self._report("tempo_bpm", f"is missing for a timeline in {unit}; {DEFAULT_TEMPO_BPM:g} is taken")
        tempo, beats = (
            self._number(key, file.get(key, otherwise), otherwise, is_above_zero=True)
            for key, otherwise in (("tempo_bpm", DEFAULT_TEMPO_BPM), ("beats_per_bar", DEFAULT_BEATS_PER_BAR))
        )
        return unit, tempo, beats

    def _cue(self, key: str, line: object, unit_s: float) -> TimelineCue | None:
        if not isinstance(line, dict):
            self._report(key, f"must be a table, not {show_value(line)}")
            return None
        self._refuse_unknown(f"{key}.", line, _CUE_KEYS)
        if "at" not in line:
            self._report(f"{key}.at", "is missing: the cue is left out")
            return None
        at = self._time(f"{key}.at", line["at"], unit_s, -1.0)
        if at < 0.0:
            return None
        values = self._look_values(f"{key}.look", line["look"]) if "look" in line else {}
        if "values" in line:
            own, found = read_values(self._path, f"{key}.values", line["values"])
            self._problems += found
            values |= own
        cut = self._choice(f"{key}.cut", line.get("cut", ""), CUTS)
        if not values and not cut:
            self._report(key, "changes nothing")
            return None
        return TimelineCue(
            at,
            values,
            fade=self._time(f"{key}.fade", line.get("fade", 0.0), unit_s, 0.0),
            fade_chunks=self._fade_chunks(f"{key}.fade_chunks", line.get("fade_chunks", 0)),
            fade_blend=self._choice(f"{key}.fade_blend", line.get("fade_blend", ""), BLEND_MODES),
            cut=cut,
            end=self._time(f"{key}.end", line["end"], unit_s, at) if "end" in line else None,
        )

    def _choice(self, key: str, word: object, known: tuple[str, ...]) -> str:
        if word == "" or word in known:
            return str(word)
        self._report(key, f"{show_value(word)} is not one of {', '.join(known)}")
        return ""

    def _fade_chunks(self, key: str, count: object) -> int:
        if isinstance(count, int) and not isinstance(count, bool) and 0 <= count <= LONGEST_FADE_CHUNKS:
            return count
        self._report(key, f"must be a whole number of 0 to {LONGEST_FADE_CHUNKS}, not {show_value(count)}")
        return 0

    def _text(self, key: str, file: Mapping[str, Any]) -> str:
        word = file.get(key, "")
        if isinstance(word, str):
            return word
        self._report(key, f"must be a text, not {show_value(word)}")
        return ""

    def _size(self, size: object) -> tuple[int, int] | None:
        if size is None:
            return None
        if isinstance(size, list) and len(size) == 2 and all(type(n) is int and 0 < n < 2**16 for n in size):
            return size[0], size[1]
        self._report("size", f"must be [width, height] in pixels, not {show_value(size)}")
        return None

    def _look_values(self, key: str, name: object) -> dict[str, Value]:
        if not isinstance(name, str):
            self._report(key, f"must be a look's name, not {show_value(name)}")
            return {}
        beside = self._path.parent / name
        try:
            look, problems = load_look(beside if beside.is_file() else self._library.find_file(name, LOOKS))
        except FileError as error:
            self._report(key, str(error))
            return {}
        except OSError as error:  # a name no file system takes
            self._report(key, f"{show_value(name)} cannot be looked for ({error.strerror})")
            return {}
        self._problems += problems
        return dict(look.values)

    def _seed(self, seed: object) -> int | None:
        try:
            return int(PARAMETERS[SEED_ADDRESS].coerce(seed))
        except ValueError as error:
            self._report("seed", str(error).removeprefix(f"{SEED_ADDRESS}: "))
            return None

    def _time(self, key: str, value: object, unit_s: float, otherwise: float) -> float:
        number = self._number(key, value, -1.0)
        if number < 0.0:
            return otherwise
        if not number * unit_s <= LONGEST_S:
            self._report(key, f"{show_value(value)} is past the end of a day: times go up to {LONGEST_S:g} seconds")
            return otherwise
        return number

    def _number(self, key: str, value: object, otherwise: float, is_above_zero: bool = False) -> float:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        # an upper bound, because TOML has infinity, and whole numbers longer than any float
        if is_number and (value > 0.0 if is_above_zero else value >= 0.0) and value <= sys.float_info.max:
            return float(value)
        least = "above 0" if is_above_zero else "of 0 or more"
        self._report(key, f"must be a number {least}, not {show_value(value)}")
        return otherwise

    def _refuse_unknown(self, prefix: str, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
        for key in table:
            if key not in known:
                self._report(f"{prefix}{key}", f"unknown key{did_you_mean(key, known)}")

    def _report(self, key: str, sentence: str) -> None:
        self._problems.append(Problem(self._path, key, sentence))
