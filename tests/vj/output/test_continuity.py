"""Whatever the stream does, there is a picture and it moves: late, black, frozen or gone; and the panic row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.chunk import Chunk
from engine.frame_ring import FrameRing
from engine.video_file import VideoFile
from tests.vj.output.played_ring import RATE_FPS, REFRESH_NS, SECOND_NS
from vj.output.continuity import Continuity, Scene
from vj.output.frame_reader import FrameReader
from vj.output.loop import there_and_back
from vj.output.params import OutputParams

WIDTH, HEIGHT, CHUNK = 32, 32, 12
PLAIN = OutputParams()


class Theatre:
    """An engine that makes a chunk every 0.75 s of pretended time, and the display in front of it."""

    def __init__(self, folder: Path) -> None:
        self.now_ns = SECOND_NS
        self.ring = FrameRing.create(
            folder / "ring", width=WIDTH, height=HEIGHT, rate_fps=RATE_FPS, capacity=60, process_id=1
        )
        self.continuity = Continuity(FrameReader(folder / "ring"))
        self.generation = self.frame = 0
        self.brightness: float | None = None  # None = a picture; a number = every pixel of it
        self.is_engine_alive = True
        self.params = PLAIN
        self.seen: list[tuple[float, Scene, np.ndarray | None]] = []

    def run(self, seconds: float) -> list[tuple[float, Scene, np.ndarray | None]]:
        """Let time pass; return what was seen in it."""
        start, end_ns = len(self.seen), self.now_ns + int(seconds * SECOND_NS)
        while self.now_ns < end_ns:
            self.now_ns += REFRESH_NS
            if self.is_engine_alive and self.ring.written - self.ring.read < 20:
                self._make_chunk()
            scene = self.continuity.scene_at(self.now_ns, self.params)
            self.seen.append((self.now_ns / SECOND_NS, scene, drawn(scene)))
        return self.seen[start:]

    def _make_chunk(self) -> None:
        frames = np.zeros((CHUNK, HEIGHT, WIDTH, 4), np.uint8)
        for k in range(CHUNK):
            value = 40 + abs((self.frame + k) * 3 % 400 - 200) if self.brightness is None else self.brightness
            frames[k, ..., :3] = value
        self.ring.write(Chunk(frames, 1, self.frame, RATE_FPS, self.generation, 0, self.now_ns))
        self.frame += CHUNK
        self.generation += 1


def drawn(scene: Scene) -> np.ndarray | None:
    """What the layers add up to, zoom told by the last pixel: (H, W) float."""
    if not scene.layers:
        return None
    total = np.zeros((HEIGHT, WIDTH))
    for layer in scene.layers:
        first, second = (frame.pixels[..., 0].astype(float) for frame in (layer.picture.first, layer.picture.second))
        both = first + (second - first) * layer.picture.share
        total += layer.share * np.resize(both, (HEIGHT, WIDTH))
    total[-1, -1] = 1000.0 * sum(layer.share * layer.zoom for layer in scene.layers)
    return total


def longest_still_s(seen: list[tuple[float, Scene, np.ndarray | None]]) -> float:
    """The longest time in which the picture did not change."""
    longest, since, last = 0.0, seen[0][0], seen[0][2]
    for at_s, _, picture in seen[1:]:
        if np.abs(picture - last).max() > 0.02:
            since, last = at_s, picture
        longest = max(longest, at_s - since)
    return longest


@pytest.fixture
def theatre(tmp_path: Path) -> Theatre:
    made = Theatre(tmp_path)
    made.run(6.0)
    return made


def states(seen: list[tuple[float, Scene, np.ndarray | None]]) -> list[str]:
    return list(dict.fromkeys(scene.state for _, scene, _ in seen))


def test_a_stream_that_comes_is_left_alone(theatre: Theatre):
    seen = theatre.run(4.0)
    assert states(seen) == ["live"]
    assert all(len(scene.layers) == 1 and scene.layers[0].zoom == 1.0 for _, scene, _ in seen)


def test_a_dead_engine_leaves_a_moving_picture_and_the_stream_returns_softly(theatre: Theatre):
    theatre.is_engine_alive = False
    gone = theatre.run(12.0)
    assert states(gone) == ["live", "waiting", "fallback"]
    assert theatre.continuity.fault == "late"
    fallen_s = next(at_s for at_s, scene, _ in gone if scene.state == "fallback")
    waiting_s = next(at_s for at_s, scene, _ in gone if scene.state == "waiting")
    assert fallen_s - waiting_s == pytest.approx(PLAIN.fallback_after, abs=0.05)
    assert longest_still_s(gone) < 0.25
    theatre.is_engine_alive = True
    back = theatre.run(4.0)
    assert back[-1][1].state == "live"
    everything = [picture[0, 0] for _, _, picture in theatre.seen if picture is not None]
    assert np.abs(np.diff(everything)).max() < 30, "a jump in brightness: the way out and back is a crossfade"


def test_black_chunks_are_counted_and_never_shown(theatre: Theatre):
    theatre.brightness = 0
    seen = theatre.run(5.0)
    assert min(picture[0, 0] for _, _, picture in seen) > 20
    assert theatre.continuity.bad_chunks >= 3
    assert theatre.continuity.fault == "black"
    assert "waiting" in states(seen)
    assert longest_still_s(seen) < 0.25
    theatre.brightness = None
    assert theatre.run(4.0)[-1][1].state == "live"
    assert theatre.continuity.fault == ""


def test_frames_that_stand_still_are_a_fault(theatre: Theatre):
    theatre.brightness = 77
    seen = theatre.run(5.0)
    assert "waiting" in states(seen)
    assert longest_still_s(seen[30:]) < 0.25
    assert theatre.continuity.fault == "frozen"


def test_a_stream_that_waits_for_its_moment_is_late_and_does_not_stand_still(theatre: Theatre):
    theatre.is_engine_alive = False
    theatre.run(1.0)
    frames = np.full((CHUNK, HEIGHT, WIDTH, 4), 90, np.uint8)
    theatre.ring.write(Chunk(frames, 2, 0, RATE_FPS, 99, 0, theatre.now_ns, theatre.now_ns + 3 * SECOND_NS))
    faults = set()
    for _ in range(20):
        theatre.run(0.1)
        faults.add(theatre.continuity.fault)
    assert faults == {"", "late"}


def test_freeze_holds_and_lets_go(theatre: Theatre):
    theatre.params = OutputParams(freeze=True)
    held = theatre.run(2.0)
    assert states(held) == ["freeze"]
    assert all(scene.layers == held[0][1].layers for _, scene, _ in held), "held at once"
    theatre.params = PLAIN
    back = theatre.run(1.0)
    assert states(back) == ["live"]
    assert back[0][1].layers[-1].share > 0.02, "the first refresh shows it"
    assert len(back[9][1].layers) == 1, "a hand's fade is short"


def test_a_freeze_in_a_crossfade_holds_both_pictures(theatre: Theatre):
    theatre.is_engine_alive = False
    while len(theatre.run(0.02)[-1][1].layers) < 2:
        assert len(theatre.seen) < 2000
    crossfade = theatre.run(0.1)[-1][1].layers
    theatre.params = OutputParams(freeze=True)
    assert all(scene.layers == crossfade for _, scene, _ in theatre.run(1.0))


def test_freeze_and_blackout_work_with_the_engine_dead(theatre: Theatre):
    theatre.is_engine_alive = False
    theatre.run(5.0)
    theatre.params = OutputParams(freeze=True)
    assert states(theatre.run(1.0)) == ["freeze"]
    theatre.params = OutputParams(blackout=True)
    assert states(theatre.run(0.1)) == ["blackout"]
    theatre.params = PLAIN
    assert theatre.run(0.5)[-1][1].state == "fallback"


def test_fallback_on_demand_moves_though_the_stream_runs(theatre: Theatre):
    theatre.params = OutputParams(fallback=True)
    seen = theatre.run(5.0)
    assert states(seen) == ["fallback"]
    assert longest_still_s(seen) < 0.25


def test_before_the_first_stream_there_is_nothing_to_draw(tmp_path: Path):
    scene = Continuity(FrameReader(tmp_path / "ring")).scene_at(SECOND_NS, PLAIN)
    assert scene == Scene((), "starting")


def test_to_and_fro_stays_inside_and_never_jumps():
    places = [there_and_back(way / 60, 20.0) for way in range(60 * 200)]
    assert min(places) >= 0.0
    assert max(places) <= 20.0
    assert np.abs(np.diff(places)).max() <= 1 / 60 + 1e-6


def test_a_chosen_film_plays_once_the_output_has_fallen_back(theatre: Theatre, tmp_path: Path):
    path = tmp_path / "film.mp4"
    frames = np.full((24, 48, 64, 4), 255, np.uint8)
    frames[..., :3] = np.linspace(60, 200, 24).astype(np.uint8)[:, None, None, None]
    with VideoFile(path, width=64, height=48, rate_fps=12.0) as film:
        film.write(frames)
    theatre.params = OutputParams(fallback_film=str(path))
    theatre.run(0.1)
    theatre.continuity._film.wait(10.0)
    theatre.is_engine_alive = False
    seen = theatre.run(8.0)
    sources = [scene.layers[-1].picture.first for _, scene, _ in seen]
    assert sources[-1].pixels.shape == (48, 64, 4)
    assert {scene.state for _, scene, _ in seen[-60:]} == {"fallback"}
    assert len({id(frame) for frame in sources[-120:]}) > 15, "the film runs"
    theatre.is_engine_alive = True
    assert theatre.run(4.0)[-1][1].state == "live"


@pytest.mark.parametrize("content", [None, b"no film at all"])
def test_a_film_that_cannot_be_played_is_told_and_the_loop_plays(theatre: Theatre, tmp_path: Path, content):
    path = tmp_path / "broken.mp4"
    if content is not None:
        path.write_bytes(content)
    theatre.params = OutputParams(fallback_film=str(path))
    theatre.run(0.1)
    theatre.continuity._film.wait(10.0)
    assert f"the fallback film {path} cannot be played" in theatre.continuity.problem
    theatre.is_engine_alive = False
    seen = theatre.run(8.0)
    assert seen[-1][1].state == "fallback"
    assert longest_still_s(seen) < 0.25
