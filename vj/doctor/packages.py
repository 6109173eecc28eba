"""Python, its packages, and the extras: what pyproject.toml asks for against what is installed here.

Reads the checkout's pyproject.toml, or what the installed vj says of itself.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.finding import MISSING, Finding, found, missing

if TYPE_CHECKING:
    from packaging.requirements import Requirement

PACKAGES, EXTRAS = "Python", "extras"
SET_UP = "python3 start.py"
ROOT = Path(__file__).resolve().parents[2]
DEVELOPMENT_EXTRAS = ("dev", "train", "rewards", "evaluate", "plot")
PURPOSES = {
    "flash": "faster attention on NVIDIA GPUs",
    "link": "Ableton Link",
    "ndi": "NDI in and out",
    "spout": "Spout in and out",
    "syphon": "Syphon in and out",
    "vcam": "the output as a camera",
    "oscquery": "OSCQuery: other programs find every address by themselves",
    "loopback": "this computer's own sound",
}


@dataclass(frozen=True)
class Declared:
    """What the project asks for on this system."""

    python: str  # ">=3.11"
    packages: tuple[Requirement, ...]
    extras: Mapping[str, tuple[Requirement, ...]]  # by name; empty where an extra is for another system
    tested: Mapping[str, str]  # versions by canonical name; empty outside a checkout


def check_packages() -> Iterator[Finding]:
    """Yield Python, what is wrong with packages, and every extra a performer may want on this system."""
    try:
        declared = read_declared()
        from packaging.specifiers import SpecifierSet
    except ImportError as error:  # also a package without its metadata
        yield missing(PACKAGES, "packages", f"cannot be compared with what is needed: {error}", SET_UP)
        return
    version = platform.python_version()
    if SpecifierSet(declared.python).contains(version, prereleases=True):
        yield found(PACKAGES, "Python", f"{version} ({sys.executable})")
    else:
        yield missing(PACKAGES, "Python", f"{version}; {declared.python} is needed", f"a newer Python, then {SET_UP}")
    problems = 0
    for requirement in declared.packages:
        if problem := _problem(requirement):
            problems += 1
            yield missing(PACKAGES, requirement.name, problem, SET_UP)
    count = len(declared.packages)
    others = _differing(declared)
    detail = f"{count - problems} of {count}" + (f"; other than tested: {', '.join(others)}" if others else "")
    yield found(PACKAGES, "packages", detail)
    for name, requirements in declared.extras.items():
        if name not in DEVELOPMENT_EXTRAS:
            yield from (_check_extra(name, requirement) for requirement in requirements)


def read_declared() -> Declared:
    """Return what the project asks for. Raises ImportError where neither checkout nor package says it."""
    path = ROOT / "pyproject.toml"
    if path.is_file():
        project = tomllib.loads(path.read_text("utf-8"))["project"]
        python, lines = project["requires-python"], project["dependencies"]
        extras = {name: _applying(lines, name) for name, lines in project["optional-dependencies"].items()}
        return Declared(python, _applying(lines), extras, _read_tested(ROOT / "constraints.txt"))
    distribution = importlib.metadata.distribution("vj")
    lines = distribution.requires or []
    always = _applying(lines)
    names = distribution.metadata.get_all("Provides-Extra") or []
    extras = {name: tuple(r for r in _applying(lines, name) if r not in always) for name in names}
    return Declared(distribution.metadata["Requires-Python"], always, extras, {})


def _applying(lines: list[str], extra: str = "") -> tuple[Requirement, ...]:
    """Return the requirements that are meant for this system and Python."""
    from packaging.requirements import Requirement

    requirements = map(Requirement, lines)
    return tuple(r for r in requirements if r.marker is None or r.marker.evaluate({"extra": extra}))


def _read_tested(constraints: Path) -> dict[str, str]:
    from packaging.utils import canonicalize_name

    if not constraints.is_file():
        return {}
    pins = (line.partition("==") for line in constraints.read_text("utf-8").splitlines())
    return {canonicalize_name(name): version.strip() for name, separator, version in pins if separator}


def _problem(requirement: Requirement) -> str:
    """Say why a required package cannot be used; nothing when it can."""
    try:
        distribution = importlib.metadata.distribution(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return "is not installed"
    if not requirement.specifier.contains(distribution.version, prereleases=True):
        return f"{distribution.version} is installed, {requirement.specifier} is needed"
    lost = [name for name in _modules(distribution) if not _can_be_found(name)]
    return f"is installed, but {', '.join(lost)} cannot be imported" if lost else ""


def _modules(distribution: importlib.metadata.Distribution) -> list[str]:
    """Return the names its modules are imported by, as far as it tells them."""
    listed = (distribution.read_text("top_level.txt") or "").split()
    inits = (file for file in distribution.files or () if len(file.parts) == 2 and file.name == "__init__.py")
    return [name for name in (listed or {file.parts[0] for file in inits}) if name.isidentifier()]


def _can_be_found(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):  # ValueError: a half-loaded one
        return False


def _differing(declared: Declared) -> list[str]:
    """Return installed versions that are not the tested ones."""
    from packaging.utils import canonicalize_name
    from packaging.version import Version

    shown = []
    for requirement in declared.packages:
        tested = declared.tested.get(canonicalize_name(requirement.name))
        try:
            version = Version(importlib.metadata.version(requirement.name)).public
        except importlib.metadata.PackageNotFoundError:
            continue
        if tested and version != tested:
            shown.append(f"{requirement.name} {version} (tested {tested})")
    return shown


def _check_extra(name: str, requirement: Requirement) -> Finding:
    purpose = PURPOSES.get(name, "")
    problem = _problem(requirement)
    if not problem:
        return Finding(EXTRAS, name, "found", f"{purpose}: {requirement.name}".lstrip(": "), is_extra=True)
    fix = f'{_python()} -m pip install "{requirement.name}{requirement.specifier}"'
    detail = f"{purpose}: {requirement.name} {problem}".lstrip(": ")
    return Finding(EXTRAS, name, MISSING, detail, fix, is_extra=True)


def _python() -> str:
    """Return how this Python is called from the current folder."""
    path = Path(sys.executable)
    here = Path.cwd()
    return f".{os.sep}{path.relative_to(here)}" if here in path.parents else str(path)
