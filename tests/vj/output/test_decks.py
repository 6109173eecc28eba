"""Two decks on a pretended clock: cut and faded at their moment out of two real rings, as an engine leaves them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.chunk import Chunk
from engine.frame_ring import FrameRing
from tests.vj.output.played_ring import HEIGHT, RATE_FPS, REFRESH_NS, SECOND_NS, WIDTH
from vj.output.continuity import Continuity, Scene
from vj.output.decks import DeckReader, Take
from vj.output.params import OutputParams

CHUNK = 12


class Decks:
    """An engine that keeps the ring on air filled, and a display at 60 Hz."""

    def __init__(self, folder: Path) -> None:
        self.path, self.deck_path = folder / "frames.ring", folder / "deck.ring"
        self.now_ns = SECOND_NS
        self.ring, self.stream_id, self.is_alive = self.create(self.path), 1, True
        self.reader = DeckReader(self.path, self.deck_path)
        self.continuity = Continuity(self.reader)
        self.scenes: list[tuple[int, Scene]] = []
        self.generation = 0
        self.fill(self.ring, 1, 24)

    def create(self, path: Path) -> FrameRing:
        return FrameRing.create(path, width=WIDTH, height=HEIGHT, rate_fps=RATE_FPS, capacity=60, process_id=1)

    def fill(self, ring: FrameRing, stream_id: int, count: int) -> None:
        first = ring.written
        frames = np.full((count, HEIGHT, WIDTH, 4), 20 * stream_id, np.uint8)
        for k in range(count):
            frames[k, ..., 0] = (first + k) % 200 + 20
        self.generation += 1
        ring.write(Chunk(frames, stream_id, first, RATE_FPS, self.generation, 0, self.now_ns))

    def arm(self, stream_id: int, frames: int = 33) -> FrameRing:
        ring = self.create(self.deck_path)
        self.fill(ring, stream_id, frames)
        return ring

    def put_on_air(self, ring: FrameRing, stream_id: int) -> None:
        """What the engine does with a take."""
        self.deck_path.replace(self.path)
        self.ring, self.stream_id = ring, stream_id

    def run(self, seconds: float) -> None:
        end_ns = self.now_ns + int(seconds * SECOND_NS)
        while self.now_ns < end_ns:
            self.now_ns += REFRESH_NS
            if self.is_alive and self.ring.written - self.ring.read < 18:
                self.fill(self.ring, self.stream_id, CHUNK)
            self.scenes.append((self.now_ns, self.continuity.scene_at(self.now_ns, OutputParams())))

    def shares_of(self, stream_id: int) -> list[tuple[int, float]]:
        return [
            (at, sum(one.share for one in scene.layers if one.picture.first.stream_id == stream_id))
            for at, scene in self.scenes
        ]


@pytest.fixture
def decks(tmp_path: Path) -> Iterator[Decks]:
    decks = Decks(tmp_path)
    yield decks
    decks.reader.close()


@pytest.mark.parametrize("late_engine_s", [0.0, 0.6])
def test_a_cut_is_seen_at_the_refresh_nearest_to_its_moment_whatever_the_engine_does(decks: Decks, late_engine_s):
    decks.run(3)
    ring = decks.arm(2)
    decks.run(1)
    at_ns = decks.now_ns + 400_000_000
    decks.reader.order(Take(2, at_ns))
    decks.run(0.4 + late_engine_s)
    decks.put_on_air(ring, 2)
    decks.run(3)
    first = next(at for at, share in decks.shares_of(2) if share > 0)
    assert abs(first - at_ns) <= REFRESH_NS / 2 + 1
    assert all(share in (0.0, 1.0) for _, share in decks.shares_of(2)), "a cut, not a fade"
    assert {share for at, share in decks.shares_of(2) if at >= first} == {1.0}, "what was on air before came back"
    assert {scene.state for _, scene in decks.scenes[10:]} == {"live"}
    assert decks.reader.status.playback_fps == pytest.approx(RATE_FPS, rel=0.04)


def test_a_fade_shows_both_in_motion(decks: Decks):
    decks.run(3)
    ring = decks.arm(2)
    decks.run(0.5)
    at_ns = decks.now_ns + 200_000_000
    decks.reader.order(Take(2, at_ns, fade_s=2.0))
    decks.run(0.5)
    decks.put_on_air(ring, 2)
    decks.run(3)
    during = [(at, scene) for at, scene in decks.scenes if at_ns + 50e6 < at < at_ns + 1.9e9]
    assert all(len(scene.layers) == 2 for _, scene in during)
    shares = [scene.layers[1].share for _, scene in during]
    assert shares == sorted(shares)
    assert all(sum(layer.share for layer in scene.layers) == pytest.approx(1.0) for _, scene in during)
    assert [scene.layers[0].picture.first.stream_id for _, scene in during] == [1] * len(during)
    old = [scene.layers[0].picture.first.index + scene.layers[0].picture.share for _, scene in during]
    assert old[-1] - old[0] > 5, "the deck that goes moves on"
    assert np.diff(old).min() > 0.0
    assert len(decks.scenes[-1][1].layers) == 1


def test_decks_follow_each_other_and_an_order_is_carried_out_once(decks: Decks):
    decks.run(2)
    for stream_id in (2, 3, 4):
        ring = decks.arm(stream_id)
        decks.run(0.4)
        take = Take(stream_id, decks.now_ns)
        for _ in range(3):
            decks.reader.order(take)
            decks.run(0.1)
        decks.put_on_air(ring, stream_id)
        decks.run(1)
        assert decks.reader.status.stream_id == stream_id
    assert decks.reader.status.repeats == 0


def test_a_cut_needs_no_engine_and_what_was_good_last_is_the_new_decks(decks: Decks):
    decks.run(3)
    decks.arm(2)
    decks.run(0.3)
    decks.is_alive = False
    decks.reader.order(Take(2, decks.now_ns + 100_000_000))
    decks.run(5)
    assert decks.continuity.state in ("waiting", "fallback")
    assert decks.scenes[-1][1].layers[0].picture.first.stream_id == 2


def test_a_new_engine_after_a_cut_is_seen(decks: Decks):
    decks.run(3)
    decks.arm(2)
    decks.run(0.3)
    decks.is_alive = False
    decks.reader.order(Take(2, decks.now_ns))
    decks.run(1)
    decks.ring, decks.stream_id, decks.is_alive = decks.create(decks.path), 1, True
    decks.fill(decks.ring, 1, 24)
    decks.run(4)
    assert decks.continuity.state == "live"
    assert decks.reader.status.stream_id == 1


def test_an_order_for_a_deck_that_never_comes_is_given_up(decks: Decks):
    decks.run(1)
    decks.reader.order(Take(9, decks.now_ns))
    decks.run(6)
    ring = decks.arm(9)
    decks.run(1)
    assert decks.reader.status.stream_id == 1
    ring.close()
