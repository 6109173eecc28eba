"""Where the ring goes when its place is full, and when there is room nowhere."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from engine import ring_place
from engine.frame_ring import FrameRing
from engine.params import ChunkParams
from engine.ring_place import make_ring
from engine.test_pattern import TestPattern

SOURCE = TestPattern(32, 16)


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A folder in memory that is full, and the platform's own for temporary files."""
    memory, temporary = tmp_path / "memory", tmp_path / "temporary"
    memory.mkdir()
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    create = ring_place._create

    def full(path: Path, source: TestPattern) -> FrameRing:
        if memory in path.parents:
            raise OSError(errno.ENOSPC, "No space left on device")
        return create(path, source)

    monkeypatch.setattr(ring_place, "_create", full)
    return memory, temporary


def test_a_full_place_gets_a_link_to_a_ring_elsewhere(places: tuple[Path, Path]) -> None:
    memory, temporary = places
    place = make_ring(memory / "frames.ring", SOURCE)
    assert "is full (No space left on device): the frames go through" in place.problem
    place.ring.write(SOURCE.generate_chunk(ChunkParams()))
    reader = FrameRing.attach(memory / "frames.ring")
    assert reader.written == place.ring.written > 0
    again = make_ring(memory / "frames.ring", SOURCE)
    assert FrameRing.attach(memory / "frames.ring").written == 0, "a new ring at the same path"
    for one in (place, again):
        one.close()
    assert list(temporary.iterdir()) == []


def test_room_nowhere_is_an_error_and_leaves_nothing(
    places: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, source: TestPattern) -> FrameRing:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(ring_place, "_create", full)
    with pytest.raises(OSError, match="No space left"):
        make_ring(places[0] / "frames.ring", SOURCE)
    assert [*places[0].iterdir(), *places[1].iterdir()] == []
