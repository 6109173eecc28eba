"""One process of a stream that several make: `python -m tests.engine.parallel.streamed FILE RANK PROCESSES`.

Saves the latents of a few chunks, a cut and another size among them, as FILE.RANK.
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import torch
from torch import distributed

from engine.parallel.token_split import TokenSplit
from engine.parallel.transformer import ParallelTransformer
from tests.engine.test_generator import CONFIG, PARAMS, make_generator
from tests.engine.tiny import tiny_transformer


def stream(processes: int) -> torch.Tensor:
    """Latents of every chunk, one after the other."""
    model = tiny_transformer(CONFIG)
    if processes > 1:
        model = ParallelTransformer(model, TokenSplit())
    generator = make_generator(model)
    latents = []
    for k in range(9):
        if k == 5:
            generator.soft_cut()
        chunk_frames = 1 if k >= 6 else 3
        generator.generate_chunk(dataclasses.replace(PARAMS, chunk_frames=chunk_frames))
        latents.append(generator._state.unfinished.x0)
    generator.close()
    return torch.cat(latents, dim=1)


def main(file: Path, rank: int, processes: int) -> None:
    """Join the others, make the stream, save it."""
    torch.set_num_threads(1)
    meeting = f"file://{file.with_suffix('.meeting')}"
    distributed.init_process_group("gloo", init_method=meeting, rank=rank, world_size=processes)
    torch.save(stream(processes), file.with_suffix(f".{rank}"))
    distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
