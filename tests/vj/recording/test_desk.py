"""The panels' side of recording: what a hand asks for, and what becomes of a recorder that dies."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from tests.vj.recording.recorded_output import DrawnOutput, PlayedFile
from vj.commands import CommandQueue
from vj.controls import Controls
from vj.parameters import ParameterStore
from vj.recording.desk import RecordingDesk
from vj.recording.names import file_stem
from vj.recording.params import ON_ADDRESS, SAVE_REPLAY_ADDRESS
from vj.stage.picture_demand import PictureDemand


def test_a_recorder_that_dies_is_begun_anew_and_a_place_that_cannot_be_had_is_told(tmp_path: Path):
    told: list[str] = []
    controls, pictures = Controls(ParameterStore(), CommandQueue()), PictureDemand()
    controls.set(ON_ADDRESS, True, "a run before")
    desk = RecordingDesk(controls, pictures, tmp_path, lambda: "Deep / sea", told.append)
    output = DrawnOutput(tmp_path)

    def wait(is_so: Callable[[], object]) -> None:
        until_s = time.monotonic() + 15.0
        while not is_so():
            assert time.monotonic() < until_s, (told, desk.status)
            time.sleep(0.02)

    desk.start()
    controls.trigger(SAVE_REPLAY_ADDRESS, "test")
    wait(lambda: any("arm it first" in sentence for sentence in told))
    assert (pictures.wanters, desk.status.is_on) == (frozenset(), False)  # nobody in this run has begun one

    controls.set_many({"/vj/record/folder": str(tmp_path / "films"), ON_ADDRESS: True}, "test")
    wait(lambda: desk.status.recorder.length_s > 1.0)
    assert pictures.wanters == {"recording"}
    first = Path(desk.status.recorder.file)
    os.kill(desk.status.recorder.process_id, signal.SIGKILL)
    wait(lambda: desk.status.recorder.length_s > 0.2 and desk.status.recorder.file != str(first))
    assert any("the recorder stopped (killed by signal 9)" in sentence and str(first) in sentence for sentence in told)
    second = Path(desk.status.recorder.file)
    assert (second.parent, second.name) == (first.parent, f"{first.stem} 2.mp4")

    (tmp_path / "taken").touch()
    controls.set(ON_ADDRESS, False, "test")
    wait(lambda: not desk.status.recorder.take)
    controls.set_many({"/vj/record/folder": str(tmp_path / "taken"), ON_ADDRESS: True}, "test")
    wait(lambda: not controls.store.get(ON_ADDRESS))
    assert any("nothing can be recorded in" in sentence for sentence in told)
    desk.stop()
    output.stop()
    assert pictures.wanters == frozenset()
    assert PlayedFile.play(first).length_s > 0.3
    assert PlayedFile.play(second).length_s > 0.1


def test_files_are_called_by_date_time_and_look(tmp_path: Path):
    moment = datetime(2026, 11, 21, 22, 4, 9)
    assert file_stem(tmp_path, "Ink", now=moment).name == "2026-11-21 22-04-09 Ink"
    assert file_stem(tmp_path, 'a/b\\c:"d"', "replay", moment).name == "2026-11-21 22-04-09 a b c d replay"
    assert file_stem(tmp_path, "", now=moment).name == "2026-11-21 22-04-09"
