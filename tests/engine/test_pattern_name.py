"""Names of test patterns, and the faults and stamps they ask for."""

from __future__ import annotations

import numpy as np
import pytest

from engine.chunk_source import ChoiceError, SourceChoice, load_source
from engine.frame_stamp import COLUMNS, ROWS, cell_pixels, read_stamp
from engine.params import ChunkParams
from engine.pattern_name import PatternFault, PatternName, is_test_pattern, read_pattern_name

PARAMS = ChunkParams()


def corners(frame: np.ndarray) -> list[int | None]:
    """Number in each corner, as whoever looks at a picture of the same size reads it."""
    height, width = frame.shape[:2]
    cell = cell_pixels(width)
    rows, columns = cell * np.arange(ROWS) + cell // 2, cell * np.arange(COLUMNS) + cell // 2
    found = []
    for y in (rows, height - cell * ROWS + rows):
        for x in (columns, width - cell * COLUMNS + columns):
            found.append(read_stamp(frame[np.ix_(y, x)].mean(axis=-1)))
    return found


def test_a_name_is_taken_apart() -> None:
    assert read_pattern_name("test-pattern") == PatternName()
    assert read_pattern_name("test-pattern+stamp:black=5-8,hang=20,slow=3-@2.5") == PatternName(
        2.5, True, (PatternFault("black", 5, 8), PatternFault("hang", 20, 20), PatternFault("slow", 3, None))
    )
    assert is_test_pattern("test-pattern:nan=1")
    assert not is_test_pattern("test-patterns")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("test-pattern@fast", "frames a second, 0.1 to 1000"),
        ("test-pattern:blak=3", "did you mean 'black'"),
        ("test-pattern:black", "write a fault as black=5"),
        ("test-pattern+stemp", r"\[\+stamp\]"),
    ],
)
def test_a_wrong_name_is_a_sentence(name: str, words: str) -> None:
    with pytest.raises(ChoiceError, match=words):
        load_source(SourceChoice(name))


@pytest.mark.parametrize("size", [(64, 48), (256, 144), (832, 480)])
def test_every_corner_holds_the_frames_number_across_cuts(size: tuple[int, int]) -> None:
    source = load_source(SourceChoice("test-pattern+stamp", size))
    read = []
    for _ in range(3):
        read += [corners(frame[..., :3]) for frame in source.generate_chunk(PARAMS).frames]
        source.hard_cut()
    assert read == [[number] * 4 for number in range(27)]


def test_a_blend_of_two_frames_reads_as_one_of_them() -> None:
    frames = load_source(SourceChoice("test-pattern+stamp")).generate_chunk(PARAMS).frames[..., :3].astype(float)
    for number in range(8):
        for share in (0.1, 0.5, 0.9):
            blend = (1 - share) * frames[number] + share * frames[number + 1]
            assert set(corners(blend)) <= {number, number + 1}
    assert read_stamp(np.full((ROWS, COLUMNS), 130.0)) is None


def test_faults_strike_their_chunks_alone() -> None:
    source = load_source(SourceChoice("test-pattern:black=2,nan=3,wrongsize=4,frozen=5,oom=6-", (160, 96)))
    assert source.generate_chunk(PARAMS).frames[..., :3].any()
    assert not source.generate_chunk(PARAMS).frames[..., :3].any()
    with pytest.raises(ArithmeticError):
        source.generate_chunk(PARAMS)
    assert source.generate_chunk(PARAMS).frames.shape[1:] == (48, 80, 4)
    frozen = source.generate_chunk(PARAMS).frames
    assert (frozen == frozen[0]).all()
    for _ in range(2):
        with pytest.raises(MemoryError):
            source.generate_chunk(PARAMS)
