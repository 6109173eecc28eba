"""UMT5 in a process of its own: the same rows, gone when idle, there again when asked."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from engine.text.encoder_process import EncoderProcess
from engine.text.umt5 import load_umt5
from tests.engine.published_files import SMALL_UMT5, write_published
from tests.servers.process import wait_until

CPU = torch.device("cpu")
UMT5 = "models_t5_umt5-xxl-enc-bf16.pth"


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    folder = write_published(tmp_path)
    return folder / UMT5, folder / "google" / "umt5-xxl"


def test_rows_are_those_of_the_encoder_itself(files: tuple[Path, Path]) -> None:
    here = load_umt5(*files, SMALL_UMT5.text_len, CPU, torch.float32)
    there = EncoderProcess(*files, SMALL_UMT5.text_len, SMALL_UMT5.width, idle_s=1.0)
    for text in ("red ink in water", "", "a smoke\nof two lines", "blue " * 50):
        assert torch.allclose(there.encode(text), here.encode(text), atol=0.05)  # bfloat16 where that is native
    first = there.process_id
    wait_until(lambda: there.process_id is None, "the idle process ends", 20)
    assert there.encode("red").any()
    assert there.process_id not in (None, first)


def test_a_file_that_is_none_is_a_sentence(files: tuple[Path, Path]) -> None:
    files[0].write_bytes(b"no weights")
    with pytest.raises(RuntimeError, match="neither a safetensors file nor a PyTorch one"):
        EncoderProcess(*files, SMALL_UMT5.text_len, SMALL_UMT5.width).encode("red")
