"""Text files that people write: read in every common form, and never waited for or swallowed whole."""

import os
from pathlib import Path

import pytest

from engine.text_files import LARGEST_BYTES, TextFileError, read_text_file, read_toml_file


@pytest.mark.parametrize("content", [b"ink\nfire\n", b"\xef\xbb\xbfink\r\nfire\r\n", b"ink\rfire\r"])
def test_line_ends_and_a_byte_order_mark_make_no_difference(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.toml").write_bytes(content)
    assert read_text_file(tmp_path / "a.toml") == "ink\nfire\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("ink".encode("utf-16"), "UTF-16; save it as UTF-8"),
        (b"ink \xff", "byte 4 is not UTF-8"),
        (b"#" * (LARGEST_BYTES + 1), "which nobody has written"),
    ],
)
def test_what_is_no_text_of_a_person_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "a.toml").write_bytes(content)
    with pytest.raises(TextFileError, match=words):
        read_text_file(tmp_path / "a.toml")


def test_folders_pipes_devices_and_nothing_are_told_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "huge").touch()
    os.truncate(tmp_path / "huge", 200_000_000)
    for path, words in (
        (tmp_path, "is a folder"),
        (tmp_path / "pipe", "is a pipe"),
        (Path("/dev/zero"), "or a device"),
        (tmp_path / "huge", "200 MB"),
        (tmp_path / "none", "there is no such file"),
        (tmp_path / "huge" / "x", "cannot be read"),
    ):
        with pytest.raises(TextFileError, match=words):
            read_text_file(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = [1,", "is not TOML"),
        (f"a = {'1' * 5000}", "is not TOML"),
        (f"a = {'[' * 100_000}", "nest too deep"),
        (f"{'.'.join('a' * 50_000)} = 1", "over two hundred parts"),
        (f"[{' . '.join('a' * 50_000)}]", "over two hundred parts"),
    ],
)
def test_toml_that_is_none_or_that_nobody_would_write_is_refused_at_once(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "a.toml").write_text(text, "utf-8")
    with pytest.raises(TextFileError, match=words):
        read_toml_file(tmp_path / "a.toml")
    (tmp_path / "a.toml").write_text('text = """\n' + "dots. " * 150 + '"""\n', "utf-8")
    assert read_toml_file(tmp_path / "a.toml")["text"].startswith("dots. ")
