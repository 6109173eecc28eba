"""Whole pictures from interlaced ones (bwdif), one frame behind. Only runs where it is needed.

Knows nothing of sources.
"""

from __future__ import annotations

from fractions import Fraction

import av
from av.filter import Graph

NS = Fraction(1, 1_000_000_000)
_Layout = tuple[int, int, str, str]  # width, height, pixel format, mode


class Deinterlacer:
    """Takes frames with a moment each and gives frames with theirs. Used by one thread."""

    def __init__(self) -> None:
        self._graph: Graph | None = None
        self._layout: _Layout | None = None
        self._saw_interlaced = False

    def process(self, frame: av.VideoFrame, moment_ns: int, mode: str) -> list[tuple[av.VideoFrame, int]]:
        """Give what is ready: the frame itself where nothing is to be done, else the one before it, made whole.

        `mode` auto = frames that say that they are interlaced, from the first such frame on; on = all; off = none.
        """
        self._saw_interlaced = self._saw_interlaced or frame.interlaced_frame
        if mode == "off" or (mode == "auto" and not self._saw_interlaced):
            self._graph = self._layout = None
            return [(frame, moment_ns)]
        layout = (frame.width, frame.height, frame.format.name, mode)
        if layout != self._layout:
            self._graph, self._layout = _make_graph(layout), layout
        frame.pts, frame.time_base = moment_ns, NS  # the moment travels through the filter as the frame's own
        self._graph.vpush(frame)
        ready = []
        while True:
            try:
                done = self._graph.vpull()
            except (av.BlockingIOError, av.EOFError):
                return ready
            ready.append((done, round(done.pts * done.time_base / NS)))


def _make_graph(layout: _Layout) -> Graph:
    width, height, pixels, mode = layout
    graph = Graph()
    graph.threads = 1
    which = "all" if mode == "on" else "interlaced"
    graph.link_nodes(
        graph.add_buffer(width=width, height=height, format=pixels, time_base=NS),
        graph.add("bwdif", f"mode=send_frame:parity=auto:deint={which}"),
        graph.add("buffersink"),
    ).configure()
    return graph
