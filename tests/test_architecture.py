"""The rules of the structure: who may import whom, how long things may be, which words and numbers are not used."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.source_rules import (
    ROOT,
    calls_of,
    files_of,
    functions,
    imports,
    is_broad,
    module_path,
    nodes,
    reaches_torch,
    tree_of,
    where,
)

PRODUCT = ("vj", "engine")
# The in-process test mode, and the command line, which hands `render` and `verify` to the engine.
MAY_REACH_TORCH = {"vj/engine_link.py", "vj/__main__.py", "vj/render_command_line.py"}
ENGINE_MAY_IMPORT = {"torch", "numpy", "safetensors", "transformers", "huggingface_hub"}
TRITON_FILES = re.compile(r"engine/\w+/triton_\w+\.py$")  # imported only where Triton is; kernels are no functions
WITHOUT_TORCH = ("engine", "engine.params", "engine.chunk", "engine.frame_ring", "engine.messages")
COMMAND_LINES = re.compile(r"(__main__|verify|\w*command_line|cli)\.py$")
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager", "core", "data", "info"}
BANNED_NAMES |= {"handler", "handlers", "processor", "wrapper"}
MAGIC_SIZES = {1560, 32760, 4680, 14040}
FILE_LINES, FUNCTION_LINES, PARAMETERS, DOCSTRING_LINES = 350, 80, 8, 5
BROAD_HANDLERS = 2
MODULE_OF_PACKAGE = {
    "PyOpenGL": "OpenGL",
    "PyYAML": "yaml",
    "pillow": "PIL",
    "pytest-xdist": "xdist",
    "python-osc": "pythonosc",
    "python-oscquery": "pythonoscquery",
    "python-rtmidi": "rtmidi",
    "huggingface_hub": "huggingface_hub",
    "open_clip_torch": "open_clip",
    "opencv-python-headless": "cv2",
    "flash-attn": "flash_attn",
    "syphon-python": "syphon",
    "stupidArtnet": "stupidArtnet",
}


def roots(path: Path, anywhere: bool = True) -> dict[str, ast.stmt]:
    return {name.split(".")[0]: node for name, node in imports(path, anywhere)}


def run_python(code: str) -> None:
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=220)
    assert done.returncode == 0, done.stderr


def test_the_engine_never_imports_the_instrument() -> None:
    wrong = [where(path, roots(path)["vj"]) for path in files_of("engine") if "vj" in roots(path)]
    assert wrong == []


def test_the_instrument_never_imports_torch() -> None:
    wrong = []
    for path in files_of("vj"):
        for name, node in imports(path):
            target = module_path(name)
            torch_behind = bool(target) and name.startswith("engine") and reaches_torch(target)
            sanctioned = torch_behind and where(path) in MAY_REACH_TORCH
            if name.split(".")[0] == "torch" or (torch_behind and not sanctioned):
                wrong.append(f"{where(path, node)}: {name}")
    assert wrong == []


def test_the_engine_and_the_benches_need_nothing_else_at_module_level() -> None:
    allowed = ENGINE_MAY_IMPORT | set(sys.stdlib_module_names) | {"engine", "bench"}
    wrong = [
        f"{where(path, node)}: {name}"
        for path in files_of("engine", "bench")
        for name, node in roots(path, anywhere=False).items()
        if name not in allowed and not (name == "triton" and TRITON_FILES.match(where(path)))
    ]
    assert wrong == []


def test_the_engine_imports_with_everything_else_blocked() -> None:
    paths = [path for path in files_of("engine") if not TRITON_FILES.match(where(path))]
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths]
    names = [name.removesuffix(".__init__") for name in names if not name.endswith("__main__")]
    run_python(f"""
import builtins, importlib, sys
allowed = {sorted(ENGINE_MAY_IMPORT)!r} + ["engine"]
real_import = builtins.__import__

def guarded(name, globals=None, locals=None, fromlist=(), level=0):
    root, importer = name.split(".")[0], (globals or {{}}).get("__name__") or ""
    if importer.split(".")[0] == "engine" and root not in allowed and root not in sys.stdlib_module_names:
        raise ImportError(f"{{importer}} imports {{name}}")
    return real_import(name, globals, locals, fromlist, level)

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("vj", "PyQt6", "OpenGL", "pythonosc", "mido", "rtmidi", "sounddevice", "av"):
            raise ImportError(f"{{name}} is blocked")

builtins.__import__ = guarded
sys.meta_path.insert(0, Blocked())
for name in {names!r}:
    importlib.import_module(name)
""")


def test_the_shared_modules_and_the_instrument_import_without_torch() -> None:
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files_of("vj")]
    names = [name.removesuffix(".__init__") for name in names if not name.endswith("__main__")]
    run_python(f"""
import importlib, sys
sys.modules["torch"] = None
for name in {[*WITHOUT_TORCH, *names]!r}:
    importlib.import_module(name)
""")


def test_the_stage_needs_nothing_that_panels_or_engine_need() -> None:
    run_python("""
import sys
import vj.stage.__main__
unwanted = ("torch", "PyQt6.QtWidgets", "vj.app", "vj.performance", "vj.controllers", "vj.controls", "vj.engine_link")
found = sorted(name for name in sys.modules if any(name == u or name.startswith(u + ".") for u in unwanted))
assert not found, found
""")


def test_everything_imported_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    packages = {re.split(r"[<>=!;\[ ]", line, maxsplit=1)[0] for line in project["dependencies"] + extras}
    declared = {MODULE_OF_PACKAGE.get(package, package) for package in packages}
    own = {"vj", "engine", "bench", "tests", "start"}
    wrong = [
        f"{where(path, node)}: {name}"
        for path in files_of(*own - {"start"})
        for name, node in roots(path).items()
        if name not in declared | own | set(sys.stdlib_module_names)
    ]
    assert wrong == []


def test_start_needs_only_the_standard_library() -> None:
    assert [name for name in roots(ROOT / "start.py") if name not in sys.stdlib_module_names] == []


def test_files_and_functions_are_short() -> None:
    long_files = [
        f"{where(path)}: {lines} lines"
        for path in (*files_of("vj", "engine", "bench", "tests"), ROOT / "start.py")
        if (lines := len(path.read_text("utf-8").splitlines())) > FILE_LINES
    ]
    long_functions = [
        f"{where(path, function)}: {function.name} has {lines} lines"
        for path in files_of("vj", "engine", "bench", "tests")
        for function in functions(path)
        if (lines := function.end_lineno - function.lineno + 1) > FUNCTION_LINES
    ]
    assert long_files + long_functions == []


def test_signatures_are_small_and_annotated() -> None:
    wrong = []
    for path in files_of(*PRODUCT):
        for function in functions(path):
            if any(ast.unparse(decorator) == "triton.jit" for decorator in function.decorator_list):
                continue
            named = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
            named = [argument for argument in named if argument.arg not in ("self", "cls")]
            if len(named) > PARAMETERS:
                wrong.append(f"{where(path, function)}: {function.name} takes {len(named)} parameters")
            bare = [argument.arg for argument in named if argument.annotation is None]
            if bare:
                wrong.append(f"{where(path, function)}: {function.name} does not annotate {', '.join(bare)}")
    assert wrong == []


def test_hardly_any_function_takes_what_it_does_not_name() -> None:
    every = [(path, function) for path in files_of(*PRODUCT) for function in functions(path)]
    open_ended = [where(path, function) for path, function in every if function.args.kwarg]
    assert len(open_ended) <= len(every) // 100, open_ended


def test_modules_say_in_five_lines_what_they_are() -> None:
    wrong = []
    for path in files_of(*PRODUCT):
        lines = (ast.get_docstring(tree_of(path)) or "").splitlines()
        is_key = where(path) == "engine/__init__.py"  # holds the dimension key
        if not lines or (len(lines) > DOCSTRING_LINES and not is_key):
            wrong.append(f"{where(path)}: {len(lines)} lines")
    assert wrong == []


def test_two_handlers_catch_everything() -> None:
    broad = [
        where(path, node)
        for path in files_of(*PRODUCT)
        for node in nodes(path, ast.ExceptHandler)
        if isinstance(node, ast.ExceptHandler) and is_broad(node)
    ]
    assert len(broad) <= BROAD_HANDLERS, broad


def test_attributes_are_hardly_guessed() -> None:
    guesses = [
        where(path, call) for path in files_of(*PRODUCT) for call in calls_of(path, "hasattr", "getattr", "setattr")
    ]
    lines = sum(len(path.read_text("utf-8").splitlines()) for path in files_of(*PRODUCT))
    assert len(guesses) <= lines // 1000, guesses


def test_no_global_is_rebound() -> None:
    assert [where(path, node) for path in files_of(*PRODUCT) for node in nodes(path, ast.Global)] == []


def test_only_command_lines_print() -> None:
    silent = [path for path in files_of(*PRODUCT) if not COMMAND_LINES.search(path.name)]
    assert [where(path, call) for path in silent for call in calls_of(path, "print")] == []


def test_names_say_what_is_in_them() -> None:
    parts = {
        part for path in files_of(*PRODUCT, "bench", "tests") for part in path.relative_to(ROOT).with_suffix("").parts
    }
    assert sorted(parts & (BANNED_NAMES - {"data"})) == []


def test_sizes_are_derived() -> None:
    wrong = [
        f"{where(path, node)}: {node.value}"
        for path in files_of(*PRODUCT)
        for node in nodes(path, ast.Constant)
        if type(node.value) is int and node.value in MAGIC_SIZES
    ]
    assert wrong == []
