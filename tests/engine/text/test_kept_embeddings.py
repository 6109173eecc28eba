"""Embeddings on disk: encoded once, told apart by text and encoder, and never in the way."""

import pytest
import torch

from engine.text.kept_embeddings import KeptEmbeddings


class Counting:
    def __init__(self):
        self.calls = []

    def encode(self, text):
        self.calls.append(text)
        rows = torch.zeros(6, 4)
        rows[: len(text) % 6] = torch.randn(len(text) % 6, 4, generator=torch.Generator().manual_seed(len(text)))
        return rows


def test_a_text_is_encoded_once_for_good(tmp_path):
    first, second = Counting(), Counting()
    made = KeptEmbeddings(first, tmp_path, "xxl").encode("ink")
    kept = KeptEmbeddings(second, tmp_path, "xxl").encode("ink")
    assert torch.equal(made, kept)
    assert (first.calls, second.calls) == (["ink"], [])


def test_another_text_or_encoder_is_encoded_anew(tmp_path):
    encoder = Counting()
    for identity, text in (("xxl", "ink"), ("xxl", "inks"), ("fp8", "ink"), ("xxl", "")):
        KeptEmbeddings(encoder, tmp_path, identity).encode(text)
    assert encoder.calls == ["ink", "inks", "ink", ""]
    assert not KeptEmbeddings(encoder, tmp_path, "xxl").encode("").any()


def test_a_damaged_file_is_encoded_anew(tmp_path):
    encoder = Counting()
    kept = KeptEmbeddings(encoder, tmp_path, "xxl")
    made = kept.encode("ink")
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:20])
    assert torch.equal(kept.encode("ink"), made)
    assert len(encoder.calls) == 2


@pytest.mark.parametrize("name", ["a file", "no/such/place"])
def test_a_folder_that_cannot_be_made_stops_nothing(tmp_path, name):
    (tmp_path / "a file").write_text("")
    folder = tmp_path / "a file" if name == "a file" else tmp_path / "a file" / name
    encoder = Counting()
    kept = KeptEmbeddings(encoder, folder, "xxl")
    assert torch.equal(kept.encode("ink"), kept.encode("ink"))
