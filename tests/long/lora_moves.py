"""1,000 random weight moves over 8 LoRAs on ember while it streams: no cut, and weight 0 is the model, bit for bit.

The seam is how much the picture changes from one chunk to the next, over how much it changes elsewhere; it is compared
with the same stream without LoRAs.
"""

from __future__ import annotations

import dataclasses
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from engine.generator import Generator
from engine.generator_loading import load_generator
from engine.model_presets import load_preset
from engine.params import LORA_SLOTS, ChunkParams
from tests.engine.lora.files import KEY_STYLES, write_random_lora

MOVES = 1000
SIZE = (96, 64)
STRENGTH = 0.03  # of a LoRA at weight 1: its change of a weight over the weight itself, both as root mean squares
PROMPT = "violet smoke drifting slowly"
SEAM_TOLERANCE = 0.25  # of the seam, over that of the stream without LoRAs
AFTER = 3  # chunks compared after everything is back at 0


def load(size: tuple[int, int]) -> Generator:
    """Return ember, in float32 on the processor."""
    return load_generator(load_preset("ember"), width=size[0], height=size[1], device="cpu", dtype="float32", threads=1)


def write_loras(folder: Path, generator: Generator) -> list[str]:
    """Write one random LoRA for ember in each of eight key styles."""
    weights = {name: p.detach() for name, p in generator._model.named_parameters()}
    return [
        str(write_random_lora(folder / f"lora_{k}", style, weights, seed=k, strength=STRENGTH))
        for k, style in enumerate(KEY_STYLES)
    ]


def stream(generator: Generator, moves: Sequence[ChunkParams]) -> tuple[list[np.ndarray], list[float]]:
    """One chunk per move: frames as they are, RGB, and seconds."""
    frames, seconds = [], []
    for params in moves:
        began = time.perf_counter()
        chunk = generator.generate_chunk(params)
        generator.remember_chunk()
        seconds.append(time.perf_counter() - began)
        frames.append(chunk.frames[..., :3])
    return frames, seconds


def seam(chunks: Sequence[np.ndarray]) -> float:
    """Median change between two chunks over the median change within one."""
    across = [change(a[-1:], b[:1]) for a, b in zip(chunks, chunks[1:], strict=False)]
    within = [change(chunk[k : k + 1], chunk[k + 1 : k + 2]) for chunk in chunks for k in range(len(chunk) - 1)]
    return statistics.median(across) / statistics.median(within)


def change(before: np.ndarray, after: np.ndarray) -> float:
    """Mean change between frames, 0..1."""
    return float(np.abs(after.astype(np.float32) - before.astype(np.float32)).mean()) / 255.0


def random_moves(params: ChunkParams, files: Sequence[str], moves: int) -> list[ChunkParams]:
    """Each moves one to three of the faders somewhere, or switches a slot."""
    dice = np.random.default_rng(5)
    weights, switches, played = [0.0] * LORA_SLOTS, [True] * LORA_SLOTS, []
    for _ in range(moves):
        for slot in dice.integers(0, LORA_SLOTS, dice.integers(1, 4)):
            weights[slot] = float(dice.uniform(-1.0, 1.0))
        if dice.random() < 0.1:
            slot = dice.integers(0, LORA_SLOTS)
            switches[slot] = not switches[slot]
        played.append(
            dataclasses.replace(
                params, lora_files=tuple(files), lora_weights=tuple(weights), lora_switches=tuple(switches)
            )
        )
    return played


def twin_chunks(params: ChunkParams, size: tuple[int, int], generator: Generator) -> bool:
    """Whether the next chunks of a new stream are those of an ember that never heard a LoRA, byte for byte."""
    generator.hard_cut()
    here, _ = stream(generator, [params] * AFTER)
    untouched = load(size)
    untouched.hard_cut()
    there, _ = stream(untouched, [dataclasses.replace(params, lora_weights=(0.0,) * LORA_SLOTS)] * AFTER)
    untouched.close()
    return all(np.array_equal(a, b) for a, b in zip(here, there, strict=True))


def run(moves: int = MOVES, size: tuple[int, int] = SIZE) -> dict[str, object]:
    """Play and return the figures; raises AssertionError for a cut, a still or a bit that is not as before."""
    params = ChunkParams().with_prompts((PROMPT,))
    plain = load(size)
    before, rest_s = stream(plain, [params] * max(10, moves // 4))
    plain.close()
    generator = load(size)
    base = {name: p.detach().clone() for name, p in generator._model.named_parameters()}
    try:
        with tempfile.TemporaryDirectory() as folder:
            played = random_moves(params, write_loras(Path(folder), generator), moves)
            generator.load_loras(played[0])
            first = generator.generate_chunk(played[0]).stream_id
            chunks, move_s = stream(generator, played)
            stream_ids = {first, generator.generate_chunk(played[-1]).stream_id}
            back = dataclasses.replace(played[-1], lora_weights=(0.0,) * LORA_SLOTS)
            generator.generate_chunk(back)
            differing = [n for n, p in generator._model.named_parameters() if not torch.equal(p, base[n])]
            is_same = twin_chunks(back, size, generator)
    finally:
        generator.close()
    still = min(change(chunk[:-1], chunk[1:]) for chunk in chunks)
    figures: dict[str, object] = {
        "moves": moves,
        "key_styles": len(KEY_STYLES),
        "seam": round(seam(chunks), 3),
        "seam_without": round(seam(before), 3),
        "least_motion": round(still, 5),
        "chunk_ms_moving": round(statistics.median(move_s) * 1e3, 1),
        "chunk_ms_without": round(statistics.median(rest_s) * 1e3, 1),
        "weights_back_bit_for_bit": not differing,
        "next_chunks_back_bit_for_bit": is_same,
    }
    assert len(stream_ids) == 1, "a move began a new stream"
    assert not differing, f"not the model any more: {differing[:5]}"
    assert is_same, "the chunks after the last move are not those of the model"
    assert still > 0.0, "a chunk stood still"
    limit = figures["seam_without"] * (1.0 + SEAM_TOLERANCE)
    assert figures["seam"] <= limit, f"moves are seen as cuts: {figures}"
    return figures
