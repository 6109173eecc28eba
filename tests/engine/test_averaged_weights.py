"""Of a checkpoint that holds both, the moving average is taken on request only, and named."""

from pathlib import Path

import pytest
import torch

from engine.checkpoints import CheckpointError, load_into, read_checkpoint
from tests.engine.tiny import tiny_transformer


def test_averaged_weights_are_taken_on_request_and_named(tmp_path: Path) -> None:
    weights = tiny_transformer(seed=1).state_dict()
    wrapped = {f"_fsdp_wrapped_module.{name}": tensor for name, tensor in weights.items()}
    both = {"generator": {name: tensor + 1 for name, tensor in weights.items()}, "generator_ema": wrapped, "step": 7}
    torch.save(both, tmp_path / "both.pt")
    model = tiny_transformer(seed=2)
    report = load_into(model, read_checkpoint(tmp_path / "both.pt", averaged=True))
    assert all(torch.equal(tensor, weights[name]) for name, tensor in model.state_dict().items())
    assert report.flavour == "nested (generator_ema)"
    assert read_checkpoint(tmp_path / "both.pt").flavour == "nested (generator)"


def test_a_file_of_averages_alone_needs_no_request(tmp_path: Path) -> None:
    torch.save({"generator_ema": tiny_transformer().state_dict()}, tmp_path / "averaged.pt")
    assert read_checkpoint(tmp_path / "averaged.pt").flavour == "nested (generator_ema)"


@pytest.mark.parametrize("is_nested", [False, True])
def test_averages_that_are_not_there_are_a_sentence(tmp_path: Path, is_nested: bool) -> None:
    weights = tiny_transformer().state_dict()
    torch.save({"generator": weights} if is_nested else weights, tmp_path / "plain.pt")
    with pytest.raises(CheckpointError, match="holds no averaged weights"):
        read_checkpoint(tmp_path / "plain.pt", averaged=True)
