"""Timeline files: our own TOML, and Scope's JSON by its importer.

Times in seconds, beats or bars become seconds here. Knows nothing of playing.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.parameter import Value
from engine.preset_table import did_you_mean
from vj.parameters import PARAMETERS
from vj.presets.looks import SEED_ADDRESS, load_look, read_values
from vj.presets.scope_import import load_scope_timeline
from vj.presets.timeline import LONGEST_S, Timeline, TimelineCue
from vj.shipped_files import LOOKS, find_file
from vj.written_files import FileError, Problem, read_text, read_toml, show_value

UNITS = ("seconds", "beats", "bars")
CUTS = ("hard", "soft")
DEFAULT_TEMPO_BPM = 120.0
DEFAULT_BEATS_PER_BAR = 4.0
_FILE_KEYS = ("name", "description", "unit", "tempo_bpm", "beats_per_bar", "seed", "length", "cues")
_CUE_KEYS = ("at", "look", "values", "fade", "cut")


def load_timeline(path: Path) -> tuple[Timeline, tuple[Problem, ...]]:
    """Read a timeline of any known format; what is wrong in ours is left out and told.

    Raises FileError when nothing is left, and for everything wrong in a foreign file.
    """
    if path.suffix.lower() == ".json" or read_text(path).lstrip().startswith("{"):
        return load_scope_timeline(path), ()
    return _Reader(path).read(read_toml(path))


class _Reader:
    """Collects the problems of one TOML timeline while it is read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._problems: list[Problem] = []

    def read(self, file: Mapping[str, Any]) -> tuple[Timeline, tuple[Problem, ...]]:
        self._refuse_unknown("", file, _FILE_KEYS)
        unit_s = self._unit_s(file)
        lines = file.get("cues")
        if not isinstance(lines, list) or not lines:
            raise FileError(self._path, "has no [[cues]]")
        cues = [cue for k, line in enumerate(lines) if (cue := self._cue(f"cues[{k + 1}]", line, unit_s))]
        if not cues:
            raise FileError(self._path, f"has no cue that can be played ({self._problems[-1]})")
        cues.sort(key=lambda cue: cue.at_s)
        name = file.get("name", "")
        seed = self._seed(file["seed"]) if "seed" in file else None
        length_s = self._time_s("length", file["length"], unit_s, 0.0) if "length" in file else 0.0
        timeline = Timeline(
            name if isinstance(name, str) and name else self._path.stem, tuple(cues), length_s or None, seed
        )
        return timeline, tuple(self._problems)

    def _unit_s(self, file: Mapping[str, Any]) -> float:
        unit = file.get("unit", UNITS[0])
        if unit not in UNITS:
            self._report("unit", f"{show_value(unit)} is not one of {', '.join(UNITS)}; seconds are taken")
            return 1.0
        if unit == "seconds":
            return 1.0
        tempo_bpm = DEFAULT_TEMPO_BPM
        if "tempo_bpm" in file:
            tempo_bpm = self._number("tempo_bpm", file["tempo_bpm"], DEFAULT_TEMPO_BPM, is_above_zero=True)
        else:
            self._report("tempo_bpm", f"is missing for a timeline in {unit}; {DEFAULT_TEMPO_BPM:g} is taken")
        beats = self._number(
            "beats_per_bar", file.get("beats_per_bar", DEFAULT_BEATS_PER_BAR), DEFAULT_BEATS_PER_BAR, is_above_zero=True
        )
        return 60.0 / tempo_bpm * (beats if unit == "bars" else 1.0)

    def _cue(self, key: str, line: object, unit_s: float) -> TimelineCue | None:
        if not isinstance(line, dict):
            self._report(key, f"must be a table, not {show_value(line)}")
            return None
        self._refuse_unknown(f"{key}.", line, _CUE_KEYS)
        if "at" not in line:
            self._report(f"{key}.at", "is missing: the cue is left out")
            return None
        at_s = self._time_s(f"{key}.at", line["at"], unit_s, -1.0)
        if at_s < 0.0:
            return None
        values = self._look_values(f"{key}.look", line["look"]) if "look" in line else {}
        if "values" in line:
            own, found = read_values(self._path, f"{key}.values", line["values"])
            self._problems += found
            values |= own
        cut = line.get("cut", "")
        if cut and cut not in CUTS:
            self._report(f"{key}.cut", f"{show_value(cut)} is not one of {', '.join(CUTS)}")
            cut = ""
        if not values and not cut:
            self._report(key, "changes nothing")
            return None
        fade_s = self._time_s(f"{key}.fade", line.get("fade", 0.0), unit_s, 0.0)
        return TimelineCue(at_s, values, fade_s, cut=cut)

    def _look_values(self, key: str, name: object) -> dict[str, Value]:
        if not isinstance(name, str):
            self._report(key, f"must be a look's name, not {show_value(name)}")
            return {}
        beside = self._path.parent / name
        try:
            look, problems = load_look(beside if beside.is_file() else find_file(name, LOOKS))
        except FileError as error:
            self._report(key, str(error))
            return {}
        self._problems += problems
        return dict(look.values)

    def _seed(self, seed: object) -> int | None:
        try:
            return int(PARAMETERS[SEED_ADDRESS].coerce(seed))
        except ValueError as error:
            self._report("seed", str(error).removeprefix(f"{SEED_ADDRESS}: "))
            return None

    def _time_s(self, key: str, value: object, unit_s: float, otherwise_s: float) -> float:
        number = self._number(key, value, -1.0)
        if number < 0.0:
            return otherwise_s
        if not number * unit_s <= LONGEST_S:
            self._report(key, f"{show_value(value)} is past the end of a day: times go up to {LONGEST_S:g} seconds")
            return otherwise_s
        return number * unit_s

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
