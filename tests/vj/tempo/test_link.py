"""Ableton Link with two real peers: one here, one in a process of its own, over the loopback network."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from vj.commands import CommandQueue
from vj.conductor import Conductor
from vj.controls import Controls
from vj.parameters import ParameterStore
from vj.tempo import link as link_module
from vj.tempo.beat_line import BeatLine
from vj.tempo.link import LinkSession
from vj.tempo.tempo import Tempo

needs_aalink = pytest.mark.skipif(importlib.util.find_spec("aalink") is None, reason="needs aalink")

PEER = """
import asyncio, sys, threading, time
import aalink

async def live():
    link = aalink.Link(float(sys.argv[1]))
    link.quantum = 4
    link.enabled = True
    loop, is_over = asyncio.get_running_loop(), asyncio.Event()
    def answer():
        for line in sys.stdin:
            if line.startswith("tempo"):
                link.tempo = float(line.split()[1])
            print(time.monotonic_ns(), link.beat, link.tempo, link.num_peers, flush=True)
        loop.call_soon_threadsafe(is_over.set)
    threading.Thread(target=answer).start()
    await is_over.wait()
asyncio.run(live())
"""


class Peer:
    """Another program in the session."""

    def __init__(self, bpm: float) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", PEER, str(bpm)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, words: str = "say") -> tuple[int, float, float, int]:
        """Return time in ns, beat, tempo and the number of others; `tempo BPM` sets the session's."""
        self._process.stdin.write(words + "\n")
        self._process.stdin.flush()
        time_ns, beat, bpm, peers = self._process.stdout.readline().split()
        return int(time_ns), float(beat), float(bpm), int(peers)

    def stop(self) -> None:
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


@pytest.fixture
def peer() -> Iterator[Peer]:
    peer = Peer(101.0)
    yield peer
    peer.stop()


@pytest.fixture
def tempo() -> Iterator[Tempo]:
    controls, conductor = Controls(ParameterStore(), CommandQueue()), Conductor()
    tempo = Tempo(controls, conductor)
    tempo.controls = controls
    conductor.start()
    yield tempo
    conductor.stop()
    tempo.stop()


def wait_for(condition: Callable[[], object], timeout_s: float = 15.0) -> None:
    end_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end_s, "it did not happen in time"
        time.sleep(0.02)


def phase_error(tempo: Tempo, peer: Peer) -> float:
    """How far the clock's place in the bar is from the peer's, in beats."""
    time_ns, beat, _, _ = peer.ask()
    apart = (tempo.clock.beat_at(time_ns) - beat) % 4
    return min(apart, 4 - apart)


@needs_aalink
def test_two_programs_share_tempo_and_bar_both_ways(tempo: Tempo, peer: Peer):
    peer.ask()
    time.sleep(1.5)  # of two sessions that meet the older one holds
    tempo.controls.set("/vj/clock/source", "link", "panel")
    wait_for(lambda: tempo.clock.state.peers == 1 and peer.ask()[3] == 1)
    wait_for(lambda: tempo.clock.state.bpm == pytest.approx(101.0, abs=0.01))
    assert tempo.clock.state.source == "link"
    wait_for(lambda: phase_error(tempo, peer) < 0.01)
    peer.ask("tempo 127.5")
    wait_for(lambda: tempo.controls.store.get("/vj/clock/bpm") == pytest.approx(127.5, abs=0.01))
    assert tempo.controls.store.moved_by("/vj/clock/bpm").source == "clock link"
    tempo.controls.set("/vj/clock/bpm", 90.0, "panel")
    wait_for(lambda: peer.ask()[2] == pytest.approx(90.0, abs=0.01))
    wait_for(lambda: phase_error(tempo, peer) < 0.01)
    tempo.controls.trigger("/vj/clock/double", "panel")
    wait_for(lambda: peer.ask()[2] == pytest.approx(180.0, abs=0.01))
    tempo.controls.set("/vj/clock/source", "internal", "panel")
    wait_for(lambda: peer.ask()[3] == 0)
    assert tempo.clock.state.bpm == pytest.approx(180.0, abs=0.01)


@needs_aalink
def test_alone_the_session_begins_with_our_beat():
    session = LinkSession()
    line = BeatLine(time.monotonic_ns(), 6.5, 133.0)
    try:
        session.begin(line)
        wait_for(lambda: session.lead(time.monotonic_ns()) is not None)
        lead = session.lead(time.monotonic_ns())
        at_ns = time.monotonic_ns()
        assert lead.line.bpm == pytest.approx(133.0)
        assert lead.line.beat_at(at_ns) == pytest.approx(line.beat_at(at_ns), abs=0.02)
    finally:
        session.stop()
    assert session.lead(time.monotonic_ns()) is None


def test_without_aalink_it_is_one_sentence_and_the_beat_goes_on(monkeypatch, tempo: Tempo):
    monkeypatch.setattr(link_module.importlib.util, "find_spec", lambda name: None)
    tempo.controls.set("/vj/clock/source", "link", "panel")
    wait_for(lambda: tempo.problem)
    assert "pip install 'vj[link]'" in tempo.problem
    before = tempo.clock.beat_at(time.monotonic_ns())
    time.sleep(0.1)
    assert tempo.clock.beat_at(time.monotonic_ns()) > before
    tempo.controls.set("/vj/clock/source", "internal", "panel")
    wait_for(lambda: not tempo.problem)
