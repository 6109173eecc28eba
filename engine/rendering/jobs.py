"""The files one render command makes: a plan and a name for each, from one prompt, a list of prompts, or a given plan.

Knows nothing of models or video.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.params import SEED_MAX
from engine.rendering.names import PATTERN_FIELDS, fields_of, fill, prompt_names, slug_of, standard_pattern
from engine.rendering.plan import RenderPlan, plan_for_prompt
from engine.text_files import TextFileError, read_text_file

DEFAULT_SUFFIX = ".mp4"
LOSSLESS_SUFFIX = ".mkv"
MOST_NOTES = 5  # of names that are not their prompts; the others are counted


class RenderUseError(ValueError):
    """A command that makes no sense; the text is the sentence for the user."""


@dataclass(frozen=True)
class RenderJob:
    """One file to be made."""

    plan: RenderPlan
    out: Path
    sample: int = 0  # of its prompt


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


@dataclass(frozen=True)
class PromptJobs:
    """The jobs of a list of prompts, and sentences about names that are not the prompts themselves."""

    jobs: list[RenderJob]
    notes: list[str]


def jobs_for_prompts(
    prompts: list[Prompt], out: str, seed: int, samples: int, *, style: str, is_list: bool, is_lossless: bool
) -> PromptJobs:
    """One job per prompt and sample; sample k has seed + k. Raises RenderUseError when names would collide.

    `style` is one of NAME_STYLES and counts where `out` is a folder.
    """
    if seed + samples - 1 > SEED_MAX:
        raise RenderUseError(f"{samples} samples from seed {seed} on go beyond the last seed, {SEED_MAX}")
    suffix = LOSSLESS_SUFFIX if is_lossless else DEFAULT_SUFFIX
    pattern = _pattern(out, standard_pattern(style, is_list, samples, suffix), is_list, len(prompts) * samples)
    names = prompt_names([prompt.name for prompt in prompts], pattern, style)
    jobs = []
    for prompt, name in zip(prompts, names, strict=True):
        values = {"index": f"{prompt.index:04d}", "prompt": name.text, "slug": slug_of(prompt.name)}
        for sample in range(samples):
            path = fill(pattern, values | {"seed": str(seed + sample), "sample": str(sample)})
            jobs.append(RenderJob(plan_for_prompt(prompt.text, seed + sample), Path(path), sample))
    paths = [job.out for job in jobs]
    if len(set(paths)) < len(paths):
        raise RenderUseError(
            f"--out {out}: {len(paths)} clips would share {len(set(paths))} names{_repeated(prompts)}; "
            "name a folder, or use {index} and {seed}"
        )
    notes = []
    if "prompt" in fields_of(pattern):
        notes = [
            f"prompt {prompt.index + 1} {name.note}: its file's name has {name.text!r} for it"
            for prompt, name in zip(prompts, names, strict=True)
            if name.note
        ]
    more = len(notes) - MOST_NOTES
    return PromptJobs(jobs, notes if more <= 1 else [*notes[:MOST_NOTES], f"and so with {more} more prompts"])


def jobs_for_plan(plan: RenderPlan, out: str, seed: int | None, samples: int) -> list[RenderJob]:
    """One job for a look or a timeline. Raises RenderUseError when more are asked for."""
    if samples != 1:
        raise RenderUseError("--samples goes with --prompt or --prompts, not with a look or a timeline")
    return [RenderJob(plan if seed is None else plan.with_seed(seed), Path(out))]


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


def _repeated(prompts: list[Prompt]) -> str:
    """Which line says what an earlier one says, where one does."""
    seen: dict[str, int] = {}
    for prompt in prompts:
        if prompt.name in seen:
            return f" (line {prompt.index + 1} repeats line {seen[prompt.name] + 1})"
        seen[prompt.name] = prompt.index
    return ""


def _pattern(out: str, standard: str, is_list: bool, clips: int) -> str:
    """What names are filled into: --out itself, or a standard name in it when it is a folder for many."""
    is_folder = out.endswith(("/", "\\")) or _is_folder(Path(out))
    is_many = is_list or clips > 1
    pattern = str(Path(out) / standard) if is_folder and is_many else out
    fields = fields_of(pattern)
    for field in fields:
        if field not in PATTERN_FIELDS:
            known = ", ".join(f"{{{name}}}" for name in PATTERN_FIELDS)
            raise RenderUseError(f"--out {out}: {{{field}}} is unknown; known are {known}")
    if not fields and clips > 1:
        raise RenderUseError(
            f"--out {out} is one file and many are asked for: name a folder, or use {{index}} or {{seed}}"
        )
    return pattern


def _is_folder(path: Path) -> bool:
    """Whether a folder is there; what is wrong with the name itself is told when the file is to be written."""
    try:
        return path.is_dir()
    except OSError:
        return False
