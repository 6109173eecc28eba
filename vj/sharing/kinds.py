"""The ways pictures leave for other programs: their words, what each needs, and where it exists at all.

Loads no library: whether one is installed is looked up without importing it.
"""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass

SYSTEMS = {"win32": "Windows", "darwin": "macOS"}


@dataclass(frozen=True)
class Kind:
    """One way."""

    word: str  # in addresses: /vj/share/WORD/...
    label: str  # for people
    module: str  # that the extra installs
    extra: str
    platform: str = ""  # sys.platform it is bound to; empty = all
    default_name: str = "VJ Output"
    has_alpha: bool = True

    @property
    def install(self) -> str:
        """The line that installs what it needs."""
        return f"pip install 'vj[{self.extra}]'"

    @property
    def who(self) -> str:
        """Its name among those who want the output's pictures."""
        return f"sender {self.word}"


KINDS = (
    Kind("ndi", "NDI", "cyndilib", "ndi"),
    Kind("spout", "Spout", "SpoutGL", "spout", "win32"),
    Kind("syphon", "Syphon", "syphon", "syphon", "darwin"),
    Kind("camera", "Virtual camera", "pyvirtualcam", "vcam", default_name="", has_alpha=False),
)
KIND_OF = {kind.word: kind for kind in KINDS}


def why_not(kind: Kind) -> str:
    """Say in a sentence why this computer cannot send so, with the line that mends it; empty = it can."""
    if kind.platform and kind.platform != this_system():
        return f"{kind.label} is there on {SYSTEMS[kind.platform]} only; use NDI here"
    if not _is_installed(kind.module):
        return f"{kind.label} needs {kind.module}, which is not installed: {kind.install}"
    return ""


def this_system() -> str:
    """Return the system's word, as sys.platform."""
    return sys.platform


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):  # ValueError: a half-loaded one
        return False
