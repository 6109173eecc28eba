"""The user's words.toml: which endpoint lengthens prompts. Without the file nothing leaves the computer."""

from __future__ import annotations

from pathlib import Path

import platformdirs

from engine.preset_table import did_you_mean
from vj.words.endpoint import Endpoint
from vj.written_files import FileError, read_toml, show_value

FILE_NAME = "words.toml"
TABLE = "extend"
LONGEST_TIMEOUT_S = 300.0
_KEYS = ("url", "model", "key_variable", "timeout_s")


def settings_file() -> Path:
    """Path of the user's file; it may not exist."""
    return platformdirs.user_config_path("vj", appauthor=False) / FILE_NAME


def read_endpoint(path: Path | None = None) -> Endpoint | None:
    """Read the endpoint out of a file, the user's own by default; None without one. Raises FileError."""
    path = path or settings_file()
    if not path.exists():
        return None
    file = read_toml(path)
    table = file.get(TABLE, {})
    if unknown := next((key for key in file if key != TABLE), ""):
        raise FileError(path, f"{unknown}: unknown table{did_you_mean(unknown, (TABLE,))}")
    if not isinstance(table, dict):
        raise FileError(path, f"{TABLE} must be a table: [{TABLE}]")
    for key, value in table.items():
        if key not in _KEYS:
            raise FileError(path, f"{TABLE}.{key}: unknown key{did_you_mean(key, _KEYS)}")
        if key != "timeout_s" and not isinstance(value, str):
            raise FileError(path, f"{TABLE}.{key}: {show_value(value)} must be a text")
    if not table.get("url"):
        return None
    if not table.get("model"):
        raise FileError(path, f"{TABLE}.model: is missing: the name by which {table['url']} knows its model")
    timeout_s = table.get("timeout_s", Endpoint.timeout_s)
    is_number = isinstance(timeout_s, int | float) and not isinstance(timeout_s, bool)
    if not is_number or not 0.0 < timeout_s <= LONGEST_TIMEOUT_S:
        raise FileError(path, f"{TABLE}.timeout_s: {show_value(timeout_s)} is outside 0 to {LONGEST_TIMEOUT_S:g} s")
    return Endpoint(table["url"], table["model"], table.get("key_variable", ""), float(timeout_s))
