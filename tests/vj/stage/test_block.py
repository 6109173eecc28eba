"""The block between panels and stage: the newest message, whole, whatever its writer is doing."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vj.output.decks import Take
from vj.stage.block import LANES_OFFSET, SEQUENCE, SLOT, StageBlock
from vj.stage.messages import (
    OutputFacts,
    Placement,
    StageEvent,
    StageState,
    Wishes,
    decode_state,
    decode_wishes,
    encode,
)

WRITER = """
import sys, time
from pathlib import Path
from vj.stage.block import StageBlock
block = StageBlock.attach(Path(sys.argv[1]))
end = time.monotonic() + 2.0
number = 0
while time.monotonic() < end:
    number += 1
    block.wishes.write(str(number).encode() * (1 + number % 300))
print(number)
"""


def test_both_ways_carry_the_newest_message(tmp_path: Path):
    panels, stage = (StageBlock.create(tmp_path / "b"), StageBlock.attach(tmp_path / "b"))
    assert stage.wishes.read() == b""
    for word in (b"one", b"two", b"three"):
        panels.wishes.write(word)
    assert stage.wishes.is_new
    assert stage.wishes.read() == b"three"
    assert not stage.wishes.is_new
    assert stage.wishes.read() == b"three"
    stage.state.write(b"well")
    assert panels.state.read() == b"well"
    panels.take(4711)
    assert stage.panels_id == 4711


def test_a_torn_message_is_answered_with_the_last_good_one(tmp_path: Path):
    panels, stage = (StageBlock.create(tmp_path / "b"), StageBlock.attach(tmp_path / "b"))
    panels.wishes.write(b"good")
    assert stage.wishes.read() == b"good"
    panels.wishes.write(b"bad!")
    torn = LANES_OFFSET + SEQUENCE.size + SLOT.size  # the second message lies in the first slot
    panels._memory[torn : torn + 1] = b"X"
    assert stage.wishes.read() == b"good"
    panels.wishes.write(b"better")
    assert stage.wishes.read() == b"better"


def test_a_message_that_is_too_long_is_refused_and_the_last_one_stays(tmp_path: Path):
    block = StageBlock.create(tmp_path / "b")
    block.state.write(b"short")
    with pytest.raises(ValueError, match="70000 bytes"):
        block.state.write(b"x" * 70_000)
    assert StageBlock.attach(tmp_path / "b").state.read() == b"short"


def test_a_file_that_is_something_else_is_refused(tmp_path: Path):
    (tmp_path / "b").write_bytes(b"something else" * 100)
    with pytest.raises(ValueError, match="no stage block|not a stage block"):
        StageBlock.attach(tmp_path / "b")


def test_no_message_is_torn_while_another_process_writes(tmp_path: Path):
    block = StageBlock.create(tmp_path / "b")
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path / "b")], stdout=subprocess.PIPE, text=True)
    seen, last = 0, 0
    while writer.poll() is None:
        message = block.wishes.read().decode()
        if message:
            # every message repeats its number a number of times that follows from it
            number = next(n for n in candidates(message) if message == str(n) * (1 + n % 300))
            assert number >= last
            seen, last = seen + (number > last), number
        time.sleep(0.0005)
    assert seen > 100
    assert int(writer.communicate()[0]) >= last


def candidates(message: str) -> list[int]:
    return [int(message[:length]) for length in range(1, min(9, len(message)) + 1)]


def test_messages_come_through_and_strange_fields_are_left_out():
    wishes = Wishes(
        {"/vj/output/level": 0.5},
        {"/vj/output/blackout": (True, 7)},
        (Placement(3, 2, "HDMI-1", True),),
        Take(4, 5, 0.5),
        "x",
        9,
    )
    assert decode_wishes(encode(wishes)) == wishes
    state = StageState(
        process_id=5,
        outputs=(OutputFacts(2, "HDMI-1"),),
        notes=("so",),
        events=(StageEvent(1, "press", 66, 0, "b"),),
        panic={"/vj/output/level": (0.1, 2)},
    )
    assert decode_state(encode(state)) == state
    found = json.loads(encode(state)) | {"colour": "red"}
    found["status"]["mood"] = "good"
    found["outputs"][0]["wall"] = 4
    found["events"][0]["finger"] = 2
    del found["gl_name"]
    assert decode_state(json.dumps(found).encode()) == state
    assert decode_wishes(b"{}") == Wishes()
    for bad in (b"[1]", b"nonsense", b"\xff"):
        with pytest.raises(ValueError):
            decode_wishes(bad)
