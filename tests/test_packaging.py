"""The wheel is whole: installed into a clean environment it runs from any folder."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FRAMES_OF_A_SECOND = 16  # ember's content rate


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index", "--quiet"]
    done = subprocess.run([*pip, "--wheel-dir", str(folder), str(ROOT)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("vj-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of a clean environment that holds the wheel; dependencies are this environment's."""
    place = tmp_path_factory.mktemp("installed")
    venv.create(place, symlinks=os.name != "nt", with_pip=False)
    programs = place / ("Scripts" if os.name == "nt" else "bin")
    python = next(programs.glob("python*"))
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", "--quiet"]
    done = subprocess.run([*pip, str(wheel)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    # plain folders only: .pth files of this environment (the editable checkout) are not followed from there
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(subprocess.run([str(python), "-c", where], capture_output=True, text=True, check=True).stdout.strip())
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return programs


def run(program: Path, *arguments: str, folder: Path, timeout_s: float = 120.0) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "DISPLAY", "VIRTUAL_ENV")}
    env.update(HOME=str(folder), XDG_DATA_HOME=str(folder), XDG_CONFIG_HOME=str(folder))
    command = [str(program), *arguments]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=timeout_s)


def tracked(*folders: str) -> set[str]:
    """List the files of folders that git knows; all of them in a checkout without git."""
    listed = subprocess.run(["git", "ls-files", "-z", *folders], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode == 0 and listed.stdout:
        return {name for name in listed.stdout.split("\0")[:-1] if (ROOT / name).exists()}
    files = {path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()}
    return {path.relative_to(ROOT).as_posix() for path in files if "__pycache__" not in path.parts}


def test_the_wheel_holds_every_file_of_the_program(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    assert tracked("vj", "engine") - held == set()


def test_the_wheel_holds_mappings_and_presets(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    shipped = {f"vj/_shipped/{name}" for name in tracked("mappings", "presets")}
    assert any(name.startswith("vj/_shipped/mappings/") for name in shipped)
    assert any(name.startswith("vj/_shipped/presets/") for name in shipped)
    assert shipped - held == set()


def test_the_wheel_holds_no_tests_and_no_leftovers(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"vj", "engine"}
    assert [name for name in names if name.endswith((".pyc", ".pt", ".log"))] == []


def test_the_installed_program_comes_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    code = "import vj, engine; print(vj.__file__); print(engine.__file__)"
    done = run(next(installed.glob("python*")), "-c", code, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert str(ROOT) not in done.stdout
    assert done.stdout.count(str(installed.parent)) == 2


def test_the_installed_program_renders_from_another_folder(installed: Path, tmp_path: Path) -> None:
    import av

    vj = installed / ("vj.exe" if os.name == "nt" else "vj")
    words = ["render", "--prompt", "a drop of black ink blooms in clear water", "--seconds", "1", "--seed", "7"]
    done = run(vj, *words, "--out", "clip.mp4", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    with av.open(str(tmp_path / "clip.mp4")) as clip:
        assert sum(1 for _ in clip.decode(video=0)) == FRAMES_OF_A_SECOND
