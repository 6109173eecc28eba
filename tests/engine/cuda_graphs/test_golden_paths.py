"""Golden files through every way a stream can be made: over both caches, recorded, and with folded clean passes."""

from pathlib import Path

import pytest

import engine.golden
from engine.caches.folded_pass import FoldedStart, begin_folded
from engine.caches.rolling_cache import RollingCache
from engine.caches.slot_cache import SlotCache
from engine.cuda_graphs.graphed_transformer import GraphedTransformer
from engine.cuda_graphs.recorder import RecordedWork
from engine.sampler import clean_pass, denoise_chunk
from engine.verify import verify_file
from tests.engine.cuda_graphs.tape import TapeRecorder
from tests.engine.golden_files import make_stream_file

SHIPPED = Path(__file__).resolve().parents[2] / "data" / "golden" / "tiny_causal_dit.safetensors"
GATE = 1e-4
FOUR_STEPS = [1000.0, 937.5, 2500 / 3, 625.0]


class RecordedPaths:
    """Stands in for what `engine.golden` plays with."""

    def __init__(self):
        self.recorder = TapeRecorder()
        self._flow = None

    def flow(self, model, cache):
        if self._flow is None:
            self._flow = GraphedTransformer(model, cache, RecordedWork(self.recorder, "golden"))
        return self._flow

    def denoise_chunk(self, model, cache, *how):
        return denoise_chunk(self.flow(model, cache), cache, *how)

    def clean_pass(self, model, cache, *how):
        clean_pass(self.flow(model, cache), cache, *how)


class FoldingCache(SlotCache):
    """Keeps what is finished until the next chunk begins."""

    finished, memory = None, None

    def begin_chunk(self, frames, sink_mode, sink_decay):
        if self.finished is None:
            super().begin_chunk(frames, sink_mode, sink_decay)
        else:
            self.memory = begin_folded(self, frames, sink_mode, sink_decay)


class FoldedPaths(RecordedPaths):
    """The same, with each clean pass in the next chunk's first step."""

    def denoise_chunk(self, model, cache, text, noise, renoises, steps, schedule):
        flow = self.flow(model, cache)
        if cache.memory is not None:
            times = schedule.times(cache.finished, *[0.0] * cache.finished.shape[1], *[steps[0]] * noise.shape[1])
            flow, cache.memory = FoldedStart(flow, cache.finished, cache.memory, times), None
        return denoise_chunk(flow, cache, text, noise, renoises, steps, schedule)

    def clean_pass(self, model, cache, text, x0):
        cache.finished = x0


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder, made = tmp_path_factory.mktemp("golden"), [SHIPPED]
    for name, (height, width, chunks, steps), changes in (
        ("chunk_1", (2, 2, 11, [1000.0, 750.0]), {"chunk_frames": 1, "sink_decay": 0.8}),
        ("long", (2, 2, 6, FOUR_STEPS[:3]), {"window_frames": 12, "sink_decay": 0.5}),
    ):
        path = folder / f"{name}.safetensors"
        make_stream_file(path, height, width, chunks, steps, **changes)
        made.append(path)
    return made


@pytest.mark.parametrize("way", ["rolling", "recorded", "folded"])
def test_every_way_gives_the_files_numbers(way, files, monkeypatch):
    for path in files:
        with monkeypatch.context() as patch:
            if way == "rolling":
                patch.setattr(engine.golden, "SlotCache", RollingCache)
            else:
                paths = FoldedPaths() if way == "folded" else RecordedPaths()
                patch.setattr(engine.golden, "denoise_chunk", paths.denoise_chunk)
                patch.setattr(engine.golden, "clean_pass", paths.clean_pass)
            if way == "folded":
                patch.setattr(engine.golden, "SlotCache", FoldingCache)
            # bfloat16 is the file's own judgement, and each way rounds elsewhere
            patch.setattr(engine.golden, "_PRECISIONS", {"fp32": engine.golden._PRECISIONS["fp32"]})
            measures = {measure.name: measure.error for measure in verify_file(path).measures}
        # folded, the caches are finished a chunk later than the file has them
        judged = {name: error for name, error in measures.items() if way != "folded" or "cache" not in name}
        judged = {name: error for name, error in judged.items() if name.startswith("fp32")}
        assert "fp32.out" in judged
        assert max(judged.values()) <= GATE, (path.name, judged)
        if way != "rolling":
            assert paths.recorder.recordings > 2
