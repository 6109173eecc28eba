"""A timeline chases real quarter frames: plays while they run, stands when they stop, jumps when they jump."""

import pytest

from tests.vj.presets.test_timeline_transport import CUES, SECOND_NS, SEED, Stage
from vj.tempo.midi_timecode import TimecodeFollower

RATE_FPS = 25.0
RATE_BITS = 1  # 25 frames a second
HUE = "/vj/effect/hue"


class Recorder:
    """A tape machine that sends MIDI time code into a transport, ten milliseconds at a time."""

    def __init__(self) -> None:
        self.stage, self.follower = Stage(*CUES), TimecodeFollower()
        self.stage.transport.follow(self.follower)
        self.stage.controls.set("/vj/timeline/chase", True, "panel")

    def run(self, start_s: float, seconds: float) -> None:
        """Send quarter frames: eight of them tell the time of the first, two frames later."""
        for quarter in range(round(seconds * RATE_FPS * 4)):
            at_frame = round(start_s * RATE_FPS) + quarter // 8 * 2
            frames, whole_s = at_frame % 25, at_frame // 25
            fields = (frames, whole_s % 60, whole_s // 60 % 60, whole_s // 3600 | RATE_BITS << 5)
            piece = quarter % 8
            nibble = fields[piece // 2] >> 4 * (piece % 2) & 15
            self.stage.wait(0.25 / RATE_FPS)
            self.follower.receive((0xF1, piece << 4 | nibble), self.stage.now_ns)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


def test_quarter_frames_carry_the_timeline(recorder):
    recorder.run(0.0, 1.8)
    status = recorder.stage.transport.status
    assert (status.is_playing, recorder.stage.get(SEED)) == (True, 0)
    assert status.position == pytest.approx(1.8, abs=0.1)
    recorder.run(1.8, 0.6)
    assert recorder.stage.get(SEED) == 5
    recorder.run(60.0, 1.0)
    assert recorder.stage.get(HUE) == 50.0
    assert recorder.stage.transport.status.position == pytest.approx(61.0, abs=0.1)
    recorder.stage.wait(2.0)
    recorder.stage.wait(2.0)
    status = recorder.stage.transport.status
    assert not status.is_playing
    assert status.position == pytest.approx(61.0, abs=0.5)
    assert recorder.stage.now_ns > 6 * SECOND_NS
