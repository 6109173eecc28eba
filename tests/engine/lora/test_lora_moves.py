"""Moves of eight LoRAs on ember while it streams, in short: no new stream, no still, and back to the model."""

from __future__ import annotations

from tests.long.lora_moves import run


def test_faders_move_eight_loras_without_a_cut_and_back_to_the_model_bit_for_bit():
    figures = run(moves=10, size=(64, 48))
    assert figures["weights_back_bit_for_bit"]
    assert figures["next_chunks_back_bit_for_bit"]
    assert figures["key_styles"] == 8
