"""What LoRAs cost on ember: a move of the faders by how many are on, a chunk around it, and a chunk when nothing moves.

In processor time of one thread, so that a busy machine tells the same.
`python -m bench.lora --json bench/results/lora.json`
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import torch
from safetensors.torch import save_file

from bench.environment import describe
from engine.chunk_source import DEFAULT_MODEL
from engine.generator_loading import load_generator
from engine.loading import load_transformer
from engine.lora.mixer import LoraMixer
from engine.lora.slots import LoraWeight
from engine.model_presets import load_preset
from engine.params import LORA_SLOTS, ChunkParams

RANK = 16
CHUNK_SIZE = (256, 144)


def write_loras(folder: Path) -> list[str]:
    """Write one random LoRA per slot, each on every matrix of the model."""
    model, _ = load_transformer(load_preset(DEFAULT_MODEL), torch.device("cpu"), torch.float32)
    paths = []
    for slot in range(LORA_SLOTS):
        dice = torch.Generator().manual_seed(slot)
        tensors = {}
        for name, weight in model.named_parameters():
            if weight.ndim == 2 and name.endswith(".weight"):
                stem = f"diffusion_model.{name.removesuffix('.weight')}"
                tensors[f"{stem}.lora_A.weight"] = torch.randn(RANK, weight.shape[1], generator=dice)
                tensors[f"{stem}.lora_B.weight"] = 1e-4 * torch.randn(weight.shape[0], RANK, generator=dice)
        paths.append(str(folder / f"{slot}.safetensors"))
        save_file(tensors, paths[-1])
    return paths


def time_moves(paths: list[str], moves: int) -> list[dict[str, float]]:
    """Milliseconds of a move of every fader, and of looking when none has moved, for 1 to 8 LoRAs."""
    model, _ = load_transformer(load_preset(DEFAULT_MODEL), torch.device("cpu"), torch.float32)
    mixer, rows = LoraMixer(model), []
    for count in range(1, len(paths) + 1):
        moved, rested = [], []
        mixer.apply([LoraWeight(path, 0.5) for path in paths[:count]], wait=True)
        for move in range(moves):
            wanted = [LoraWeight(path, 0.5 + 0.001 * (move + 1)) for path in paths[:count]]
            for times in (moved, rested):
                began = time.process_time()
                mixer.apply(wanted)
                times.append(time.process_time() - began)
        row = {"loras": count, "move_ms": statistics.median(moved) * 1e3, "rest_ms": statistics.median(rested) * 1e3}
        rows.append({name: round(value, 4) for name, value in row.items()})
        print(rows[-1])
    mixer.close()
    return rows


def time_chunks(paths: list[str], rounds: int) -> dict[str, float]:
    """Median chunk without LoRAs, with eight that rest, and with eight that move; in turns, for a ratio of one run."""
    generator = load_generator(load_preset(DEFAULT_MODEL), width=CHUNK_SIZE[0], height=CHUNK_SIZE[1], device="cpu")
    times: dict[str, list[float]] = {"without": [], "resting": [], "moving": []}
    on, weights = (True,) * LORA_SLOTS, (0.5,) * LORA_SLOTS
    generator.load_loras(ChunkParams(lora_files=tuple(paths), lora_weights=weights, lora_switches=on))
    for turn in range(rounds):
        for kind, seconds in times.items():
            played = tuple(weight + 0.001 * turn if kind == "moving" else weight for weight in weights)
            switches = tuple(kind != "without" for _ in on)
            params = ChunkParams(lora_files=tuple(paths), lora_weights=played, lora_switches=switches)
            generator.generate_chunk(params)  # brings the mix about; the next one is measured
            generator.remember_chunk()
            if kind == "moving":
                moved = tuple(weight + 0.0005 for weight in played)
                params = ChunkParams(lora_files=tuple(paths), lora_weights=moved, lora_switches=switches)
            began = time.process_time()
            generator.generate_chunk(params)
            generator.remember_chunk()
            seconds.append(time.process_time() - began)
    generator.close()
    medians = {f"chunk_{kind}_ms": round(statistics.median(seconds) * 1e3, 1) for kind, seconds in times.items()}
    base = medians["chunk_without_ms"]
    paired = zip(times["resting"], times["without"], strict=True)
    return medians | {
        "resting_over_without": round(statistics.median(a / b for a, b in paired), 3),
        "moving_over_without": round(medians["chunk_moving_ms"] / base, 3),
    }


def main() -> int:
    """Measure, print, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moves", type=int, default=15, help="moves measured per number of LoRAs")
    parser.add_argument("--rounds", type=int, default=8, help="chunks measured of each kind")
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        paths = write_loras(Path(folder))
        moves, chunks = time_moves(paths, arguments.moves), time_chunks(paths, arguments.rounds)
    chunks["rest_share_of_chunk"] = round(moves[-1]["rest_ms"] / chunks["chunk_without_ms"], 6)
    chunks["move_share_of_chunk"] = round(moves[-1]["move_ms"] / chunks["chunk_without_ms"], 3)
    print(chunks)
    if arguments.json:
        report = {"environment": describe(torch.device("cpu")), "rank": RANK, "moves": moves, "chunks": chunks}
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
