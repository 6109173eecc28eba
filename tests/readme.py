"""The two parts of README.md that derive from the code: the parameter table and the tree.

`python -m tests.readme` writes them anew; tests/test_readme.py fails when they are out of date.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

from engine.parameter import NAMED_CHOICES, Parameter
from vj.output.placing_params import MOST_OUTPUTS, placing_parameters
from vj.parameters import ALL_PARAMETERS

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
PHRASE_WIDTH = 84
SEEN_AT = {"chunk": "next chunk", "step": "next step", "frame": "next display frame"}


def parameter_table() -> str:
    """List every value and trigger as a Markdown table; pads and slots share one row."""
    lines = ["| address | takes | default | acts at | what it does |", "|---|---|---|---|---|"]
    rows: dict[str, list[Parameter]] = {}
    further = [p for number in range(2, MOST_OUTPUTS + 1) for p in placing_parameters(number)]
    for parameter in ALL_PARAMETERS.values():
        if parameter in further:
            continue
        rows.setdefault(re.sub(r"/\d+/", "/{n}/", parameter.address), []).append(parameter)
    lines += [_row(address, numbered) for address, numbered in rows.items()]
    return "\n".join([*lines, _outputs_row(further)])


def _row(address: str, numbered: list[Parameter]) -> str:
    first, last = numbered[0], numbered[-1]
    count = len(numbered)
    default = "" if first.kind == "trigger" else f"`{_shown(first.default)}`"
    help_text = first.help
    if count > 1:
        help_text = re.sub(rf"\b{count}\b", "n", last.help)  # the last one's number stands nowhere else
        default += "" if first.default == last.default else " (n = 1)"
        address += f"` (n = 1..{count})"
    else:
        address += "`"
    moment = SEEN_AT[first.clock] if first.kind != "trigger" else "on the press"
    return f"| `{address} | {_taken(first)} | {default} | {moment} | {help_text} |"


def _outputs_row(further: list[Parameter]) -> str:
    """What belongs to one display, of all outputs but the first: declared by the first one's rows."""
    named = ", ".join(f"`{start}`" for start in dict.fromkeys(p.address.split("/")[4] for p in further))
    return (
        f"| `/vj/output/{{n}}/...` (n = 2..{MOST_OUTPUTS}) | as above | as above | next display frame "
        f"| The same for a further output's own display: {named}. |"
    )


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
            lines.append(f"{folder.relative_to(ROOT).as_posix() + '/':<27} {_phrase(folder / '__init__.py')}".rstrip())
            lines += [f"    {path.name:<23} {_phrase(path)}".rstrip() for path in modules]
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
