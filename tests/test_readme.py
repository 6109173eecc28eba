"""README.md says what is so: its two commands, its derived parts, its links."""

from __future__ import annotations

import re

from tests.readme import README, ROOT, parameter_table, part_of

TEXT = README.read_text("utf-8")
STALE = "out of date: `python -m tests.readme` writes it anew"


def test_it_starts_with_exactly_the_two_commands() -> None:
    block = re.search(r"```\n(.*?)```", TEXT, re.DOTALL)
    assert block
    assert [line.split("#")[0].strip() for line in block.group(1).splitlines()] == [
        "python3 start.py",
        "python3 start.py test",
    ]
    assert len(TEXT[: block.start()].splitlines()) <= 6


def test_the_parameter_table_is_up_to_date() -> None:
    assert part_of(TEXT, "parameters") == parameter_table(), f"the parameter table is {STALE}"


def test_the_tree_names_every_module_and_nothing_else() -> None:
    folder, listed = "", set()
    for line in part_of(TEXT, "tree").strip("`\n").splitlines():
        word = line.split()[0]
        if word.endswith("/"):
            folder = word
        else:
            listed.add(folder + word)
    modules = {
        path.relative_to(ROOT).as_posix()
        for package in ("vj", "engine")
        for path in (ROOT / package).rglob("*.py")
        if path.name != "__init__.py"
    }
    assert listed == modules, f"the tree is {STALE}"


def test_every_relative_link_leads_somewhere() -> None:
    targets = [target for target in re.findall(r"\]\(([^)#]+)\)", TEXT) if "://" not in target]
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []
