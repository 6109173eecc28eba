"""The files one render command makes: a plan and a name for each, from one prompt, a list of prompts, or a given plan.

Knows nothing of models or video.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from engine.params import SEED_MAX
from engine.rendering.plan import RenderPlan, plan_for_prompt
from engine.text_files import TextFileError, read_text_file

SLUG_CHARACTERS = 60
SLUG_BYTES = 180  # file systems count bytes, and allow 255 with everything around the slug
DEFAULT_SUFFIX = ".mp4"
LOSSLESS_SUFFIX = ".mkv"
PATTERN_FIELDS = ("index", "prompt", "slug", "seed", "sample")
_FIELD = re.compile(r"\{(\w*)\}")


class RenderUseError(ValueError):
    """A command that makes no sense; the text is the sentence for the user."""


@dataclass(frozen=True)
class RenderJob:
    """One file to be made."""

    plan: RenderPlan
    out: Path


@dataclass(frozen=True)
class Prompt:
    """One line of a prompt list."""

    index: int  # 0 is the first line
    name: str  # the short prompt: what the file is called after
    text: str  # what the model is given


def read_prompts(path: Path, extended_path: Path | None = None) -> list[Prompt]:
    """Read one prompt per line; empty lines at the end do not count. Raises RenderUseError with a sentence.

    An extended list has a longer text for each line: it conditions the model, the short prompt names the file.
    """
    names = _lines(path)
    texts = names if extended_path is None else _lines(extended_path)
    if len(texts) != len(names):
        raise RenderUseError(
            f"{extended_path} has {len(texts)} lines and {path} has {len(names)}: each prompt needs its extended one"
        )
    return [Prompt(index, name, text) for index, (name, text) in enumerate(zip(names, texts, strict=True))]


def jobs_for_prompts(
    prompts: list[Prompt], out: str, seed: int, samples: int, *, is_list: bool, is_lossless: bool
) -> list[RenderJob]:
    """One job per prompt and sample; sample k has seed + k. Raises RenderUseError when names would collide."""
    if seed + samples - 1 > SEED_MAX:
        raise RenderUseError(f"{samples} samples from seed {seed} on go beyond the last seed, {SEED_MAX}")
    pattern = _pattern(out, is_list, len(prompts), samples, is_lossless)
    jobs = []
    for prompt in prompts:
        for sample in range(samples):
            name = _fill(pattern, prompt, seed + sample, sample)
            jobs.append(RenderJob(plan_for_prompt(prompt.text, seed + sample), Path(name)))
    names = [job.out for job in jobs]
    if len(set(names)) < len(names):
        raise RenderUseError(
            f"--out {out}: {len(names)} clips would share {len(set(names))} names; "
            "name a folder, or use {index} and {seed}"
        )
    return jobs


def jobs_for_plan(plan: RenderPlan, out: str, seed: int | None, samples: int) -> list[RenderJob]:
    """One job for a look or a timeline. Raises RenderUseError when more are asked for."""
    if samples != 1:
        raise RenderUseError("--samples goes with --prompt or --prompts, not with a look or a timeline")
    return [RenderJob(plan if seed is None else plan.with_seed(seed), Path(out))]


def slug_of(text: str) -> str:
    """A file name's part from a prompt: lower case, letters and digits of any script, the rest as single dashes."""
    slug = re.sub(r"[\W_]+", "-", text.lower()).strip("-")
    short = slug[:SLUG_CHARACTERS].encode()[:SLUG_BYTES].decode(errors="ignore")
    return short.rstrip("-") or "prompt"


def _lines(path: Path) -> list[str]:
    try:
        text = read_text_file(path)
    except TextFileError as error:
        raise RenderUseError(f"{path}: {error}") from None
    lines = [line.strip() for line in text.rstrip().splitlines()]
    if not lines:
        raise RenderUseError(f"{path} is empty: write one prompt per line")
    if "" in lines:
        raise RenderUseError(f"{path}: line {lines.index('') + 1} is empty: write one prompt per line")
    return lines


def _pattern(out: str, is_list: bool, prompts: int, samples: int, is_lossless: bool) -> str:
    """What names are filled into: --out itself, or a standard name in it when it is a folder."""
    suffix = LOSSLESS_SUFFIX if is_lossless else DEFAULT_SUFFIX
    is_folder = out.endswith(("/", "\\")) or _is_folder(Path(out))
    if is_folder and (is_list or samples > 1):
        name = ("{index}-" if is_list else "") + "{slug}" + ("-seed{seed}" if samples > 1 else "") + suffix
        return str(Path(out) / name)
    fields = _FIELD.findall(out)
    for field in fields:
        if field not in PATTERN_FIELDS:
            known = ", ".join(f"{{{name}}}" for name in PATTERN_FIELDS)
            raise RenderUseError(f"--out {out}: {{{field}}} is unknown; known are {known}")
    if not fields and prompts * samples > 1:
        raise RenderUseError(
            f"--out {out} is one file and many are asked for: name a folder, or use {{index}} or {{seed}}"
        )
    return out


def _is_folder(path: Path) -> bool:
    """Whether a folder is there; what is wrong with the name itself is told when the file is to be written."""
    try:
        return path.is_dir()
    except OSError:
        return False


def _fill(pattern: str, prompt: Prompt, seed: int, sample: int) -> str:
    values = {
        "index": f"{prompt.index:04d}",
        "prompt": re.sub(r"[\x00-\x1f/\\]", "-", prompt.name),  # as it is, but never another folder
        "slug": slug_of(prompt.name),
        "seed": str(seed),
        "sample": str(sample),
    }
    return _FIELD.sub(lambda field: values[field[1]], pattern)
