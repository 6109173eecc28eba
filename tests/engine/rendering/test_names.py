"""Names of files made of prompts: as they are where a disk can have them, never two prompts in one file."""

from __future__ import annotations

import pytest

from engine.rendering import names
from engine.rendering.jobs import Prompt, RenderUseError, jobs_for_prompts
from engine.rendering.names import NAME_BYTES, SUFFIX_WHILE_WRITTEN, prompt_names, standard_pattern

VBENCH = standard_pattern("vbench", True, 5, ".mp4")
UPSTREAM = standard_pattern("upstream", True, 1, ".mp4")


def texts(prompts: list[str], pattern: str = VBENCH, style: str = "vbench") -> list[str]:
    return [name.text for name in prompt_names(prompts, pattern, style)]


def test_ordinary_prompts_stay_as_they_are() -> None:
    prompts = ["A person is eating spaghetti, 4K", "a boat: sailing?", "雪の山", 'the "quoted" one']
    found = prompt_names(prompts, VBENCH, "vbench")
    assert [name.text for name in found] == prompts
    assert not any(name.note for name in found)
    assert VBENCH == "{prompt}-{sample}.mp4"


def test_a_slash_is_replaced_and_never_collides() -> None:
    first, second, third = texts(["cats/dogs", "cats-dogs", "cats\\dogs"])
    assert second == "cats-dogs", "the prompt that can keep its name does"
    assert first.startswith("cats-dogs~") and third.startswith("cats-dogs~")
    assert len({first, second, third}) == 3
    assert texts(["cats/dogs"]) == ["cats-dogs"], "alone it needs no mark"


@pytest.mark.parametrize("letter", ["x", "ß", "𠀀"])
def test_long_prompts_fit_and_keep_apart(letter: str) -> None:
    one, other = letter * 400, letter * 401
    found = prompt_names([one, other], VBENCH, "vbench")
    files = [f"{name.text}-9999.mp4{SUFFIX_WHILE_WRITTEN}" for name in found]
    assert all(len(file.encode()) <= NAME_BYTES for file in files)
    assert len(set(files)) == 2
    assert {name.note for name in found} == {"is too long for a file name"}


def test_the_published_names_have_fifty_characters() -> None:
    start = "A stylish woman walks down a Tokyo street filled with"
    alone, first, second = texts([start], UPSTREAM, "upstream") + texts(
        [start + " a", start + " b"], UPSTREAM, "upstream"
    )
    assert alone == start[:50]
    assert first != second
    assert first.startswith(start[:50] + "~")


def test_letters_of_another_case_keep_apart_where_the_disk_folds_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert texts(["A cat", "a cat"]) == ["A cat", "a cat"]
    monkeypatch.setattr(names, "_FOLDS_CASE", True)
    first, second = texts(["A cat", "a cat"])
    assert first == "A cat"
    assert second.startswith("a cat~")


def made(prompts: list[str], samples: int = 1, style: str = "vbench"):
    listed = [Prompt(index, name, f"long {name}") for index, name in enumerate(prompts)]
    return jobs_for_prompts(listed, "folder/", 5, samples, style=style, is_list=True, is_lossless=False)


def test_vbench_names_number_the_samples_and_seeds_follow_each_other() -> None:
    jobs = made(["a cat", "a dog"], samples=3).jobs
    assert [job.out.name for job in jobs[:3]] == ["a cat-0.mp4", "a cat-1.mp4", "a cat-2.mp4"]
    assert [job.plan.seed for job in jobs] == [5, 6, 7] * 2
    assert [job.sample for job in jobs] == [0, 1, 2] * 2
    assert {job.plan.texts[0] for job in jobs} == {"long a cat", "long a dog"}


def test_changed_names_are_told_and_many_are_counted() -> None:
    assert made(["a cat"]).notes == []
    assert made(["a/cat"]).notes == [
        "prompt 1 has characters no file name can have: its file's name has 'a-cat' for it"
    ]
    many = made([f"{number}/x" for number in range(9)]).notes
    assert len(many) == 6
    assert many[-1] == "and so with 4 more prompts"


def test_the_same_prompt_twice_is_refused_with_its_lines() -> None:
    with pytest.raises(RenderUseError, match=r"line 3 repeats line 1"):
        made(["a cat", "a dog", "a cat"])
