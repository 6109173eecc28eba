#!/usr/bin/env python3
"""Set everything up in .venv beside this file and start: the instrument, or with `test` all tests.

Standard library only. Knows nothing of the program beyond its two commands `vj run` and `vj render`.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

USAGE = """python3 start.py [ARGUMENTS]       set up, then open the instrument (ARGUMENTS go to `vj run`)
python3 start.py test [ARGUMENTS]  set up, then run all tests (ARGUMENTS go to pytest)

Everything is installed in .venv beside this file. Debian packages that are missing are installed when this runs
as root; otherwise the line to run is printed. Without a display the first command renders a clip instead."""

OLDEST_PYTHON = (3, 11)
ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PROGRAMS = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = PROGRAMS / ("python.exe" if os.name == "nt" else "python")
PLACE = VENV / ".set-up-place"  # where and with which Python .venv was made; it works nowhere else
UNFINISHED = VENV / ".set-up-unfinished"  # stands while packages are being written: if found, .venv is made anew
LOG = VENV / "set-up.log"

CLIP = ROOT / "first-light.mp4"
CLIP_PROMPT = "a drop of black ink blooms in clear water"
CLIP_SECONDS = 10
TWO_PROCESSES = ("-n", "2", "--dist", "loadscope")  # tests/conftest.py parts them

CPU_WHEELS = "https://download.pytorch.org/whl/cpu"
CPU_WHEELS_PATIENCE_S = 4.0

# a|b: the name differs between releases
RUN_PACKAGES = (
    *("libasound2t64|libasound2", "libportaudio2", "libgl1", "libgl1-mesa-dri", "libegl1", "libdbus-1-3"),
    *("libglib2.0-0t64|libglib2.0-0", "libfontconfig1", "fonts-dejavu-core", "libxkbcommon-x11-0", "libxcb-cursor0"),
    *("libxcb-icccm4", "libxcb-image0", "libxcb-keysyms1", "libxcb-randr0", "libxcb-render-util0", "libxcb-shape0"),
    *("libxcb-xinerama0", "libxcb-xkb1", "libxss1"),
)
TEST_PACKAGES = (
    *("xvfb", "x11-xserver-utils", "xdotool", "jackd2", "pulseaudio", "pulseaudio-utils", "libasound2-plugins"),
    *("dbus-daemon", "git"),
)


class SetupError(Exception):
    """Set-up cannot go on; the message says what failed and what to try."""


class CutOffError(SetupError):
    """A command was ended from outside and may have left half its work."""


def main(arguments: list[str]) -> int:
    """Set up what is missing, then start what was asked for; return its exit status."""
    if sys.version_info < OLDEST_PYTHON:
        have, need = (".".join(map(str, version[:2])) for version in (sys.version_info, OLDEST_PYTHON))
        say(f"Python {need} or newer is needed, this is {have} ({sys.executable}). Start again with a newer one.")
        return 2
    if arguments[:1] in (["-h"], ["--help"]):
        say(USAGE)
        return 0
    testing = arguments[:1] == ["test"]
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whatever runs is ended with this process
    try:
        set_up("test" if testing else "run")
    except (SetupError, OSError) as error:
        say(f"Set-up stopped: {error}")
        return 1
    except KeyboardInterrupt:
        say("Set-up interrupted; the next start begins it anew.")
        return 1
    if testing:
        return run_tests(arguments[1:])
    return open_instrument(arguments) if has_display() else render_clip(arguments)


def say(line: str) -> None:
    """Write one line for a person, at once."""
    print(line, flush=True)


# What to start


def open_instrument(arguments: list[str]) -> int:
    """Open the window and stay until it is closed."""
    return run_child([str(PROGRAMS / "vj"), "run", *arguments])


def has_display() -> bool:
    """Say whether a window can be opened; only Linux can be without a display."""
    return not sys.platform.startswith("linux") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def render_clip(arguments: list[str]) -> int:
    """Render a short clip to a file: what there is to see on a machine without a display."""
    say(f"No display here (DISPLAY and WAYLAND_DISPLAY are empty): rendering a {CLIP_SECONDS}-second clip instead.")
    if arguments:
        say(f"Not used without a display: {' '.join(arguments)}")
    command = [str(PROGRAMS / "vj"), "render", "--prompt", CLIP_PROMPT, "--seconds", str(CLIP_SECONDS)]
    status = run_child([*command, "--out", str(CLIP)])
    say(f"The clip is {CLIP}" if status == 0 else "The clip could not be rendered; the line above says why.")
    return status


def run_tests(arguments: list[str]) -> int:
    """Run ruff and pytest, pytest last so that its closing line is; return its status, or else ruff's."""
    status = 0
    for check in (["check", "."], ["format", "--check", "."]):
        found = run_child([str(PYTHON), "-m", "ruff", *check], ROOT)
        status = status or found
    return run_child([str(PYTHON), "-m", "pytest", *(arguments or TWO_PROCESSES)], ROOT) or status


def run_child(command: list[str], folder: Path | None = None) -> int:
    """Run a command to its end, here or in `folder`; it gets the interrupts and a termination too."""
    child = subprocess.Popen(command, cwd=folder)
    signal.signal(signal.SIGTERM, lambda number, frame: child.terminate())
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:  # the terminal told the child as well: let it close down in its own time
            continue


# Set-up


def set_up(level: str) -> None:
    """Bring .venv to `level` (run, or test which holds run); a matching stamp means there is nothing to do."""
    fingerprint = make_fingerprint()
    if is_usable() and read(stamp(level)) == fingerprint:
        say("Already set up.")
        return
    started = time.monotonic()
    say(f"Setting up in {VENV} (Python {sys.version.split()[0]}).")
    add_debian_packages([*RUN_PACKAGES, *(TEST_PACKAGES if level == "test" else ())])
    if not is_usable():
        make_environment()
    UNFINISHED.touch()
    try:
        install_python_packages(level)
    except CutOffError:
        raise
    except SetupError:
        UNFINISHED.unlink()  # pip itself has taken back what it began
        raise
    for done in {"run", level}:
        stamp(done).write_text(fingerprint)
    UNFINISHED.unlink()
    say(f"Set up in {time.monotonic() - started:.0f} s.")


def stamp(level: str) -> Path:
    """Name the file that holds the fingerprint a level was set up with."""
    return VENV / f".set-up-{level}"


def make_fingerprint() -> str:
    """Digest what decides over the contents of .venv."""
    digest = hashlib.sha256()
    for name in ("pyproject.toml", "constraints.txt", "start.py"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def make_place() -> str:
    """Name what ties .venv to this place and this Python."""
    return f"{ROOT}\n{sys.base_prefix}\n{sys.version}"


def read(path: Path) -> str:
    """Return a small text file's contents, or nothing if there is none."""
    try:
        return path.read_text()
    except OSError:
        return ""


def is_usable() -> bool:
    """Say whether .venv was made here by this Python and no set-up was cut off in it."""
    return PYTHON.exists() and read(PLACE) == make_place() and not UNFINISHED.exists()


def make_environment() -> None:
    """Make .venv from nothing."""
    say("  a fresh Python environment")
    if importlib.util.find_spec("ensurepip") is None:
        raise SetupError(
            f"this Python ({sys.executable}) cannot make environments. "
            f"On Debian and Ubuntu run `sudo apt-get install {venv_package()}`, then start again."
        )
    run_quietly([sys.executable, "-m", "venv", "--clear", str(VENV)])
    PLACE.write_text(make_place())


def install_python_packages(level: str) -> None:
    """Install PyTorch first, then the project from this checkout with the versions it was tested with."""
    constraints = str(ROOT / "constraints.txt")
    pip = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off"]
    pip += ["--constraint", constraints]
    torch = re.search(r"^torch==\S+", Path(constraints).read_text(), re.MULTILINE)
    assert torch, "constraints.txt pins no torch"
    wheels = ["--extra-index-url", CPU_WHEELS] if prefers_cpu_wheels() else []
    say(f"  {torch.group()}{' (build without CUDA)' if wheels else ''}; the largest part, it can take minutes")
    run_quietly([*pip, torch.group(), *wheels], LOG)
    say("  everything else")
    run_quietly([*pip, "--editable", str(ROOT) + ("[dev]" if level == "test" else "")], LOG)


def prefers_cpu_wheels() -> bool:
    """Say whether PyTorch's own build without CUDA is wanted (Linux, no NVIDIA driver) and can be reached."""
    drivers = ("/proc/driver/nvidia/version", "/usr/lib/wsl/lib/libcuda.so.1")
    if not sys.platform.startswith("linux") or shutil.which("nvidia-smi") or any(map(os.path.exists, drivers)):
        return False
    answered = threading.Event()

    def ask() -> None:
        try:
            urllib.request.urlopen(CPU_WHEELS + "/torch/", timeout=CPU_WHEELS_PATIENCE_S).close()
            answered.set()
        except OSError:
            pass

    # in a thread, because looking a name up can hang beyond any timeout
    question = threading.Thread(target=ask, daemon=True)
    question.start()
    question.join(CPU_WHEELS_PATIENCE_S)
    return answered.is_set()


def run_quietly(command: list[str], log: Path | None = None) -> None:
    """Run a command with its output kept for the case that it fails; raises SetupError with its last lines."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    text = done.stdout.decode(errors="replace")
    if log:
        with log.open("a", encoding="utf-8") as file:
            file.write(f"$ {' '.join(command)}\n{text}\n")
    if done.returncode:
        tail = "\n".join("    " + line for line in text.strip().splitlines()[-12:])
        kind = CutOffError if done.returncode < 0 else SetupError
        raise kind(
            f"a command failed:\n    {' '.join(command)}\nits last lines:\n{tail}\n"
            "Check the network connection and the free disk space, then start again; "
            f"if it goes on failing, delete {VENV} first."
        )


# Debian and its relatives


def venv_package() -> str:
    """Name the package that holds this Python's ensurepip."""
    return f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"


def add_debian_packages(names: list[str]) -> None:
    """Install the system packages that are missing, or print the line that does; never stops set-up."""
    if not shutil.which("apt-get") or not shutil.which("dpkg-query"):
        return
    missing = missing_packages(names)
    if importlib.util.find_spec("ensurepip") is None:
        missing.append(venv_package())
    if not missing:
        return
    if os.geteuid() != 0:
        chosen = " ".join(choose_names(missing))
        say(f"  Debian packages are missing; a part may not work without them. Run:\n    sudo apt-get install {chosen}")
        return
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    try:
        say("  the list of Debian packages")
        run_quietly(["apt-get", "-o", "DPkg::Lock::Timeout=120", "update"])
        chosen = choose_names(missing)
        say(f"  Debian packages: {' '.join(chosen)}")
        install = ["apt-get", "-o", "DPkg::Lock::Timeout=120", "install", "-y", "--no-install-recommends"]
        run_quietly([*install, *chosen])
        importlib.invalidate_caches()
    except SetupError as error:
        say(f"  Debian packages could not be installed, set-up goes on without: {error}")


def missing_packages(names: list[str]) -> list[str]:
    """List the names none of whose alternatives is installed."""
    query = ["dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Status}\n"]
    lines = subprocess.run(query, stdout=subprocess.PIPE).stdout.decode().splitlines()
    installed = {line.split()[0] for line in lines if line.endswith(" installed")}
    return [name for name in names if not installed.intersection(name.split("|"))]


def choose_names(names: list[str]) -> list[str]:
    """Pick of every group of alternatives the first that this release knows (else the last)."""
    chosen = []
    for name in names:
        alternatives = name.split("|")
        known = (a for a in alternatives if subprocess.run(["apt-cache", "show", a], capture_output=True).stdout)
        chosen.append(next(known, alternatives[-1]))
    return chosen


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
