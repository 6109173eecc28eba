"""Reference pictures are read beside the stream, told in a sentence when they cannot be, and read anew when changed."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.vace.references import KEPT_PICTURES, ReferenceBook
from engine.video_in.picture_files import PictureError


@pytest.fixture
def book(tmp_path: Path) -> ReferenceBook:
    made = ReferenceBook([tmp_path])
    yield made
    made.close()


def picture(path: Path, colour: tuple[int, ...], size: tuple[int, int] = (24, 16)) -> Path:
    Image.new("RGBA" if len(colour) == 4 else "RGB", size, colour).save(path)
    return path


def settle(book: ReferenceBook, file: Path | str) -> None:
    """Wait until a file is read or refused."""
    book.request(str(file))
    wait_until(lambda: book.is_ready(str(file)) or book.failure(str(file)))


def wait_until(is_so: object, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "bmp"])
def test_pictures_of_common_kinds_are_read(book: ReferenceBook, tmp_path: Path, suffix: str) -> None:
    file = picture(tmp_path / f"who.{suffix}", (200, 40, 90), (64, 48))
    settle(book, file)
    found = book.picture(str(file))
    assert found.pixels.shape == (48, 64, 4)
    assert np.abs(found.pixels[..., :3].astype(int) - (200, 40, 90)).max() <= 6
    assert (found.pixels[..., 3] == 255).all()
    assert book.note(str(file)) == "64x48"
    assert book.failure(str(file)) == ""


def test_transparency_is_kept_and_told(book: ReferenceBook, tmp_path: Path) -> None:
    file = picture(tmp_path / "cut-out.png", (10, 20, 30, 0))
    settle(book, file)
    assert (book.picture(str(file)).pixels[..., 3] == 0).all()
    assert "transparency" in book.note(str(file))


def test_a_name_is_looked_for_in_the_folders(book: ReferenceBook, tmp_path: Path) -> None:
    picture(tmp_path / "still 3.png", (1, 2, 3))
    settle(book, "still 3.png")
    assert book.is_ready("still 3.png")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("nowhere.png", None, "nowhere.png"),
        ("text.png", b"no picture at all", "text.png"),
        ("empty.jpg", b"", "empty.jpg"),
        ("nul\0byte.png", None, "cannot be read"),
        ("x" * 5000, None, "cannot be read"),
    ],
)
def test_a_bad_file_gives_a_sentence(
    book: ReferenceBook, tmp_path: Path, name: str, content: bytes | None, sentence: str
) -> None:
    file = f"{tmp_path}/{name}"
    if content is not None:
        Path(file).write_bytes(content)
    settle(book, file)
    assert not book.is_ready(file)
    assert sentence in book.failure(file)
    assert book.note(file) == ""
    assert book.picture(file) is None
    with pytest.raises(PictureError):
        book.picture(file, wait=True)


def test_nothing_asked_for_is_ready(book: ReferenceBook) -> None:
    book.request("")
    assert book.is_ready("")
    assert (book.failure(""), book.note("")) == ("", "")


def test_a_file_that_changed_is_read_again_when_asked_and_guides_until_then(
    book: ReferenceBook, tmp_path: Path
) -> None:
    file = picture(tmp_path / "still.png", (10, 0, 0))
    settle(book, file)
    first = book.picture(str(file))
    book.request(str(file))
    wait_until(lambda: book.picture(str(file)) is first)
    picture(file, (0, 0, 250))
    os.utime(file, ns=(0, time.time_ns() + 10**9))
    book.request(str(file))
    assert book.picture(str(file)) is not None
    wait_until(lambda: book.picture(str(file)).number != first.number)
    assert book.picture(str(file)).pixels[0, 0, 2] == 250
    file.write_bytes(b"half a picture")
    book.request(str(file))
    wait_until(lambda: book.failure(str(file)))
    assert book.picture(str(file)).pixels[0, 0, 2] == 250, "what was read before goes on to guide"


def test_only_the_pictures_wanted_last_are_kept(book: ReferenceBook, tmp_path: Path) -> None:
    files = [picture(tmp_path / f"{number}.png", (number, 0, 0)) for number in range(KEPT_PICTURES + 3)]
    for file in files:
        book.picture(str(file), wait=True)
    assert book.note(str(files[-1]))
    assert not book.note(str(files[0]))
    assert book.picture(str(files[0]), wait=True).pixels[0, 0, 0] == 0
