"""The generator with each switch: recorded work gives the same frames, folding nearly, the rest only what it says."""

import dataclasses

import numpy as np
import pytest
import torch

import engine.cuda_graphs.decoding
import engine.generator
from engine.acceleration import EXACT, Acceleration
from engine.cuda_graphs.warm_up import warm_up
from engine.generator import Generator
from engine.live.chunk_watch import ChunkGivenUp, ChunkWatch
from engine.schedule import PUBLISHED_STEPS, Schedule
from engine.vae.tiny_vae import TinyVae, TinyVaeConfig
from tests.engine.cuda_graphs.tape import TapeRecorder
from tests.engine.test_generator import CONFIG, PARAMS, HashEncoder
from tests.engine.tiny import tiny_transformer

OTHER = PARAMS.with_prompts(("ink", "fire"), (0.2, 0.8))


@pytest.fixture
def make(monkeypatch):
    made = []

    def make(acceleration=EXACT, recorders=None):
        def recorder_for(_device, *, is_wanted):
            recorder = TapeRecorder() if is_wanted and recorders is not None else None
            if recorder is not None:
                recorders.append(recorder)
            return recorder

        for module in (engine.generator, engine.cuda_graphs.decoding):
            monkeypatch.setattr(module, "recorder_for", recorder_for)
        torch.manual_seed(0)
        decoder = TinyVae(TinyVaeConfig(encoder_widths=(8, 8, 8), decoder_widths=(8, 8, 8, 8))).eval()
        parts = (tiny_transformer(CONFIG), decoder, HashEncoder())
        how = {"name": "tiny", "size": (48, 32), "rate_fps": 16.0, "timesteps": Schedule(5.0).warp(PUBLISHED_STEPS)}
        made.append(Generator(*parts, **how, acceleration=acceleration))
        return made[-1]

    yield make
    for generator in made:
        generator.close()


def play(generator):
    """A stream with everything that a hand does to it; frames of every chunk."""
    mid_chunk = dataclasses.replace(PARAMS, mid_chunk=True)
    one = dataclasses.replace(PARAMS, chunk_frames=1)
    frames = [generator.generate_chunk(PARAMS).frames for _ in range(5)]
    frames.append(generator.generate_chunk(OTHER).frames)
    frames.append(generator.generate_chunk(mid_chunk, newest=lambda: OTHER).frames)
    frames += [generator.generate_chunk(one).frames for _ in range(6)]
    with pytest.raises(ChunkGivenUp):
        generator.generate_chunk(PARAMS, watch=ChunkWatch(lambda: True, lambda part: None))
    frames += [generator.generate_chunk(dataclasses.replace(PARAMS, denoising_steps=2)).frames for _ in range(2)]
    generator.soft_cut()
    frames += [generator.generate_chunk(PARAMS).frames for _ in range(2)]
    generator.hard_cut()
    frames += [generator.generate_chunk(OTHER).frames for _ in range(3)]
    generator.remember_chunk()
    return frames


def test_recorded_chunks_are_the_eager_ones_bit_for_bit(make):
    recorders = []
    eager, recorded = play(make()), play(make(recorders=recorders))
    assert all(np.array_equal(a, b) for a, b in zip(eager, recorded, strict=True))
    transformer, decoder = (recorder.recordings for recorder in recorders)
    assert transformer > 10
    assert decoder >= 2  # a stream's later chunks, of both sizes
    off = []
    make(Acceleration(graphs=False), off)
    assert off == []


def test_after_warming_up_a_stream_records_nothing_more(make):
    recorders = []
    cold, warm = make(), make(recorders=recorders)
    warm_up(warm, CONFIG.window_frames)
    before = [recorder.recordings for recorder in recorders]
    one = dataclasses.replace(PARAMS, chunk_frames=1)
    for params in [PARAMS] * 6 + [one] * 7:
        assert np.array_equal(cold.generate_chunk(params).frames, warm.generate_chunk(params).frames)
    warm.hard_cut(), cold.hard_cut()
    for _ in range(4):
        assert np.array_equal(cold.generate_chunk(one).frames, warm.generate_chunk(one).frames)
    assert [recorder.recordings for recorder in recorders] == before


@pytest.mark.parametrize("is_recorded", [False, True])
def test_folded_clean_passes_give_the_same_picture(make, is_recorded):
    plain = play(make())
    folded = play(make(Acceleration(fold=True), [] if is_recorded else None))
    for a, b in zip(plain, folded, strict=True):
        assert np.abs(a.astype(int) - b).max() <= 1


def test_without_clean_passes_and_with_fewer_steps_the_model_runs_less(make, monkeypatch):
    def passes(acceleration):
        generator, count = make(acceleration), [0, 0]
        model = generator._model
        for place, (name, original) in enumerate((("forward", model.forward), ("remember", model.remember))):

            def counted(*given, place=place, original=original):
                count[place] += 1
                return original(*given)

            monkeypatch.setattr(model, name, counted)
        frames = [generator.generate_chunk(PARAMS).frames for _ in range(5)]
        generator.remember_chunk()
        return frames, count

    exact, count = passes(Acceleration())
    assert count == [20, 5]
    loose, count = passes(Acceleration(clean_pass=False))
    assert count == [20, 0]
    assert np.array_equal(exact[0], loose[0])
    assert not np.array_equal(exact[4], loose[4])
    _, count = passes(Acceleration(steps=3))
    assert count == [15, 5]
    _, count = passes(Acceleration(fold=True))
    assert count == [20, 0]
