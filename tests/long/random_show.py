"""An hour of random performance with dead engines and dead panels: the picture goes on, memory is flat."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from engine.parameter import Parameter
from tests.servers.stamp_watch import Sight, StampWatch
from tests.servers.watched_show import LONGEST_STILL_S, WatchedShow, watched_show
from vj.parameters import PARAMETERS

SECONDS = 3600.0
MODEL = "ember"
SEED = 12
MEASURE_EVERY_S = 15.0
ENGINE_DIES_EVERY_S = 45.0
PANELS_DIE_EVERY_S = 240.0
WARM_SHARE = 0.3  # of the run: caches, histories and loops fill
GROWTH_MIB = 40.0  # between the median after that and the median of the last third
GROWTH_SHARE = 0.10
TEXTS = ("a burning red desert", "deep blue ink", "an emerald forest after rain", "violet smoke", "gold dust")
PRESSES = ("/vj/cut/hard", "/vj/cut/soft", "/vj/seed/next", "/vj/cue/go", "/vj/cue/back")
PLAYED = ("/vj/effect/", "/vj/prompt/", "/vj/seed/", "/vj/mod/", "/vj/transition/")
FADED_PEAK = 24  # of 255: a picture that was no brighter has grown dark by itself, in a dark corner enlarged
# a hand may well make the picture black, grey or still, and effects cost a software rasteriser its rate: not here
ASKS_FOR_IT = ("/vj/effect/contrast", "/target", "/mix")


def run(seconds: float = SECONDS, model: str = MODEL) -> dict[str, object]:
    """Play at random; raises AssertionError when the picture stands, goes black or a process grows."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        show, watch = stack.enter_context(watched_show(folder, model, is_stamped=False))
        figures = play(show, watch, seconds)
    judge(figures)
    return figures


def play(show: WatchedShow, watch: StampWatch, seconds: float) -> dict[str, object]:
    """Play for so long and return the figures."""
    rng = random.Random(SEED)
    hands = [p for p in PARAMETERS.values() if p.address.startswith(PLAYED) and not p.address.endswith(ASKS_FOR_IT)]
    hands = [p for p in hands if p.kind in ("float", "choice", "text")]
    began = time.monotonic()
    sights: list[Sight] = []
    memory: list[dict[str, float]] = []
    events: list[tuple[float, str]] = [(began, "the beginning")]
    done = {"moves": 0, "looks": 0, "presses": 0, "dead engines": 0, "dead panels": 0}
    measure_at, engine_at, panels_at = began, began + ENGINE_DIES_EVERY_S, began + PANELS_DIE_EVERY_S
    watch.take()
    while (now := time.monotonic()) < began + seconds:
        _hand(show, rng, hands, done)
        if now >= engine_at:
            engine_at += ENGINE_DIES_EVERY_S
            victim = show.engine_id()
            if victim is not None:
                os.kill(victim, signal.SIGKILL)
                done["dead engines"] += 1
                events.append((now, "an engine killed"))
        if now >= panels_at:
            panels_at += PANELS_DIE_EVERY_S
            os.kill(show.vj.process.pid, signal.SIGKILL)
            show.vj.process.wait()
            show.replace_panels()
            done["dead panels"] += 1
            events.append((now, "panels killed"))
        if now >= measure_at:
            measure_at += MEASURE_EVERY_S
            memory.append({"at_s": round(now - began, 1), **show.memory_mib()})
            sights.append(watch.take())
            if sights[-1].black or sights[-1].longest_still_s > LONGEST_STILL_S:
                print(f"{now - began:.0f} s: {sights[-1].figures()}", file=sys.stderr, flush=True)
        time.sleep(rng.uniform(0.0, 0.1))
    show.wait_live(20.0)
    return {
        "played_s": round(time.monotonic() - began, 1),
        **done,
        "longest_still_ms": round(1e3 * max(s.longest_still_s for s in sights)),
        "longest_still": _moment(max(sights, key=lambda s: s.longest_still_s).longest_still_at, began, events),
        "black_looks": sum(len(s.black) for s in sights),
        "darknesses": [
            {**_moment(dark.began, began, events), "for_s": round(dark.seconds, 3), "peak_before": dark.peak_before}
            for s in sights
            for dark in s.darknesses
        ],
        "looks_at_one_colour": sum(s.flat for s in sights),
        "looks_at_the_display": sum(s.looks for s in sights),
        "longest_pause_between_looks_ms": round(1e3 * max(s.longest_blind_s for s in sights)),
        "memory_growth_mib": {name: _growth(memory, name) for name in ("panels", "stage", "engine")},
        "memory_mib": memory,
        "machine_load": os.getloadavg()[0],
    }


def judge(figures: dict) -> None:
    """Raise AssertionError with what is over its limit."""
    sudden = [dark for dark in figures["darknesses"] if dark["peak_before"] > FADED_PEAK]
    assert not sudden, f"black at once: {sudden}"
    assert figures["longest_still_ms"] <= 1e3 * LONGEST_STILL_S, f"a still picture: {figures}"
    for name, (before, growth) in figures["memory_growth_mib"].items():
        assert growth <= max(GROWTH_MIB, GROWTH_SHARE * before), f"{name} grew by {growth} MiB: {figures}"


def _hand(show: WatchedShow, rng: random.Random, hands: list[Parameter], done: dict[str, int]) -> None:
    kind = rng.random()
    if kind < 0.9:
        parameter = rng.choice(hands)
        values = {"text": TEXTS, "choice": parameter.choices}.get(parameter.kind)
        show.send(parameter.address, rng.choice(values) if values else rng.random())
        done["moves"] += 1
    elif kind < 0.95:
        show.send(f"/vj/look/{rng.randrange(1, 9)}/{'save' if rng.random() < 0.3 else 'recall'}", 1)
        done["looks"] += 1
    else:
        show.send(rng.choice(PRESSES), 1)
        done["presses"] += 1
    if rng.random() < 0.02:  # never without light for long: what is tested is the picture
        show.send("/vj/prompt/1/weight", 1.0)


def _moment(at: float, began: float, events: list[tuple[float, str]]) -> dict[str, object]:
    """When something was seen, and what had been done to the show last before."""
    when, what = max((event for event in events if event[0] <= at), default=events[0])
    return {"at_s": round(at - began, 2), "after": what, "by_s": round(at - when, 2)}


def _growth(memory: list[dict[str, float]], name: str) -> tuple[float, float]:
    """MiB a process has once it is warm, and how many more at the end."""
    held = [row[name] for row in memory if name in row]
    warm = held[int(WARM_SHARE * len(held)) :] or held
    third = max(1, len(warm) // 3)
    before = float(np.median(warm[:third]))
    return round(before, 1), round(float(np.median(warm[-third:])) - before, 1)
