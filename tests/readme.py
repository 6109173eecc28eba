"""The two parts of README.md that derive from the code: the parameter table and the tree.

`python -m tests.readme` writes them anew; tests/test_readme.py fails when they are out of date.
"""

from __future__ import annotations

import ast
import dataclasses
import re
import sys
from pathlib import Path

from engine.parameter import NAMED_CHOICES, Parameter
from engine.params import COMMANDS, ChunkParams
from vj.modulation.params import ModulationParams
from vj.output.params import OutputParams

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
PHRASE_WIDTH = 84
SEEN_AT = {"chunk": "next chunk", "step": "next step", "frame": "next display frame"}


def parameter_table() -> str:
    """List every parameter as a Markdown table; pads share one row."""
    lines = ["| address | takes | default | acts at | what it does |", "|---|---|---|---|---|"]
    lines += [_row(*found) for table in (ChunkParams, OutputParams, ModulationParams) for found in _declared(table)]
    lines += [_row(command, 0) for command in COMMANDS]
    return "\n".join(lines)


def _declared(table: type) -> list[tuple[Parameter, int]]:
    return [(field.metadata["parameter"], field.metadata["count"]) for field in dataclasses.fields(table)]


def _row(parameter: Parameter, count: int) -> str:
    pads = f" (n = 1..{count})" if count else ""
    default = "" if parameter.kind == "trigger" else f"`{_shown(parameter.default)}`"
    if count and parameter.address.startswith("/vj/prompt"):
        default += " (pad 1)"
    help_text = re.sub(r"\{n\}", "n", parameter.help)
    moment = SEEN_AT[parameter.clock] if parameter.kind != "trigger" else "on the press"
    return f"| `{parameter.address}`{pads} | {_taken(parameter)} | {default} | {moment} | {help_text} |"


def _shown(value: object) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


def _taken(parameter: Parameter) -> str:
    unit = f" {parameter.unit}" if parameter.unit else ""
    if parameter.kind == "float":
        return f"0..1; at `/raw` {parameter.minimum:g}..{parameter.maximum:g}{unit}"
    if parameter.kind == "int":
        return f"{parameter.minimum}..{parameter.maximum}{unit}"
    if parameter.kind == "choice":
        named = [f"`{choice}`" for choice in parameter.choices]
        if len(named) > NAMED_CHOICES:
            named[2:-1] = ["…"]
        return ", ".join(named)
    return {"switch": "on, off", "text": "a text", "trigger": "a press"}[parameter.kind]


def source_tree() -> str:
    """List every module of vj/ and engine/ with the first phrase of its docstring."""
    lines = []
    for package in ("vj", "engine"):
        for folder in _folders(ROOT / package):
            modules = sorted(path for path in folder.glob("*.py") if path.name != "__init__.py")
            lines.append(f"{folder.relative_to(ROOT).as_posix() + '/':<28}{_phrase(folder / '__init__.py')}".rstrip())
            lines += [f"    {path.name:<24}{_phrase(path)}".rstrip() for path in modules]
    return "\n".join(lines)


def _folders(package: Path) -> list[Path]:
    return sorted({path.parent for path in package.rglob("*.py")})


def _phrase(module: Path) -> str:
    """Return what the docstring's first clause says, in one line that fits the tree."""
    docstring = (ast.get_docstring(ast.parse(module.read_text("utf-8"))) if module.exists() else None) or ""
    sentence = re.split(r"\.(?:\s|$)", " ".join(docstring.split("\n\n")[0].split()), maxsplit=1)[0]
    said = re.sub(r"^.{1,40}?: (?=\w)", "", sentence)  # "Frame reader: ..." repeats the file's name
    clause = re.split(r"[:;] ", said, maxsplit=1)[0]
    return clause if len(clause) <= PHRASE_WIDTH else clause[:PHRASE_WIDTH].rsplit(" ", 1)[0].rstrip(",") + " …"


PARTS = {"parameters": parameter_table, "tree": lambda: f"```\n{source_tree()}\n```"}


def part_of(text: str, name: str) -> str:
    """Return what stands between the two markers of a part. Raises ValueError when they are missing."""
    found = re.search(rf"<!-- {name} -->\n(.*)\n<!-- /{name} -->", text, re.DOTALL)
    if not found:
        raise ValueError(f"README.md: the markers <!-- {name} --> and <!-- /{name} --> are missing")
    return found.group(1)


def main() -> int:
    """Write both parts into README.md."""
    text = README.read_text("utf-8")
    for name, make in PARTS.items():
        old = f"<!-- {name} -->\n{part_of(text, name)}\n"
        text = text.replace(old, f"<!-- {name} -->\n{make()}\n")
    README.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
