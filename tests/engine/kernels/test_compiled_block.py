"""Blocks in two halves, as torch.compile gets them: the same stream, taken only where it is faster."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.kernels import compiled_block
from engine.kernels.compiled_block import NOT_FASTER, PLAIN, HalvedBlock, compile_blocks
from tests.engine.test_generator import CONFIG, PARAMS, make_generator
from tests.engine.tiny import tiny_transformer


def test_the_halves_are_the_block() -> None:
    made = []
    for is_halved in (False, True):
        model = tiny_transformer(CONFIG)
        for block in model.blocks if is_halved else ():
            block.fused = HalvedBlock(block, PLAIN)
        generator = make_generator(model)
        made.append(np.concatenate([generator.generate_chunk(PARAMS).frames for _ in range(4)]).astype(int))
        generator.close()
    assert np.abs(made[0] - made[1]).max() <= 1


@pytest.mark.parametrize(("plain_s", "is_taken"), [(2.0, True), (1.0, False)])
def test_what_is_not_faster_is_not_taken(plain_s: float, is_taken: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", lambda function, dynamic: function)
    times = iter((1.0, plain_s))
    monkeypatch.setattr(compiled_block, "_seconds", lambda *_: next(times))
    model = tiny_transformer(CONFIG)
    assert compile_blocks(model, 6) == ("" if is_taken else NOT_FASTER)
    assert all((block.fused is not None) == is_taken for block in model.blocks)


def test_without_a_compiler_it_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no C++ compiler\ndetails")

    monkeypatch.setattr(torch, "compile", lambda function, dynamic: fail)
    assert compile_blocks(tiny_transformer(CONFIG), 6) == "compile: it cannot be done here (no C++ compiler)"
