"""Wan's text encoder on a small configuration: its key map, its padding, its cleaning, its refusals."""

import json

import pytest
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import UMT5Config, UMT5EncoderModel

from engine.text.umt5 import TOKENIZER_FILE, Umt5Config, clean_text, load_umt5, wan_name
from engine.weight_files import CheckpointError

CONFIG = Umt5Config(vocabulary=40, width=24, layers=3, heads=2, head_width=8, feed_forward=32, text_len=12)
CPU = torch.device("cpu")
WORDS = ["ink", "water", "smoke", "red", "blue", "drifts", "slowly", "a", "in"]


@pytest.fixture
def tokenizer_file(tmp_path):
    words = {"<pad>": 0, "</s>": 1, "<unk>": 2} | {word: n + 3 for n, word in enumerate(WORDS)}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    path = tmp_path / TOKENIZER_FILE
    tokenizer.save(str(path))
    return path


@pytest.fixture
def reference():
    torch.manual_seed(0)
    config = UMT5Config(
        vocab_size=40, d_model=24, num_layers=3, num_heads=2, d_kv=8, d_ff=32, feed_forward_proj="gated-gelu",
        relative_attention_num_buckets=32, relative_attention_max_distance=128, dropout_rate=0.0,
    )  # fmt: skip
    return UMT5EncoderModel(config).eval()


@pytest.fixture
def weights_file(reference, tmp_path):
    tensors = {wan_name(name): parameter.detach().clone() for name, parameter in reference.named_parameters()}
    path = tmp_path / "umt5.safetensors"
    save_file(tensors, path)
    return path


def test_the_published_file_has_242_keys():
    config = UMT5Config(
        d_model=8, num_layers=24, num_heads=1, d_kv=8, d_ff=8, vocab_size=8, feed_forward_proj="gated-gelu"
    )
    with torch.device("meta"):
        model = UMT5EncoderModel(config)
    assert len({wan_name(name) for name, _ in model.named_parameters()}) == 242


def test_the_key_map_covers_wans_file(reference):
    names = {wan_name(name) for name, _ in reference.named_parameters()}
    assert len(names) == 2 + 10 * CONFIG.layers
    assert {"token_embedding.weight", "norm.weight", "blocks.2.ffn.gate.0.weight"} <= names
    assert "blocks.0.pos_embedding.embedding.weight" in names


def test_encoding_the_real_tokens_alone_equals_the_padded_run(reference, weights_file, tokenizer_file):
    encoder = load_umt5(weights_file, tokenizer_file, CONFIG.text_len, CPU, torch.float32)
    rows = encoder.encode("red ink  in\twater")
    ids = [6, 3, 11, 4, 1]
    padded = torch.tensor([ids + [0] * (CONFIG.text_len - len(ids))])
    with torch.no_grad():
        expected = reference(input_ids=padded, attention_mask=(padded != 0).long()).last_hidden_state[0]
    assert encoder.token_ids("red ink  in\twater") == ids
    assert (rows[: len(ids)] - expected[: len(ids)]).abs().max() <= 1e-5
    assert not rows[len(ids) :].any()
    assert rows.shape == (CONFIG.text_len, CONFIG.width)


def test_a_prompt_of_any_length_fits(weights_file, tokenizer_file):
    encoder = load_umt5(weights_file, tokenizer_file, CONFIG.text_len, CPU, torch.float32)
    assert encoder.encode("red " * 100).any(dim=1).all()
    assert encoder.encode("").shape == (CONFIG.text_len, CONFIG.width)


def test_bfloat16_weights_are_close(weights_file, tokenizer_file):
    wide = load_umt5(weights_file, tokenizer_file, CONFIG.text_len, CPU, torch.float32).encode("blue smoke drifts")
    narrow = load_umt5(weights_file, tokenizer_file, CONFIG.text_len, CPU, torch.bfloat16).encode("blue smoke drifts")
    assert (wide - narrow).abs().max() < 0.1


@pytest.mark.parametrize(
    ("written", "cleaned"),
    [
        ("  a\n red \t smoke ", "a red smoke"),
        ("rock &amp;amp; roll", "rock & roll"),
        ("the sea’s “foam”", 'the sea\'s "foam"'),
        ("Cafe\u0301", "Café"),
    ],
)
def test_prompts_are_cleaned_as_wan_does(written, cleaned):
    assert clean_text(written) == cleaned


def test_a_foreign_file_is_named(tmp_path, tokenizer_file):
    path = tmp_path / "foreign.safetensors"
    save_file({"patch_embedding.weight": torch.zeros(1536, 16, 1, 2, 2), "blocks.0.a": torch.zeros(1)}, path)
    with pytest.raises(CheckpointError, match=r"1\.3B text-to-video checkpoint.*not UMT5"):
        load_umt5(path, tokenizer_file, CONFIG.text_len, CPU, torch.float32)


@pytest.mark.parametrize("content", ["no json", json.dumps({"a": 1}), "[]"])
def test_a_tokenizer_that_is_none_is_a_sentence(tmp_path, weights_file, content):
    path = tmp_path / "broken.json"
    path.write_text(content)
    with pytest.raises(CheckpointError, match="it is no tokenizer"):
        load_umt5(weights_file, path, CONFIG.text_len, CPU, torch.float32)
