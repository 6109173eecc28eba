"""The performer's window around a real store, router and clock, with statuses a test may set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from PyQt6.QtWidgets import QApplication

from engine.frame_ring import Frame
from engine.messages import GeneratorStatus
from engine.video_in.params import INPUTS
from vj.app.main_window import MainWindow
from vj.app.panel_poll import SLOW_POLLS
from vj.app.performance_sources import read_performance
from vj.app.problem_board import ProblemBoard
from vj.app.status_strip import Ports
from vj.app.video_in.video_source import VideoSource
from vj.controllers.osc.endpoint import OscEndpoint
from vj.controllers.osc.network import OscOptions
from vj.inputs.listing import Listed
from vj.inputs.messages import InputState
from vj.inputs.recent_files import RecentFiles
from vj.inputs.stills import Stills
from vj.output.frame_reader import FrameReader, Picture
from vj.output.playback import PlaybackStatus
from vj.performance import Performance, PerformanceOptions

TEXTS = (
    "violet smoke drifting slowly over a black lake at night, long exposure, deep shadows",
    "neon tunnel of rushing light, magenta and cyan, motion blur, a city seen from a falling train",
    "rose window of stained glass breathing in morning sun",
    "black ink blooming in milk, macro",
)


class Stage:
    """The window and everything around it that a test may play with. Nothing runs by itself but the window's timer."""

    def __init__(self, folder: Path) -> None:
        self.generator = GeneratorStatus(state="streaming", model="test-pattern", generator_fps=17.5)
        self.reader = FrameReader(folder / "ring")
        self.sentence = ""
        self.ports = Ports("127.0.0.1:9000")
        options = PerformanceOptions(osc=OscOptions(OscEndpoint("127.0.0.1", 0, is_default=False)))
        self.performance = Performance(
            options, lambda sentence: None, lambda: self.generator, lambda: self.reader.status
        )
        self.controls, self.commands = self.performance.controls, self.performance.commands
        board = ProblemBoard({"engine": lambda: self.sentence})
        sources = read_performance(self.performance, lambda: self.generator, self.reader, board)
        self.folder = folder  # of the run
        self.inputs = [InputState()] * INPUTS
        self.listed: tuple[Listed, ...] = ()
        self.stills = Stills(self.controls, folder, lambda job: job(), self._say)
        self.recent = RecentFiles(lambda job: job())
        video = VideoSource(
            folder,
            lambda: self.inputs,
            lambda: self.listed,
            lambda: self.recent.files,
            self.recent.note,
            self.stills.keep_mask,
        )
        self.panels = MainWindow(self.controls, replace(sources, ports=lambda: self.ports, video=video))
        self.panels.show()

    def _say(self, sentence: str) -> None:
        self.sentence = sentence

    def get(self, address: str) -> object:
        return self.controls.store.get(address)

    def poll(self) -> None:
        """Let every panel have its turn."""
        for _ in range(SLOW_POLLS):
            self.panels.refresh()

    def fill(self) -> None:
        """Make the window as full as in the middle of a show."""
        for pad, text in enumerate(TEXTS, start=1):
            self.controls.set(f"/vj/prompt/{pad}/text", text, "test")
        self.controls.set_many(
            {
                "/vj/prompt/1/weight": 0.75,
                "/vj/prompt/2/weight": 0.25,
                "/vj/seed/value": 2147483647,
                "/vj/seed/second": 2147483647,
                "/vj/effect/hue": -170.5,
                "/vj/clock/bpm": 174.5,
                "/vj/clock/quantise": "4 bars",
            },
            "test",
        )
        self.controls.trigger("/vj/look/11/recall", "test")  # waits for its bar
        self.controls.trigger("/vj/prompt/4/go", "test")
        self.generator = replace(
            self.generator, chunk_s=0.55, cut_s=0.8, prompts_on_screen=(*TEXTS, *[""] * 12), prompts_waiting=(3,)
        )
        self.reader.status = PlaybackStatus(
            is_streaming=True,
            buffered_frames=21,
            repeats=1234,
            display_fps=59.9,
            rate_fps=16.0,
            playback_fps=16.0,
            params_version=1_000_000,
            shown_after_s=0.3,
            input_latency_s=0.92,
        )
        self.reader._picture = Picture(frame(), frame(), 0.0)
        self.controls.set_many(
            {"/vj/input/1/source": "USB Capture HDMI 4K+ (front of house)", "/vj/input/on": True}, "test"
        )
        self.inputs[0] = InputState(
            "live", "USB Capture HDMI 4K+ (front of house)", 1920, 1080, rate_fps=59.94, measured_fps=59.9
        )
        self.inputs[1] = InputState("lost", "night_drive.mp4", problem="night_drive.mp4: cannot be read any more")

    def settle(self) -> None:
        """Lay out and paint everything."""
        for _ in range(3):
            self.poll()
            QApplication.instance().processEvents()

    def close(self) -> None:
        """Take the window away and give the port back."""
        self.panels.hide()
        self.panels.deleteLater()
        self.performance.osc.stop()
        QApplication.instance().processEvents()


def frame(value: int = 90) -> Frame:
    """One frame of one grey."""
    return Frame(np.full((144, 256, 4), value, np.uint8), 1, 0, 16.0, 1, 0, 0)
