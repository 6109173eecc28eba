"""What the files of a render are called: patterns filled in, and names made of prompts that any disk takes.

Knows nothing of plans, models or video.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SLUG_CHARACTERS = 60
SLUG_BYTES = 180  # file systems count bytes, and allow 255 with everything around the slug
NAME_BYTES = 255
SUFFIX_WHILE_WRITTEN = ".partial"
FIELD_BYTES = 10  # a seed, the widest of what stands beside a prompt
UPSTREAM_CHARACTERS = 50  # the published program cuts its prompts there
PATTERN_FIELDS = ("index", "prompt", "slug", "seed", "sample")
NAME_STYLES = ("numbered", "vbench", "upstream")
_FIELD = re.compile(r"\{(\w*)\}")
_ILLEGAL = r"\x00-\x1f/\\"
_ILLEGAL_ON_WINDOWS = '<>:"|?*'
_FOLDS_CASE = sys.platform in ("win32", "darwin")  # A.mp4 and a.mp4 are one file there


@dataclass(frozen=True)
class PromptName:
    """A prompt as part of a file's name; `note` says why it is not the prompt itself, empty where it is."""

    text: str
    note: str = ""


def standard_pattern(style: str, is_list: bool, samples: int, suffix: str) -> str:
    """The pattern of files in a folder. VBench asks for the prompt and the number of the sample."""
    if style == "vbench":
        return "{prompt}-{sample}" + suffix
    if style == "upstream":
        return "{prompt}" + ("-{sample}" if samples > 1 else "") + suffix
    return ("{index}-" if is_list else "") + "{slug}" + ("-seed{seed}" if samples > 1 else "") + suffix


def fields_of(pattern: str) -> list[str]:
    """Names between braces, in order."""
    return _FIELD.findall(pattern)


def fill(pattern: str, values: dict[str, str]) -> str:
    """Put values for the fields of a pattern."""
    return _FIELD.sub(lambda field: values[field[1]], pattern)


def slug_of(text: str) -> str:
    """A file name's part from a prompt: lower case, letters and digits of any script, the rest as single dashes."""
    slug = re.sub(r"[\W_]+", "-", text.lower()).strip("-")
    short = slug[:SLUG_CHARACTERS].encode()[:SLUG_BYTES].decode(errors="ignore")
    return short.rstrip("-") or "prompt"


def prompt_names(prompts: Sequence[str], pattern: str, style: str) -> list[PromptName]:
    """Each prompt as a part of the file name `pattern`; those that cannot stay as they are end in a mark of their own.

    Equal prompts get equal names.
    """
    room = _room_bytes(pattern)
    names = [_fitted(prompt, room, style) for prompt in prompts]
    taken = Counter(
        _key(name.text) for name, _ in {(name, prompt) for name, prompt in zip(names, prompts, strict=True)}
    )
    owners: dict[str, str] = {}  # who keeps a name that several would have
    for prompt, name in zip(prompts, names, strict=True):
        if not name.note:
            owners.setdefault(_key(name.text), prompt)
    return [
        _marked(prompt, name, room) if taken[_key(name.text)] > 1 and owners.get(_key(name.text)) != prompt else name
        for prompt, name in zip(prompts, names, strict=True)
    ]


def _room_bytes(pattern: str) -> int:
    """Bytes a prompt may take in the last part of a path."""
    around = _FIELD.sub("", Path(pattern).name)
    others = sum(field != "prompt" for field in fields_of(Path(pattern).name))
    return NAME_BYTES - len(around.encode()) - others * FIELD_BYTES - len(SUFFIX_WHILE_WRITTEN)


def _fitted(prompt: str, room_bytes: int, style: str) -> PromptName:
    illegal = _ILLEGAL + (_ILLEGAL_ON_WINDOWS if sys.platform == "win32" else "")
    text = re.sub(f"[{illegal}]", "-", prompt)
    if sys.platform == "win32":
        text = text.rstrip(". ")
    note = "" if text == prompt else "has characters no file name can have"
    if style == "upstream" and len(text) > UPSTREAM_CHARACTERS:
        text, note = text[:UPSTREAM_CHARACTERS], note or f"is cut after {UPSTREAM_CHARACTERS} characters"
    if len(text.encode()) > room_bytes:
        return _marked(prompt, PromptName(_cut(text, room_bytes), "is too long for a file name"), room_bytes)
    return PromptName(text, note)


def _marked(prompt: str, name: PromptName, room_bytes: int) -> PromptName:
    """The name with eight digits of the prompt's checksum behind it, which no other prompt has."""
    mark = "~" + hashlib.sha256(prompt.encode()).hexdigest()[:8]
    return PromptName(_cut(name.text, room_bytes - len(mark)) + mark, name.note or "differs from another in case only")


def _cut(text: str, most_bytes: int) -> str:
    return text.encode()[:most_bytes].decode(errors="ignore").rstrip()


def _key(name: str) -> str:
    return name.casefold() if _FOLDS_CASE else name
