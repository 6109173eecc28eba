"""Facts about the source, read from its syntax trees: imports, lengths, signatures, handlers."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
Function = ast.FunctionDef | ast.AsyncFunctionDef


@functools.cache
def files_of(*folders: str) -> tuple[Path, ...]:
    """List the Python files below folders of the checkout."""
    return tuple(sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py")))


@functools.cache
def tree_of(path: Path) -> ast.Module:
    """Parse one file."""
    return ast.parse(path.read_text("utf-8"), str(path))


def where(path: Path, node: ast.AST | None = None) -> str:
    """Name a place as `file:line`."""
    return path.relative_to(ROOT).as_posix() + (f":{node.lineno}" if node is not None else "")


def nodes(path: Path, *kinds: type[ast.AST]) -> Iterator[ast.AST]:
    """Walk a file's tree for nodes of some kinds."""
    return (node for node in ast.walk(tree_of(path)) if isinstance(node, kinds))


def functions(path: Path) -> Iterator[Function]:
    """Walk every function and method of a file."""
    return nodes(path, ast.FunctionDef, ast.AsyncFunctionDef)  # type: ignore[return-value]


def imports(path: Path, anywhere: bool = True) -> Iterator[tuple[str, ast.stmt]]:
    """Walk the dotted names a file imports, lazy ones too; without `anywhere` those run on import only."""
    tree = tree_of(path)
    for node in ast.walk(tree) if anywhere else _run_on_import(tree.body):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{where(path, node)}: a relative import; write the whole name"
            yield node.module or "", node
            yield from ((f"{node.module}.{alias.name}", node) for alias in node.names)


def _run_on_import(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in body:
        yield statement
        if isinstance(statement, ast.If) and ast.unparse(statement.test).endswith("TYPE_CHECKING"):
            continue
        for field in ("body", "orelse", "finalbody", "handlers"):
            if not isinstance(statement, Function):
                yield from _run_on_import([n for n in getattr(statement, field, []) if isinstance(n, ast.AST)])


def module_path(name: str) -> Path | None:
    """Return the file of a module of this project; None for anything else."""
    path = ROOT / name.replace(".", "/")
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


def reaches_torch(path: Path, seen: frozenset[Path] = frozenset()) -> bool:
    """Say whether importing a file imports torch, through any module of this project."""
    for name, _ in imports(path, anywhere=False):
        if name.split(".")[0] == "torch":
            return True
        next_path = module_path(name)
        if next_path and next_path not in seen and reaches_torch(next_path, seen | {path}):
            return True
    return False


def is_broad(handler: ast.ExceptHandler) -> bool:
    """Say whether a handler catches everything."""
    caught = ast.unparse(handler.type) if handler.type else "BaseException"
    return any(name.strip("() ") in ("Exception", "BaseException") for name in caught.split(","))


def calls_of(path: Path, *names: str) -> Iterator[ast.Call]:
    """Walk the calls of plain names such as print or getattr."""
    for node in nodes(path, ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id in names:
            yield node
