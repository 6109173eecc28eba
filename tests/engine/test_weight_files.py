"""Files that cannot be opened at all: too large for this computer, or no files."""

import json
import math
import os
import struct
import sys
from pathlib import Path

import pytest

from engine.checkpoints import CheckpointError, read_checkpoint


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs sparse files and Linux's limit on mappings")
def test_a_file_larger_than_the_memory_is_named_by_its_table_of_contents(tmp_path: Path):
    path = tmp_path / "large.safetensors"
    shape = [5120, 16, 1, 2, 2 * 10**7]
    length = math.prod(shape) * 2
    entry = {"dtype": "BF16", "shape": shape, "data_offsets": [0, length]}
    header = json.dumps({"patch_embedding.weight": entry}).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        file.truncate(8 + len(header) + length)
    with pytest.raises(CheckpointError, match=r"14B text-to-video checkpoint .* GB; this computer does not give"):
        read_checkpoint(path)


def test_what_is_neither_file_nor_folder_is_refused_at_once(tmp_path: Path):
    path = tmp_path / "pipe.safetensors"
    os.mkfifo(path)
    with pytest.raises(CheckpointError, match="neither a file nor a folder"):
        read_checkpoint(path)
